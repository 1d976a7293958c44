"""What does one changed rule cost on stored rows: only those that it can touch decided again, beside all of them.

    python -m benchmarks.redecide [--rows 500000]

Made-up transactions, no two descriptors alike, are stored with the default pack's decisions. For each of a few changes of the pack the
rows are first decided again where the difference can touch them, then taken back, then all decided again; both must give the same table.
Looking at all rows is timed without noting the new pack with each, which doubles its cost and is no part of the question.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from benchmarks.descriptors import make_descriptors
from benchmarks.scale import with_values
from rayapp.data_jobs.reclassify import ReclassifyRequest, reclassify
from rayapp.packs import load_pack
from rayapp.scoring.classifier import Classifier
from rayapp.scoring.pack import CompiledPack
from rayapp.scoring.text import clean
from rayapp.settings import Settings
from rayapp.store.binary_copy import binary_copy
from rayapp.store.changesets import SQL, STEP, stage
from rayapp.store.database import connection, running_database
from rayapp.store.packs import save_pack
from rayapp.store.staging import DECISION_COLUMNS
from rayapp.store.stored_rows import INPUTS, Range, decide, read_rows

CHUNK = 100_000
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
GIVEN = """
CREATE TEMP TABLE given
    (id text, descriptor text, clean text, amount text, currency text, direction text, mcc text, country text, booked_at text)
"""
INTO_TRANSACTIONS = """
INSERT INTO rayapp.transaction (id, descriptor, clean, amount, currency, direction, mcc, country, version)
SELECT id, descriptor, clean, amount::numeric, currency, direction, mcc, country, 0 FROM given ORDER BY id;
TRUNCATE given
"""
CHECKED = "SELECT md5(string_agg(md5(ROW({})::text), '' ORDER BY transaction_id)) FROM rayapp.decision"


def main() -> None:
    """Store rows and time each change."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=500_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory(prefix="rayapp-bench-") as folder:
        root = Path(folder)
        root.chmod(0o755)
        settings = Settings(data_dir=root / "data")
        with running_database(settings) as url:
            asyncio.run(report(settings, url, rows, root))


async def report(settings: Settings, url: str, rows: int, root: Path) -> None:
    """Print a row for each change."""
    base = load_pack()
    began = time.perf_counter()
    async with connection(url) as session:
        await store(session, Classifier(base), rows)
    print(f"{rows:,} rows stored in {time.perf_counter() - began:.0f} s")
    print("| change | of the full cost | touched, s | full, s | rows decided again | rows changed |\n|---|---|---|---|---|---|")
    for name, files in CHANGES.items():
        pack = changed_pack(root / name.replace(" ", "-"), files)
        async with connection(url) as session:
            await save_pack(session, pack.digest, name, pack.dump())
            await session.execute("CREATE TABLE kept AS TABLE rayapp.decision")
        began = time.perf_counter()
        done = await reclassify(settings, ReclassifyRequest(pack=pack.digest), lambda _: None, lambda: False)
        touched_s = time.perf_counter() - began
        async with connection(url) as session:
            incremental = await checksum(session)
            full_s, whole = await full(session, Classifier(pack))
            assert incremental == whole, "deciding all again gives something else"
            await session.execute("TRUNCATE rayapp.decision; INSERT INTO rayapp.decision TABLE kept; DROP TABLE kept")
            await session.execute("VACUUM ANALYZE rayapp.decision")
        counts = done.progress
        times = f"{touched_s / full_s:.3f} | {touched_s:.2f} | {full_s:.1f}"
        print(f"| {name} | {times} | {counts.decided:,} | {counts.changed:,} |", flush=True)


def changed_pack(folder: Path, files: dict[str, str]) -> CompiledPack:
    """Write and compile the default pack with a change."""
    for name, content in {"pack.toml": HEAD, "taxonomy.csv": "primary,detailed,direction,merchant,description\n", **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return load_pack(folder)


async def store(session: Any, classifier: Classifier, rows: int) -> None:  # noqa: ANN401 - a connection of asyncpg
    """Write rows and their decisions as a load does."""
    pack = classifier.pack
    await save_pack(session, pack.digest, pack.manifest.name, pack.dump())
    pack_id = await session.fetchval("SELECT id FROM rayapp.pack WHERE digest = $1", pack.digest)
    await session.execute(GIVEN)
    for first, table in chunks(rows):
        ids = pa.array([f"{number:012d}" for number in range(first, first + table.num_rows)])
        texts = table["descriptor"].to_pylist()
        views = [None if (view := clean(text)) == text.upper() and text.isascii() else view for text in texts]
        given = {name: table[name].cast(pa.string()) for name in INPUTS if name in table.column_names}
        staged = pa.table({**given, "id": ids, "clean": pa.array(views, pa.string())})
        await session.copy_to_table("given", source=binary_copy(staged), columns=staged.column_names, format="binary")
        await session.execute(INTO_TRANSACTIONS)
        decided = classifier.classify(staged.drop_columns(["clean"]))
        pack_ids = pa.array([pack_id] * len(ids), pa.int32())
        whole = pa.table({"transaction_id": ids, **{name: decided[name] for name in DECISION_COLUMNS}, "pack_id": pack_ids})
        content = binary_copy(whole)
        await session.copy_to_table("decision", schema_name="rayapp", source=content, columns=whole.column_names, format="binary")
    await session.execute("VACUUM ANALYZE rayapp.transaction")
    await session.execute("VACUUM ANALYZE rayapp.decision")


def chunks(rows: int) -> Iterator[tuple[int, pa.Table]]:
    """Make the rows, some at a time."""
    for first in range(0, rows, CHUNK):
        yield first, with_values(make_descriptors(min(CHUNK, rows - first), first + 1))


async def checksum(session: Any) -> str:  # noqa: ANN401 - a connection of asyncpg
    """Sum up what all decisions say, their packs and times aside."""
    return str(await session.fetchval(CHECKED.format(", ".join(DECISION_COLUMNS))))


async def full(session: Any, classifier: Classifier) -> tuple[float, str]:  # noqa: ANN401 - a connection of asyncpg
    """Decide every row again; gives the seconds, and what all decisions would then say."""
    await session.execute("TRUNCATE rayapp.decision; INSERT INTO rayapp.decision TABLE kept")
    await session.execute("VACUUM ANALYZE rayapp.decision")
    blocks = await session.fetchval("SELECT pg_relation_size('rayapp.transaction') / 8192")
    began = time.perf_counter()
    for first in range(0, blocks, STEP):
        async with session.transaction():
            decided = decide(classifier, await read_rows(session, Range(first, first + STEP), "true"))
            if decided.changed.any():
                await stage(session, decided, only_changed=True)
                await session.execute(SQL["write_changed"], await session.fetchval(SQL["pack_id"], classifier.pack.digest))
    seconds = time.perf_counter() - began
    return seconds, await checksum(session)


if __name__ == "__main__":
    main()
