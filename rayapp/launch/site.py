"""The place of one installation on this machine: who runs it, what runs, and the files that are gone with it.

``<data_dir>/up.lock`` is held by the running launcher, so the kernel itself forgets it when the launcher is killed. ``<data_dir>/up.json``
says what runs. The run directory holds what Ray and HAProxy need while they run; its path is short, since sockets lie in it, and it is
part of the command lines and environments of all that the launcher starts, which is how a former run's leftovers are known.
"""

import fcntl
import hashlib
import os
import secrets
import shutil
from io import FileIO
from pathlib import Path
from typing import Literal

import msgspec

from rayapp.errors import InvalidSetup
from rayapp.launch.processes import Process

RUN_DIR_VARIABLE = "_RAYAPP_RUN_DIR"
SHORT_TEMPORARY = Path("/tmp")  # noqa: S108 - the run directory in it is checked when it is made

Phase = Literal["starting", "up", "stopping"]


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What runs: the processes, and where clients and drivers find them."""

    phase: Phase
    launcher: Process
    head: Process | None = None
    worker: Process | None = None
    run_dir: str
    url: str
    ray_address: str = ""
    ports: tuple[int, ...] = ()
    jobs_url: str = ""
    haproxy: bool = True
    embedded_database: bool = True


class Site:
    """One installation, known by its data directory."""

    def __init__(self, data_dir: Path) -> None:
        """Name the installation; nothing is made yet."""
        self.data_dir = data_dir.absolute()
        name = hashlib.sha256(f"{os.geteuid()} {self.data_dir}".encode()).hexdigest()[:8]
        self.run_dir = SHORT_TEMPORARY / f"rayapp-{name}"
        self.log = self.data_dir / "up.log"
        self.worker_log = self.data_dir / "worker.log"
        self.token = self.run_dir / "token"
        self._state = self.data_dir / "up.json"
        self._lock: FileIO | None = None

    def take(self) -> bool:
        """Become the one launcher here; says whether there was none. Kept until this process ends or ``leave`` is called."""
        self._make(self.data_dir, 0o755 if os.geteuid() == 0 else 0o700)
        lock = FileIO(self.data_dir / "up.lock", "a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return False
        self._lock = lock
        return True

    def leave(self) -> None:
        """Let another launcher in."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def taken(self) -> bool:
        """Say whether a launcher runs here."""
        try:
            with FileIO(self.data_dir / "up.lock", "r") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def renew_run_dir(self) -> None:
        """Make the run directory new, with a new token that only this user can read."""
        if self.run_dir.is_symlink() or (self.run_dir.exists() and self.run_dir.lstat().st_uid != os.geteuid()):
            raise InvalidSetup(f"{self.run_dir} belongs to someone else: remove it, or choose another RAYAPP_DATA_DIR")
        self.clear_run_dir()
        self.run_dir.mkdir(mode=0o700)
        self.token.touch(mode=0o600)
        self.token.write_text(secrets.token_hex(32))

    def clear_run_dir(self) -> None:
        """Remove the run directory with all that is in it."""
        if self.run_dir.exists():
            shutil.rmtree(self.run_dir)

    def write(self, state: State) -> None:
        """Say what runs, so that a reader sees the former state or this one."""
        unfinished = self._state.with_suffix(".new")
        unfinished.write_bytes(msgspec.json.format(msgspec.json.encode(state)) + b"\n")
        unfinished.replace(self._state)

    def read(self) -> State | None:
        """Give what was last said to run, by a launcher that may be gone."""
        try:
            return msgspec.json.decode(self._state.read_bytes(), type=State)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def forget(self) -> None:
        """Say that nothing runs."""
        self._state.unlink(missing_ok=True)

    def _make(self, directory: Path, mode: int) -> None:
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=mode)
            (directory / "up.lock").touch()
        except OSError as error:
            raise InvalidSetup(f"cannot write to {directory} ({error.strerror}): set RAYAPP_DATA_DIR") from error
