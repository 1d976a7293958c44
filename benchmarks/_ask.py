"""The compiled client of the online benchmarks, ``ask.c``: built once in a process with the system's C compiler, and run."""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from benchmarks.descriptors import make_descriptors

SOURCE = Path(__file__).with_name("ask.c")
JSON = "Content-Type: application/json"
FRESH = "Cache-Control: no-store"
"""Has the service decide the row, whatever it remembers."""


class Asked(msgspec.Struct, frozen=True):
    """What became of the requests of one run; statuses by number, 0 for connections that broke or answers that never came."""

    seconds: float
    sent: int
    unsent: int
    """Requests that were due and that no connection was free for: the client's own limit."""

    advised: int
    """Answers with status 503 that say when to come again."""

    p50_ms: float
    p99_ms: float
    max_ms: float
    cpu_s: float
    statuses: dict[str, int]

    def count(self, status: int) -> int:
        """Count the answers with a status."""
        return self.statuses.get(str(status), 0)

    @property
    def goodput(self) -> float:
        """Good answers a second."""
        return self.count(200) / self.seconds


class Load(NamedTuple):
    """How to ask: connections, seconds (the first counts nowhere), and requests a second, 0 for as fast as they are answered."""

    connections: int
    seconds: float
    rate: float = 0.0


def ask(url: str, bodies: Path, load: Load, headers: Sequence[str] = (JSON,)) -> Asked:
    """Ask a route for some seconds, with the lines of a file as bodies in turn."""
    where = urlsplit(url)
    told = [str(word) for word in (where.hostname, where.port, where.path, bodies, load.rate, load.seconds, load.connections)]
    done = subprocess.run([program(), *told, *headers], check=True, capture_output=True)
    return msgspec.json.decode(done.stdout, type=Asked)


@cache
def program() -> Path:
    """Build the client; stops where there is no compiler."""
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        sys.exit("a C compiler is needed: apt install gcc libc6-dev")
    built = Path(folder()) / "ask"
    subprocess.run([compiler, "-O2", "-o", str(built), str(SOURCE), "-lm"], check=True)
    return built


@cache
def folder() -> str:
    """Make a folder that is gone with this process."""
    made = tempfile.mkdtemp(prefix="rayapp-ask-")
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


def rows(count: int) -> list[dict[str, str]]:
    """Make up transactions, no two alike."""
    made = make_descriptors(count, 1).to_pylist()
    same = {"amount": "4.50", "currency": "USD", "direction": "debit"}
    return [{"id": str(place), "descriptor": line, **same} for place, line in enumerate(made)]


def bodies_file(count: int) -> Path:
    """Write so many transactions, one in a line."""
    path = Path(folder()) / f"{count}.ndjson"
    path.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in rows(count)))
    return path
