"""Are the tiers of a load right on this engine: catalogues of the usual sizes in each tier, and row by row.

    python -m benchmarks.tiers [--most ROWS]

Every way ends with the same rows, which is checked. The tier that a load chooses by itself is marked. Times are from the file to the
commit, connections with them, in a process that has loaded before, the best of several turns for each way.
"""

import argparse
import asyncio
import time
from pathlib import Path
from typing import get_args

import msgspec
from pyarrow import csv

from benchmarks._scratch_database import Databases, scratch_databases
from rayapp.data_jobs.ingest import Surroundings, Wanted, run_load
from rayapp.datasets import dataset
from rayapp.settings import Settings
from rayapp.sources.options import SourceOptions
from rayapp.sources.pieces import Tier
from rayapp.sources.planning import plan_source
from rayapp.sources.tiers import tier_of
from rayapp.store.database import connection

SIZES = (259, 2_590, 25_900, 100_000)
TURNS = 3
CATALOG = dataset("catalog_snapshot")
INSERT = """
INSERT INTO rayapp.catalog_snapshot (csv_upload_id, variant_id, product_title, price, version) VALUES ($1, $2, $3, $4::text::numeric, 1)
"""
CONTENT = "SELECT count(*), sum(hashtextextended(variant_id || product_title || price::text, 0)::numeric) FROM rayapp.catalog_snapshot"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--most", type=int, default=SIZES[-1])
    most = parser.parse_args().most
    tiers: tuple[Tier, ...] = get_args(Tier)
    print(f"| rows | row by row, s | {' | '.join(f'{tier}: faster by (s)' for tier in tiers)} |")
    print(f"|---|---|{'---|' * len(tiers)}")
    with scratch_databases() as databases:
        url = databases.new("tiers")
        settings = Settings(database_url=url, data_dir=databases.folder)
        for size in (size for size in SIZES if size <= most):
            source = catalogue(databases.folder / f"{size}.csv", size)
            slow, content = row_by_row(databases, source)
            cells = []
            for tier in tiers:
                seconds = min(loaded(databases, settings, source, tier, content) for _ in range(TURNS))
                mark = " *" if tier == tier_of(size, settings) else ""
                cells.append(f"{slow / seconds:.1f} ({seconds:.3f}){mark}")
            print(f"| {size:,} | {slow:.2f} | {' | '.join(cells)} |")


def catalogue(path: Path, rows: int) -> Path:
    """Write a catalogue."""
    path.write_text("variant_id,title,price\n" + "".join(f"v{row * 7919 % rows},Cup of kind {row},{row % 97}.50\n" for row in range(rows)))
    return path


def row_by_row(databases: Databases, source: Path) -> tuple[float, object]:
    """Read the file and insert each row by itself, in one transaction; gives the seconds and what is in the table."""

    async def insert() -> float:
        began = time.perf_counter()
        rows = csv.read_csv(source, convert_options=csv.ConvertOptions(column_types={"price": "string"})).to_pylist()
        async with connection(databases.server.url("tiers")) as session:
            async with session.transaction():
                for row in rows:
                    await session.execute(INSERT, "u", *row.values())
            return time.perf_counter() - began

    def turn() -> float:
        databases.ask("tiers", "TRUNCATE rayapp.catalog_snapshot")
        return asyncio.run(insert())

    return min(turn() for _ in range(TURNS)), databases.ask("tiers", CONTENT)


def loaded(databases: Databases, settings: Settings, source: Path, tier: Tier, content: object) -> float:
    """Load in a tier; gives the seconds."""
    databases.ask("tiers", "TRUNCATE rayapp.catalog_snapshot, rayapp.ingest_job, rayapp.ingest_chunk, rayapp.quarantine, rayapp.first_load")
    began = time.perf_counter()
    with plan_source(str(source), CATALOG, SourceOptions(tier=tier, constants={"csv_upload_id": "u"}), settings) as (plan, read):
        run_load(settings, Wanted(CATALOG.name), (msgspec.structs.replace(plan, tier=tier), read), Surroundings())
    seconds = time.perf_counter() - began
    assert databases.ask("tiers", CONTENT) == content
    return seconds


if __name__ == "__main__":
    main()
