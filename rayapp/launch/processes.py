"""Processes of this machine, told apart by number and start time, found by their environment, and ended one by one.

A number alone names no process for long: the system uses it again. Linux tells when a process was started, and both together are unique.
"""

import contextlib
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

import msgspec

PROC = Path("/proc")
PAUSE_S = 0.05


class Process(msgspec.Struct, frozen=True):
    """A process: its number and when it was started, in clock ticks since the machine was."""

    pid: int
    started: int

    def alive(self) -> bool:
        """Say whether it is the same process still, and not only waiting to be reaped."""
        stat = _stat(self.pid)
        return stat is not None and stat == (self.started, False)

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal, unless the process is gone."""
        if self.alive():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self.pid, how)


def process_of(pid: int) -> Process | None:
    """Name the process that has this number now."""
    stat = _stat(pid)
    return Process(pid, stat[0]) if stat is not None else None


def started_with(variable: str, value: str) -> list[Process]:
    """Find the processes, other than this one, that were started with this entry in their environment, as far as this user may look."""
    entry = os.fsencode(f"{variable}={value}")
    return [found for pid in _pids() if pid != os.getpid() and _has_entry(pid, entry) and (found := process_of(pid)) is not None]


def wait_until_gone(processes: Iterable[Process], patience_s: float) -> list[Process]:
    """Wait for processes to end; gives those that have not within the time."""
    deadline = time.monotonic() + patience_s
    left = [process for process in processes if process.alive()]
    while left and time.monotonic() < deadline:
        time.sleep(PAUSE_S)
        left = [process for process in left if process.alive()]
    return left


def end_all(processes: Iterable[Process], patience_s: float) -> list[Process]:
    """Ask processes to end, and end by force those that do not within the time; gives those that even so are there."""
    asked = list(processes)
    for process in asked:
        process.end()
    stubborn = wait_until_gone(asked, patience_s)
    for process in stubborn:
        process.end(signal.SIGKILL)
    return wait_until_gone(stubborn, patience_s)


def _pids() -> list[int]:
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdecimal()]


def _has_entry(pid: int, entry: bytes) -> bool:
    with contextlib.suppress(OSError):
        return entry in (PROC / str(pid) / "environ").read_bytes().split(b"\0")
    return False


def _stat(pid: int) -> tuple[int, bool] | None:
    """Give a process's start time and whether it is a zombie; see proc(5) for the fields after the command's name."""
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return int(fields[19]), fields[0] == "Z"
