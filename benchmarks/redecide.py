"""What does one changed rule cost on stored rows: only those that it can touch decided again, beside all of them.

    python -m benchmarks.redecide [--rows 1000000]

Made-up transactions, no two descriptors alike, are loaded with the default pack. Then the pack is changed a few times, each change upon the
one before, and the rows are decided again where the difference can touch them. After each all rows are decided again and held against what
is stored: every one must be the same. The time of that, which writes nothing, is the full cost; noting the new pack with each row would
double it. The first change pays for the count of who decided what; later ones know it from the ledgers.
"""

import argparse
import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from benchmarks._scratch_database import scratch_databases
from benchmarks.descriptors import make_descriptors
from benchmarks.scale import with_values
from rayapp.data_jobs.reclassify import SESSIONS, ReclassifyRequest, reclassify
from rayapp.packs import load_pack
from rayapp.scoring.classifier import Classifier
from rayapp.scoring.pack import CompiledPack
from rayapp.settings import Settings
from rayapp.store.changesets import STEP
from rayapp.store.database import connection
from rayapp.store.packs import save_pack
from rayapp.store.stored_rows import Range, decide, read_rows

CHUNK = 100_000
MADE = 4
"""Chunks whose descriptors are made; those of further ones are the same with another word behind them."""

HEAD = 'name = "changed"\nversion = "1"\nextends = "default"\n'
MERCHANTS = "id,name,category,aliases,countries,website,match,weight\n"
CHANGES = {
    "one rule added": {
        "rules/new.toml": """[[rule]]
id = "bench.orthodontics"
category = "MEDICAL_DENTAL_CARE"
patterns = ['\\bORTHODONTICS?\\b', '\\bORTHODONTIST\\b']
weight = 0.9
priority = 70
"""
    },
    "one merchant added": {
        "merchants/new.csv": MERCHANTS + "bench-oakwood,Oakwood Montessori,GENERAL_SERVICES_EDUCATION,OAKWOOD DAYCARE,,,,0.95\n"
    },
    "one MCC moved": {"mcc.csv": "first,last,detailed,weight,description\n5999,5999,GENERAL_MERCHANDISE_SUPERSTORES,0.5,\n"},
}


def main() -> None:
    """Load rows and time each change."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    with scratch_databases() as databases:
        settings = Settings(database_url=databases.new("redecide"), data_dir=databases.folder)
        source = databases.folder / "rows.csv"
        write_rows(source, rows)
        loaded = databases.rayapp("redecide", "ingest", str(source), "--json")
        source.unlink()
        print(f"{rows:,} rows loaded in {loaded.seconds:.0f} s")
        asyncio.run(report(settings, rows, databases.folder))


def write_rows(path: Path, rows: int) -> None:
    """Write the transactions."""
    with path.open("wb") as file:
        for first, table in chunks(rows):
            csv.write_csv(table, file, csv.WriteOptions(include_header=not first))


def chunks(rows: int) -> Iterator[tuple[int, pa.Table]]:
    """Make the rows, some at a time."""
    made: list[pa.Array] = []
    for number, first in enumerate(range(0, rows, CHUNK)):
        if number < MADE:
            made.append(make_descriptors(CHUNK, number + 1))
            texts = made[-1]
        else:
            texts = pc.binary_join_element_wise(made[number % MADE], f"W{number // MADE}", " ")
        count = min(CHUNK, rows - first)
        ids = pa.array([f"{row:012d}" for row in range(first, first + count)])
        yield first, with_values(texts[:count]).set_column(0, "id", ids)


async def report(settings: Settings, rows: int, root: Path) -> None:
    """Print a row for each change."""
    url = settings.database_url or ""
    print("| change | of the full cost | touched, s | full, s | rows decided again | rows changed |\n|---|---|---|---|---|---|")
    changed: dict[str, str] = {}
    for name, files in CHANGES.items():
        changed |= files
        pack = changed_pack(root / name.replace(" ", "-"), changed)
        async with connection(url) as session:
            await save_pack(session, pack.digest, name, pack.dump())
        began = time.perf_counter()
        done = (await reclassify(settings, ReclassifyRequest(pack=pack.digest), lambda _: None, lambda: False)).progress
        touched_s = time.perf_counter() - began
        began = time.perf_counter()
        counted, otherwise = await decide_all(url, Classifier(pack))
        full_s = time.perf_counter() - began
        assert (counted, otherwise) == (rows, 0), f"deciding all {counted:,} rows again gives something else for {otherwise:,}"
        times = f"{touched_s / full_s:.3f} | {touched_s:.2f} | {full_s:.1f}"
        print(f"| {name} | {times} | {done.decided:,} | {done.changed:,} |", flush=True)


def changed_pack(folder: Path, files: dict[str, str]) -> CompiledPack:
    """Write and compile the default pack with a change."""
    for name, content in {"pack.toml": HEAD, "taxonomy.csv": "primary,detailed,direction,merchant,description\n", **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return load_pack(folder)


async def decide_all(url: str, classifier: Classifier) -> tuple[int, int]:
    """Decide every row again over as many connections as a reclassification has; gives how many there are, and how many differ."""
    async with connection(url) as session:
        blocks = await session.fetchval("SELECT pg_relation_size('rayapp.transaction') / 8192")
    left = iter(range(0, blocks, STEP))
    counts = await asyncio.gather(*(_decide_some(url, classifier, left) for _ in range(SESSIONS)))
    return sum(rows for rows, _ in counts), sum(changed for _, changed in counts)


async def _decide_some(url: str, classifier: Classifier, left: Iterator[int]) -> tuple[int, int]:
    rows, changed = 0, 0
    async with connection(url) as session:
        for first in left:
            async with session.transaction():
                stored = await read_rows(session, Range(first, first + STEP), "true")
            decided = await asyncio.to_thread(decide, classifier, stored)
            rows, changed = rows + stored.num_rows, changed + int(decided.changed.sum())
    return rows, changed


if __name__ == "__main__":
    main()
