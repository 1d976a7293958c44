"""The embedded PostgreSQL: one server per data directory, started when first needed, stopped by the last that needed it.

Written for machines where either side may be killed at any time:

- A lease is a shared ``flock``: the kernel frees it with its holder, so no list of process ids can go stale.
- Alive means that the server answers in its protocol, never that some process has the number in ``postmaster.pid``.
- ``pg_ctl`` puts the server into the background as nobody's child, so it does not end with the Ray worker or the terminal.
- A cluster is made beside its place and moved there whole: a kill during ``initdb`` leaves nothing half made.
- As root the server runs under an account that exists; none is added, and no directory's mode is widened.
"""

import hashlib
import os
import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from rayapp.errors import InvalidSetup, Unavailable
from rayapp.store.lease import Lease, only_one
from rayapp.store.orphans import end_orphans
from rayapp.store.postgres_binaries import Account, account_for, find_binaries, major_version, reachable_binaries, unreachable
from rayapp.store.probe import PORT, probe, socket_path

START_S = 300.0
STOP_S = 60
REFUSED_STARTS = 40
PAUSE_S = 0.1
LONGEST_SOCKET_PATH = 100  # bytes; Linux takes 107, macOS 103
BUILTIN_LOCALE_SINCE = 17

# For one machine that loads, classifies and can always load again from the source: no replication, few checkpoints, no zeros written to a
# new segment of the WAL, which a first load fills twice otherwise.
SERVER_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "wal_buffers": "64MB",
    "wal_init_zero": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "log_min_messages": "warning",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class EmbeddedPostgres:
    """A lease on the server of ``data_dir``. Use as a context, or ``start`` and ``release``."""

    def __init__(self, data_dir: Path) -> None:
        """Name the server; nothing is read or started yet."""
        self.data_dir = data_dir.absolute()
        self.cluster = self.data_dir / "postgresql"
        self.log = self.cluster / "server.log"
        self._lease: Lease | None = None

    @property
    def socket_dir(self) -> Path:
        """Where the server listens: its own directory, or where that path is too long for a socket one named by its hash."""
        if len(os.fsencode(socket_path(self.cluster))) <= LONGEST_SOCKET_PATH:
            return self.cluster
        return Path("/tmp") / f"rayapp-{hashlib.sha256(os.fsencode(self.cluster)).hexdigest()[:16]}"  # noqa: S108 - checked when made

    def url(self, database: str = "postgres") -> str:
        """Give the address of a database of the server, as libpq and asyncpg understand it."""
        return f"postgresql://postgres@/{database}?host={quote(str(self.socket_dir))}&port={PORT}"

    def start(self, wait_s: float = START_S) -> Self:
        """Take a lease and see to it that the server answers.

        Raises ``InvalidSetup`` when it cannot run here, ``Unavailable`` when it does not answer within ``wait_s`` seconds (crash
        recovery of much unwritten work can take long; it goes on).
        """
        self._make_data_dir()
        with only_one(self.data_dir / "postgresql.boot"):
            lease = self._lease or Lease(self.data_dir / "postgresql.lease")
            try:
                if probe(self.socket_dir) != "ready":
                    self._boot(time.monotonic() + wait_s)
            except BaseException:
                lease.release()
                self._lease = None
                raise
            self._lease = lease
        return self

    def release(self) -> bool:
        """Give the lease back; says whether it was the last, in which case the server was stopped."""
        if self._lease is None:
            return False
        with only_one(self.data_dir / "postgresql.boot"):
            last = self._lease.alone()
            if last:
                self._halt()
            self._lease.release()
            self._lease = None
        return last

    def stop(self) -> bool:
        """Stop the server whoever has a lease; says whether it ran."""
        if not self.cluster.exists():
            return False
        with only_one(self.data_dir / "postgresql.boot"):
            ran = probe(self.socket_dir) != "down"
            if ran:
                self._halt()
        return ran

    def process(self) -> int | None:
        """Give the number of the server's process, as the server has written it down; ``None`` where there is none."""
        return _number_in(self.cluster / "postmaster.pid")

    def was_killed(self) -> bool:
        """Say whether the server has ended without having been stopped: it takes its number with it when it is."""
        process = self.process()
        return process is not None and not self._is_our_server(process)

    def answers(self) -> bool:
        """Say whether the server takes connections now."""
        return probe(self.socket_dir) == "ready"

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Release."""
        self.release()

    def _make_data_dir(self) -> None:
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True, mode=0o755 if os.geteuid() == 0 else 0o700)
            (self.data_dir / "postgresql.boot").touch()
        except OSError as error:
            raise InvalidSetup(f"cannot write to {self.data_dir} ({error.strerror}): set RAYAPP_DATA_DIR or RAYAPP_DATABASE_URL") from error

    def _boot(self, deadline: float) -> None:
        """Start the server and wait until it answers; called by one process at a time."""
        account = account_for(self.cluster)
        if not account.reaches(self.data_dir):
            raise unreachable(self.data_dir, account)
        binaries = reachable_binaries(find_binaries(), account, self.data_dir)
        self._make_cluster(binaries, account)
        self._make_socket_dir(account)
        refused = 0
        while (state := probe(self.socket_dir)) != "ready":
            if time.monotonic() > deadline:
                raise Unavailable(f"PostgreSQL does not answer yet; its log is {self.log}")
            if state == "down" and not self._launch(binaries, account, deadline):
                refused += 1
                end_orphans(self.cluster)
            if refused > REFUSED_STARTS:
                raise InvalidSetup(f"PostgreSQL keeps stopping: {self._last_words()}; its log is {self.log}")
            time.sleep(PAUSE_S if refused or state == "busy" else 0)

    def _make_cluster(self, binaries: Path, account: Account) -> None:
        """Make the cluster unless there is one already, which must be of the same major version."""
        major = major_version(binaries)
        if self.cluster.exists():
            made_by = (self.cluster / "PG_VERSION").read_text().strip()
            if made_by != str(major):
                raise InvalidSetup(
                    f"{self.cluster} was made by PostgreSQL {made_by} and {binaries} is PostgreSQL {major}: "
                    "install the former and dump the data, or choose another RAYAPP_DATA_DIR"
                )
            return
        unfinished = self.data_dir / "postgresql.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        account.own(unfinished)
        locale = ["--locale-provider=builtin", "--locale=C.UTF-8"] if major >= BUILTIN_LOCALE_SINCE else ["--locale=C.UTF-8"]
        made = _run(binaries / "initdb", account, "-D", str(unfinished), "-U", "postgres", "-A", "trust", "-E", "UTF8", *locale)
        if made.returncode:
            raise InvalidSetup(f"initdb failed: {made.stderr.strip()}")
        unfinished.rename(self.cluster)

    def _make_socket_dir(self, account: Account) -> None:
        """Make the directory of the socket, which only the account may enter: whoever reaches the socket is let in."""
        if self.socket_dir == self.cluster:
            return
        try:
            self.socket_dir.mkdir(mode=0o700)
        except FileExistsError:
            found = self.socket_dir.lstat()
            if found.st_uid not in {os.geteuid(), account.user} or found.st_mode & 0o077 or self.socket_dir.is_symlink():
                raise InvalidSetup(f"{self.socket_dir} belongs to someone else: remove it, or choose a shorter RAYAPP_DATA_DIR") from None
        account.own(self.socket_dir)

    def _launch(self, binaries: Path, account: Account, deadline: float) -> bool:
        """Have ``pg_ctl`` start the server in the background; says whether it came up."""
        self._clear_foreign_locks()
        options = f"-k {_quoted(str(self.socket_dir))}"
        options += "".join(f" -c {name}={_quoted(value)}" for name, value in SERVER_SETTINGS.items())
        patience = str(max(1, int(deadline - time.monotonic())))
        arguments = ["-D", str(self.cluster), "-l", str(self.log), "-o", options, "-w", "-t", patience, "-s", "start"]
        return _run(binaries / "pg_ctl", account, *arguments).returncode == 0

    def _halt(self) -> None:
        """Stop the server: sessions are ended, work is written, the files are closed."""
        account = account_for(self.cluster)
        binaries = reachable_binaries(find_binaries(), account, self.data_dir)
        _run(binaries / "pg_ctl", account, "-D", str(self.cluster), "-m", "fast", "-w", "-t", str(STOP_S), "-s", "stop")

    def _clear_foreign_locks(self) -> None:
        """Remove lock files whose number now belongs to a dead process or to a program that is not this server.

        A container that restarts on a kept volume reuses small process numbers, and PostgreSQL then takes another process for
        a running server.
        """
        for lock in (self.cluster / "postmaster.pid", Path(f"{socket_path(self.socket_dir)}.lock")):
            owner = _number_in(lock)
            if owner is None or not self._is_our_server(owner):
                lock.unlink(missing_ok=True)

    def _is_our_server(self, process: int) -> bool:
        """Say whether the process is alive and a ``postgres`` of this cluster; where the system does not tell, assume so."""
        if not Path("/proc/self").exists():
            return True
        try:
            command = Path(f"/proc/{process}/cmdline").read_bytes()
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except (OSError, IndexError):
            return False
        return state != "Z" and b"postgres" in command and os.fsencode(self.cluster) in command

    def _last_words(self) -> str:
        try:
            lines = self.log.read_text(errors="replace").strip().splitlines()
        except OSError:
            return "it left no log"
        return next((line for line in reversed(lines) if "FATAL" in line or "PANIC" in line), lines[-1] if lines else "its log is empty")


def _number_in(lock: Path) -> int | None:
    """Read the number of a process on the first line of a lock file."""
    try:
        number = lock.read_text().partition("\n")[0].strip()
    except OSError:
        return None
    return int(number) if number.isdecimal() else None


def _run(program: Path, account: Account, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one of PostgreSQL's programs as the account, with a clean environment."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}
    command = [str(program), *arguments]
    return subprocess.run(
        command, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd="/", env=environment, **account.popen
    )


def _quoted(value: str) -> str:
    """Quote for the shell that ``pg_ctl`` hands its options to."""
    return "'" + value.replace("'", "'\\''") + "'"
