"""A PostgreSQL of a benchmark's own, and ``psql`` beside it."""

import asyncio
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import asyncpg
import msgspec

from rayapp.store.database import connection, migrated
from rayapp.store.embedded import EmbeddedPostgres
from rayapp.store.postgres_binaries import find_binaries


class Loaded(NamedTuple):
    """What ``rayapp ingest`` told at its end."""

    seconds: float
    rows: int
    memory_mb: float


class Databases:
    """Databases of one server, and a folder for files that the server can read."""

    def __init__(self, server: EmbeddedPostgres, folder: Path) -> None:
        """Take what is there."""
        self.server = server
        self.folder = folder
        self.environment = {**os.environ, "RAYAPP_DATA_DIR": str(folder / "data")}

    def new(self, name: str, declared: Path | None = None) -> str:
        """Make a database with rayapp's schema; gives its address."""
        self.ask("postgres", f"CREATE DATABASE {name}")
        asyncio.run(migrated(self.server.url(name), declared))
        return self.server.url(name)

    def drop(self, name: str) -> None:
        """Remove a database."""
        self.ask("postgres", f"DROP DATABASE {name} WITH (FORCE)")

    def ask(self, name: str, question: str) -> list[asyncpg.Record]:
        """Ask a database."""

        async def answer() -> list[asyncpg.Record]:
            async with connection(self.server.url(name)) as session:
                return list(await session.fetch(question))

        return asyncio.run(answer())

    def psql(self, name: str, *commands: str) -> float:
        """Run commands with psql; gives the seconds."""
        program = find_binaries() / "psql"
        words = [str(program) if program.exists() else "psql", self.server.url(name), "-qX", "-v", "ON_ERROR_STOP=1"]
        began = time.perf_counter()
        subprocess.run([*words, *(word for command in commands for word in ("-c", command))], check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - began

    def rayapp(self, name: str, *words: str, **settings: object) -> Loaded:
        """Run a command against a database."""
        more = {f"RAYAPP_{key.upper()}": str(value) for key, value in settings.items()}
        environment = {**self.environment, "RAYAPP_DATABASE_URL": self.server.url(name), **more}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        watched = [sys.executable, "-c", WATCHED, *words]
        done = subprocess.run(watched, env=environment, capture_output=True, text=True, check=False)
        if done.returncode not in {0, 3}:
            raise RuntimeError(done.stderr)
        events = [msgspec.json.decode(line) for line in done.stderr.splitlines() if line.startswith("{")]
        last = events[-1] if events else {}
        return Loaded(last.get("seconds", 0.0), last.get("rows", 0), float(done.stdout.split()[-1]))

    def cpu_s(self) -> float:
        """Give the CPU time so far of the server's processes that ended, and of the programs that this process has run."""
        postmaster = (self.server.cluster / "postmaster.pid").read_text().split()[0]
        fields = Path(f"/proc/{postmaster}/stat").read_text().rpartition(")")[2].split()
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK") + children.ru_utime + children.ru_stime

    def settle(self) -> None:
        """Have what was written before out of the way."""
        self.ask("postgres", "CHECKPOINT")


# As an installation has it: its modules are compiled, and there is no scipy, which only tools for models need; numba imports it where it is
# there, which takes 0.3 s.
WATCHED = """
import resource, sys
sys.modules["scipy"] = None
from rayapp.cli.main import entry
code = entry()
own, others = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
print(max(own, others) / 1024)
sys.exit(code)
"""


@contextmanager
def scratch_databases() -> Iterator[Databases]:
    """Start a server for the length of the context."""
    folder = Path(tempfile.mkdtemp(prefix="rayapp-bench-", dir="/var/tmp"))
    folder.chmod(0o755)
    try:
        with EmbeddedPostgres(folder / "data") as server:
            yield Databases(server, folder)
    finally:
        shutil.rmtree(folder)
