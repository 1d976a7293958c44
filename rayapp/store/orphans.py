"""Processes of a killed PostgreSQL server that have not noticed: while one is at work, no new server can start."""

import contextlib
import os
import signal
from pathlib import Path

PROC = Path("/proc")


def end_orphans(cluster: Path) -> list[int]:
    """End what is left of the server of ``cluster``, if the server itself is gone; gives the numbers of the processes that were asked.

    A session in the middle of a long statement looks for its server only now and then. Ending it at once loses nothing: what it has not
    committed was lost with the server. A process belongs to the cluster when it works in its directory and calls itself PostgreSQL.
    """
    if not (PROC / "self").exists():
        return []
    found = [process for process in (int(entry.name) for entry in PROC.iterdir() if entry.name.isdecimal()) if _is_of(process, cluster)]
    if any(_parent(process) in found or _is_server(process) for process in found):
        return []  # the server is there, or is on its way
    for process in found:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process, signal.SIGQUIT)
    return found


def _is_of(process: int, cluster: Path) -> bool:
    with contextlib.suppress(OSError):
        return (PROC / str(process) / "cwd").readlink() == cluster and b"postgres" in _command(process)
    return False


def _is_server(process: int) -> bool:
    """Say whether it is a server rather than one of its parts, which call themselves ``postgres: name of the part``."""
    with contextlib.suppress(OSError):
        return not _command(process).startswith(b"postgres: ")
    return False


def _command(process: int) -> bytes:
    return (PROC / str(process) / "cmdline").read_bytes()


def _parent(process: int) -> int | None:
    with contextlib.suppress(OSError, IndexError):
        return int((PROC / str(process) / "stat").read_text().rpartition(")")[2].split()[1])
    return None
