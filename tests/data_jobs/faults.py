"""Loads while processes are killed at random: ``python tests/data_jobs/faults.py --kills 200`` for many.

Two programs load one source side by side into one server, each with a process beside it. All the while one of them, one of their
processes or the whole server is killed, and started again. At the end every key must be there once, with the value that the source
has last for it, and a further run must change nothing.
"""

import argparse
import asyncio
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil

from rayapp.errors import Unavailable
from rayapp.store.database import connection, migrated
from rayapp.store.embedded import EmbeddedPostgres

ROWS = 60_000
KEYS = 35_000

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
    scanning.LARGE_ROWS = 500  # many pieces of few rows, so that a kill hits one
    local_load.CORES_A_PROCESS = local_load.PIECES_A_PROCESS = 1
    url, data_dir, source, tier = sys.argv[1:]
    settings = Settings(database_url=url, data_dir=Path(data_dir))
    options = SourceOptions(tier="large", constants={"csv_upload_id": "u"})
    with plan_source(source, dataset("catalog_snapshot"), options, settings) as (plan, read):
        run_load(settings, Wanted("catalog_snapshot"), (msgspec.structs.replace(plan, tier=tier), read), Surroundings())
"""


class Outcome(NamedTuple):
    """What a run ended with.

    Kills of programs, of processes beside them and of the server, all in the middle of the load; what the table and the ledger hold.
    """

    kills: dict[str, int]
    stored: dict[str, str]
    expected: dict[str, str]
    counted: int
    first_loads: int
    keys: int


def run(kills: int, seed: int, tier: str) -> Outcome:
    """Load a made-up source with so many kills; ``huge`` begins as a first load, ``large`` does not."""
    rng = random.Random(seed)
    folder = Path(tempfile.mkdtemp(prefix="rayapp-faults-"))
    folder.chmod(0o755)
    server = EmbeddedPostgres(folder / "data")
    try:
        with server:
            asyncio.run(migrated(server.url()))
            expected = _source(folder / "source.csv", rng)
            (folder / "program.py").write_text(PROGRAM)
            killed = _disturbed(server, folder, tier, kills, rng)
            return Outcome(killed, expected=expected, **asyncio.run(_found(server.url())))
    finally:
        shutil.rmtree(folder)


def _source(path: Path, rng: random.Random) -> dict[str, str]:
    expected = {}
    with path.open("w") as file:
        file.write("variant_id,title,price\n")
        for row in range(ROWS):
            key = f"v{rng.randrange(KEYS)}"
            expected[key] = f"{row}.25"
            file.write(f"{key},Cup,{row}.25\n")
    return expected


def _disturbed(server: EmbeddedPostgres, folder: Path, tier: str, kills: int, rng: random.Random) -> dict[str, int]:
    """Keep two programs running until one of them is done; after each kill something must have been loaded before the next."""
    killed = {"program": 0, "beside": 0, "server": 0}
    words = [sys.executable, str(folder / "program.py"), server.url(), str(folder / "data"), str(folder / "source.csv"), tier]
    programs = [subprocess.Popen(words, stderr=subprocess.DEVNULL) for _ in range(2)]
    try:
        seen = 0
        while True:
            if _kills(killed) < kills and not finished(done := _chunks(server)) and done[0] > seen:
                time.sleep(rng.uniform(0, 0.15))
                killed[_kill_one(programs, server, rng)] += 1
                seen = done[0]
            for place, program in enumerate(programs):
                if program.poll() is None:
                    continue
                if program.returncode == 0:
                    return killed
                server.start()
                programs[place] = subprocess.Popen(words, stderr=subprocess.DEVNULL)
            time.sleep(0.01)
    finally:
        for program in programs:
            program.kill()
            program.wait()


def _kills(killed: dict[str, int]) -> int:
    return sum(killed.values())


def _chunks(server: EmbeddedPostgres) -> tuple[int, int]:
    """Count the pieces that are loaded, and those that there are."""

    async def count() -> tuple[int, int]:
        async with connection(server.url()) as session:
            row = await session.fetchrow("SELECT (SELECT count(*) FROM rayapp.ingest_chunk), (SELECT max(chunks) FROM rayapp.ingest_job)")
            return row[0], row[1] or 0

    with suppress(Unavailable):
        return asyncio.run(count())
    return 0, 0


def finished(done: tuple[int, int]) -> bool:
    """Say whether all pieces are loaded."""
    return 0 < done[0] == done[1]


def _kill_one(programs: list[subprocess.Popen[bytes]], server: EmbeddedPostgres, rng: random.Random) -> str:
    """Kill something that this test started; says what."""
    program = rng.choice(programs)
    with suppress(psutil.NoSuchProcess, OSError, IndexError):
        match rng.choice(["program", "program", "beside", "server"]):
            case "beside" if beside := psutil.Process(program.pid).children():
                rng.choice(beside).kill()
                return "beside"
            case "server":
                os.kill(int((server.cluster / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
                server.start()
                return "server"
    program.kill()
    program.wait()
    return "program"


async def _found(url: str) -> dict[str, object]:
    async with connection(url) as session:
        rows = await session.fetch("SELECT variant_id, price::text FROM rayapp.catalog_snapshot")
        assert len({row[0] for row in rows}) == len(rows)
        return {
            "stored": {row[0]: row[1] for row in rows},
            "counted": await session.fetchval("SELECT sum(rows) FROM rayapp.ingest_chunk"),
            "first_loads": await session.fetchval("SELECT count(*) FROM rayapp.first_load"),
            "keys": await session.fetchval("SELECT count(*) FROM pg_indexes WHERE tablename = 'catalog_snapshot'"),
        }


def main() -> None:
    """Run and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    for place, tier in enumerate(("huge", "large")):
        outcome = run(given.kills // 2, given.seed + place, tier)
        right = outcome.stored == outcome.expected and outcome.counted == ROWS and not outcome.first_loads and outcome.keys == 1
        print(f"{tier}: killed {outcome.kills}; {'every row is right' if right else 'WRONG'}")


if __name__ == "__main__":
    main()
