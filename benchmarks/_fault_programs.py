"""The other way to load: two programs side by side on one source, each with a process beside it, straight into a declared dataset.

In the tier ``huge`` the table is empty and its first load drops the keys until the end; in ``large`` it does not. After each kill something
must have been loaded before the next, so that every kill hits in the middle.
"""

import argparse
import asyncio
import contextlib
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks._fault_killer import Killer
from benchmarks._fault_oracle import KEYS_A_ROW, compare_catalog, write_catalog
from benchmarks._fault_targets import backends_of, below
from rayapp.errors import Unavailable
from rayapp.launch.processes import Process, process_of
from rayapp.store.database import connection, migrated
from rayapp.store.embedded import EmbeddedPostgres

TARGETS = {"program": 4, "beside": 3, "postmaster": 2, "backend": 2}
"""What is killed, and how often in comparison."""

ROWS = 60_000
PATIENCE_S = 600
LOOK_S = 0.02
LONGEST_WAIT_S = 0.05

PROGRAM = """
import sys
import msgspec
from pathlib import Path
from rayapp.data_jobs import local_load
from rayapp.data_jobs.ingest import Surroundings, Wanted, run_load
from rayapp.datasets import dataset
from rayapp.settings import Settings
from rayapp.sources import scanning
from rayapp.sources.options import SourceOptions
from rayapp.sources.planning import plan_source

if __name__ == "__main__":
    scanning.LARGE_ROWS = 200  # many pieces of few rows, so that a kill hits one
    local_load.CORES_A_PROCESS = local_load.PIECES_A_PROCESS = 1
    url, data_dir, source, tier = sys.argv[1:]
    settings = Settings(database_url=url, data_dir=Path(data_dir))
    options = SourceOptions(tier="large", constants={"csv_upload_id": "u"})
    with plan_source(source, dataset("catalog_snapshot"), options, settings) as (plan, read):
        run_load(settings, Wanted("catalog_snapshot"), (msgspec.structs.replace(plan, tier=tier), read), Surroundings())
"""


class Programs:
    """Two programs that load the same, over a server of their own."""

    def __init__(self, server: EmbeddedPostgres, folder: Path, tier: str) -> None:
        """Start them."""
        self._server = server
        (folder / "program.py").write_text(PROGRAM)
        self._words = [sys.executable, str(folder / "program.py"), server.url(), str(folder / "data"), str(folder / "source.csv"), tier]
        self._programs = [self._started() for _ in range(2)]
        self.restarts = 0
        self.done = False

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._words, stderr=subprocess.DEVNULL)

    def tend(self) -> None:
        """Start again what was killed; ``done`` when one came to its end."""
        self._server.start()
        for place, program in enumerate(self._programs):
            if program.poll() == 0:
                self.done = True
            elif program.returncode is not None:
                self._programs[place] = self._started()
                self.restarts += 1

    def candidates(self) -> dict[str, list[Process]]:
        """Find what can be killed now."""
        programs = [program.pid for program in self._programs if program.poll() is None]
        server = self._server.process()
        found = {"program": programs, "beside": below(programs), "postmaster": [server] if server else [], "backend": backends_of(server)}
        return {name: [process for pid in pids if (process := process_of(pid)) is not None] for name, pids in found.items()}

    def chunks(self) -> tuple[int, int]:
        """Count the pieces that are loaded, and those that there are."""

        async def count() -> tuple[int, int]:
            async with connection(self._server.url()) as session:
                row = await session.fetchrow(CHUNKS)
                return row["loaded"], row["every"] or 0

        with contextlib.suppress(Unavailable):
            return asyncio.run(count())
        return 0, 0

    def stop(self) -> None:
        """End both."""
        for program in self._programs:
            program.kill()
            program.wait()


CHUNKS = "SELECT (SELECT count(*) FROM rayapp.ingest_chunk) AS loaded, (SELECT max(chunks) FROM rayapp.ingest_job) AS every"


def run_programs(folder: Path, wanted: argparse.Namespace, tier: str) -> dict[str, Any]:
    """Load a source while processes are killed; gives the report, and raises ``AssertionError`` where something came out otherwise."""
    chance = random.Random(f"{wanted.seed} {tier}")
    began = time.monotonic()
    source = write_catalog(folder / "source.csv", ROWS, round(ROWS * KEYS_A_ROW), wanted.seed)
    killer = Killer(TARGETS, chance)
    with EmbeddedPostgres(folder / "data") as server:
        asyncio.run(migrated(server.url()))
        programs = Programs(server, folder, tier)
        try:
            _disturb(programs, killer, wanted.kills, chance)
        finally:
            programs.stop()
        server.start()
        counts = asyncio.run(_compared(server.url(), source))
    facts = {"path": f"programs, {tier}", **killer.report(), "programs started again": programs.restarts, **counts}
    return {**facts, "seconds": round(time.monotonic() - began, 1), "seed": wanted.seed}


def _disturb(programs: Programs, killer: Killer, kills: int, chance: random.Random) -> None:
    seen, deadline = 0, time.monotonic() + PATIENCE_S
    while not programs.done:
        assert time.monotonic() < deadline, f"not loaded within {PATIENCE_S} s"
        loaded, every = programs.chunks()
        if killer.kills.total() < kills and seen < loaded < every:
            time.sleep(chance.uniform(0, LONGEST_WAIT_S))
            seen = loaded if killer.kill(programs.candidates()) else seen
        programs.tend()
        time.sleep(LOOK_S)


async def _compared(url: str, source: Any) -> dict[str, int]:  # noqa: ANN401 - a source of the oracle
    async with connection(url) as session:
        return await compare_catalog(session, source)
