"""A load under kills: is the table what a clean run gives, however many processes are killed meanwhile.

Two ways of loading. *workers*: generated files, one after the other, with repeated ids and bad rows, are jobs of workers, small ones in the
worker, large ones on Ray; workers, the drivers of large loads, Ray's workers, PostgreSQL's server and its sessions get SIGKILL at random.
*programs*: two programs load one catalogue side by side, as a first load and otherwise (``_fault_programs``). In the end the tables, the
ledger, the quarantine and the jobs are held against an oracle in plain Python. ``python -m benchmarks.faults --kills 200``
"""

import argparse
import asyncio
import json
import os
import random
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from benchmarks._fault_killer import Killer
from benchmarks._fault_oracle import Source, compare, write_source
from benchmarks._fault_programs import run_programs
from benchmarks._fault_targets import TARGETS, Installation
from rayapp import load_classifier
from rayapp.settings import read_settings
from rayapp.store.database import connection, resolve_url, running_database
from rayapp.store.jobs import Job, JobRequest, enqueue, fetch_job

PACK = {
    "pack.toml": 'name = "faults"\nversion = "1"\n',
    "taxonomy.csv": """primary,detailed,direction,merchant,description
FOOD,FOOD_COFFEE,debit,yes,
FOOD,FOOD_GROCERIES,debit,yes,
PAY,PAY_SALARY,credit,no,
""",
    "mcc.csv": """first,last,detailed,weight,description
5814,5814,FOOD_COFFEE,0.8,
5411,5411,FOOD_GROCERIES,0.8,
6012,6012,PAY_SALARY,0.1,
""",
    "merchants/all.csv": """id,name,category,aliases,countries,website,match,weight
blue,Blue Bottle,FOOD_COFFEE,Blue Bottle Coffee,,bluebottle.example,,0.95
""",
    "processors.csv": "id,name,prefixes,star\nsquare,Square,SQ,needed\n",
}
PATIENCE_S = 600
LOOK_S = 0.1
ON_RAY_TIMES = 2.5
"""A load on Ray takes so much longer to come back to work after a kill."""


class Trial:
    """Loads under kills until there were enough of both."""

    def __init__(self, folder: Path, wanted: argparse.Namespace) -> None:
        """Prepare."""
        self.folder = folder
        self.wanted = wanted
        self.chance = random.Random(wanted.seed)
        self.environment = _environment(folder, wanted)
        self.settings = read_settings({name: value for name, value in self.environment.items() if name.startswith("RAYAPP_")})
        self.killer = Killer(TARGETS, self.chance)
        self.sources: list[Source] = []
        self.jobs: list[Job] = []

    def run(self) -> dict[str, Any]:
        """Load and kill; gives the report."""
        started = time.monotonic()
        with running_database(self.settings):
            pass  # makes the cluster, which is not under test here
        installation = Installation(self.environment, self.settings.data_dir, self.wanted.workers)
        try:
            installation.start()
            while self.killer.kills.total() < self.wanted.kills or len(self.sources) < len(self.wanted.rows):
                self._round(installation)
            with running_database(self.settings) as url:
                counts = asyncio.run(self._compared(url))
        finally:
            installation.stop()
        attempts = sum(job.attempts for job in self.jobs)
        return {
            "path": "workers", **self.killer.report(),
            "loads": len(self.jobs), "attempts": attempts, "workers started again": installation.restarts,
            **counts, "seconds": round(time.monotonic() - started, 1), "seed": self.wanted.seed,
        }  # fmt: skip

    def _round(self, installation: Installation) -> None:
        """Load one more file, killing one process after the other until it is loaded."""
        number = len(self.sources)
        rows = self.wanted.rows[number % len(self.wanted.rows)]
        width = 400 if rows >= self.settings.tier_large else 0
        source = write_source(self.folder / f"source{number}.csv", rows, self.wanted.seed * 1000 + number + 1, width)
        self.sources.append(source)
        job_id = self._asked(self._enqueue(source))
        deadline = time.monotonic() + PATIENCE_S
        share = self.wanted.kills * (number + 1) / len(self.wanted.rows)  # every load has its part of the kills
        begun = not width
        while (job := self._asked(self._look(job_id))).live:
            assert time.monotonic() < deadline, f"not loaded within {PATIENCE_S} s: {job}"
            begun = begun or bool(installation.candidates()["ray worker"])  # before there are any, nothing is at work
            if begun and self.killer.kills.total() < share:
                self.killer.kill(installation.candidates())
            self._rest(installation, self.wanted.interval * (ON_RAY_TIMES if width else 1))
        assert job.state == "partially_failed", f"{job.state}: {job.failure}"
        assert (job.rows_total, job.rows_done, job.rows_failed) == (rows, rows, len(source.bad)), str(job)
        self.jobs.append(job)
        kills = self.killer.kills
        _tell(f"load {number + 1}: {rows:,} rows, {job.attempts} attempts, {kills.total()} kills so far: {dict(kills)}")

    def _rest(self, installation: Installation, mean_s: float) -> None:
        """Wait a random while before the next kill, and start again what was killed, as `rayapp up` would."""
        until = time.monotonic() + self.chance.expovariate(1 / mean_s)
        while time.monotonic() < until:
            installation.tend()
            time.sleep(LOOK_S)

    def _asked(self, question: Any) -> Any:  # noqa: ANN401 - a coroutine factory and what it gives
        """Ask the database until it answers."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return asyncio.run(question())
            except Exception as error:
                if time.monotonic() > deadline:
                    raise SystemExit("the database is gone") from error
                time.sleep(LOOK_S)

    def _enqueue(self, source: Source) -> Any:  # noqa: ANN401 - a coroutine factory
        wanted = JobRequest(
            kind="ingest", request={"source": str(source.path)}, idempotency_key=source.path.name, created_by="faults", max_attempts=100
        )

        async def ask() -> UUID:
            async with connection(resolve_url(self.settings)) as session:
                return (await enqueue(session, wanted)).job.id

        return ask

    def _look(self, job_id: UUID) -> Any:  # noqa: ANN401 - a coroutine factory
        async def ask() -> Job:
            async with connection(resolve_url(self.settings)) as session:
                return await fetch_job(session, job_id)

        return ask

    async def _compared(self, url: str) -> dict[str, int]:
        classifier = load_classifier(self.folder / "pack")
        async with connection(url) as session:
            return await compare(session, self.sources, classifier)


def _environment(folder: Path, wanted: argparse.Namespace) -> dict[str, str]:
    for name, content in PACK.items():
        (folder / "pack" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "pack" / name).write_text(content)
    own = {
        "RAYAPP_DATA_DIR": str(folder / "data"),
        "RAYAPP_CACHE_DIR": str(folder / "cache"),
        "RAYAPP_PACK": str(folder / "pack"),
        "RAYAPP_TIER_LARGE": str(wanted.tier_large),
        "RAYAPP_TIER_MEDIUM": "1000",
        "RAYAPP_JOB_LEASE_S": "2",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        "RAY_BACKEND_LOG_LEVEL": "fatal",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RAYAPP_", "RAY_"))}
    return kept | own


def _tell(words: str) -> None:
    print(f"faults: {words}", file=sys.stderr, flush=True)


def main() -> None:
    """Run the trials and print their reports."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--path", choices=("workers", "programs"), help="one way of loading alone")
    parser.add_argument("--kills", type=int, default=200, help="how many at least of workers, and how many of programs in each tier")
    parser.add_argument("--rows", type=int, nargs="+", default=[20_000, 60_000], help="of the workers' files, in turn")
    parser.add_argument("--tier-large", type=int, default=25_000, help="rows from which a worker's file is loaded on Ray")
    parser.add_argument("--interval", type=float, default=2.0, help="mean seconds between two kills of workers, longer in loads on Ray")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="leave the directory for a look")
    wanted = parser.parse_args()
    trials: dict[str, Callable[[Path], dict[str, Any]]] = {"workers": lambda folder: Trial(folder, wanted).run()}
    for tier in ("huge", "large"):
        trials[f"programs {tier}"] = partial(run_programs, wanted=wanted, tier=tier)
    for name, trial in trials.items():
        if wanted.path is None or name.startswith(wanted.path):
            print(json.dumps(_tried(trial, keep=wanted.keep)), flush=True)


def _tried(trial: Callable[[Path], dict[str, Any]], *, keep: bool) -> dict[str, Any]:
    """Run a trial in a directory of its own."""
    folder = Path(tempfile.mkdtemp(prefix="rayapp-faults-"))
    folder.chmod(0o755)
    _tell(f"in {folder}")
    report = trial(folder)
    if not keep:
        shutil.rmtree(folder)
    return report


if __name__ == "__main__":
    main()
