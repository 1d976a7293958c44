"""What a load under kills must come to: files with repeated ids and bad rows, and their outcome by plain Python and the engine."""

import csv
import random
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import pyarrow as pa

from rayapp import Classifier

COLUMNS = ("id", "descriptor", "amount", "currency", "direction", "mcc", "account_id")
NAMES = ("SQ *BLUE BOTTLE {} OAKLAND CA", "BLUE BOTTLE COFFEE {}", "CORNER SHOP {}", "GROCERY {} BERLIN", "PAYROLL {}")
MCCS = ("5814", "5411", "6012", "")
BAD_RATIO, REPEAT_RATIO, SEVERAL_RATIO = 0.01, 0.1, 0.02
KEYS_A_ROW = 0.58
"""Of a catalogue, whose rows have their keys by chance."""
DECIDED = ("status", "merchant_name", "category_detailed", "score", "confidence", "level", "rule_ids")

# What is done to a row to make it bad: the column, and the value that no row may have.
FAULTS = (("amount", "12,5x"), ("descriptor", ""), ("direction", "sideways"), ("currency", "EURO"))


class Source(NamedTuple):
    """One file: its rows as they are written, and which of them are bad (line, column, value)."""

    path: Path
    rows: list[dict[str, str]]
    bad: list[tuple[int, str, str]]


def write_source(path: Path, rows: int, seed: int, width: int) -> Source:
    """Write a CSV; some ids come again in it, some were in earlier files, ``width`` more characters make pieces smaller in rows."""
    chance = random.Random(seed)
    made, bad = [], []
    for number in range(rows):
        number_of_id = chance.randrange(number) if number and chance.random() < REPEAT_RATIO else number
        owner = 0 if chance.random() < SEVERAL_RATIO else seed
        row = {
            "id": f"t{owner}-{number_of_id}",
            "descriptor": chance.choice(NAMES).format(chance.randrange(10_000)),
            "amount": f"{chance.randrange(1, 10**6) / 100:.2f}",
            "currency": chance.choice(("USD", "EUR")),
            "direction": chance.choice(("debit", "credit")),
            "mcc": chance.choice(MCCS),
            "account_id": f"a{number_of_id}" + "x" * width,
        }
        if chance.random() < BAD_RATIO:
            column, value = chance.choice(FAULTS)
            row[column] = value
            bad.append((number + 2, column, value))
        made.append(row)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(made)
    return Source(path, made, bad)

LISTS = {"transaction": "transaction_of_account", "decision": "decision_unsure"}
INDEXES = "SELECT array_agg(indexname ORDER BY indexname LIKE '%_pkey' DESC) FROM pg_indexes WHERE schemaname = 'rayapp' AND tablename = $1"


def expected(sources: Sequence[Source], classifier: Classifier) -> dict[str, tuple[Any, ...]]:
    """Give what the tables hold after the sources were loaded one after the other: of rows with one id the last good one."""
    last: dict[str, dict[str, str]] = {}
    for source in sources:
        lines = {line for line, _, _ in source.bad}
        for number, row in enumerate(source.rows):
            if number + 2 not in lines:
                last[row["id"]] = row
    rows = list(last.values())
    table = pa.table({name: pa.array([row[name] for row in rows], pa.string()) for name in COLUMNS})
    decided, problems = classifier.classify_rows(table)
    assert not problems, f"the oracle's own rows are bad: {problems[:3]}"
    decisions = zip(*(decided[name].to_pylist() for name in DECIDED), strict=True)
    return {row["id"]: (*_stored(row), *decision) for row, decision in zip(rows, decisions, strict=True)}


async def compare(session: asyncpg.Connection, sources: Sequence[Source], classifier: Classifier) -> dict[str, int]:
    """Hold the tables, the ledger, the quarantine and the jobs against the oracle; raises ``AssertionError`` at the first difference."""
    wanted = expected(sources, classifier)
    columns = ", ".join((*COLUMNS, *DECIDED))
    found = {row["id"]: tuple(row.values()) for row in await session.fetch(f"SELECT {columns} FROM rayapp.classified")}  # noqa: S608
    assert found.keys() == wanted.keys(), f"{len(wanted.keys() ^ found.keys())} ids differ"
    wrong = [key for key, row in wanted.items() if (*found[key][:-1], tuple(found[key][-1])) != (*row[:-1], tuple(row[-1]))]
    assert not wrong, f"{len(wrong)} rows differ: {found[wrong[0]]} instead of {wanted[wrong[0]]}"
    for table in ("transaction", "decision"):
        assert await session.fetchval(f"SELECT count(*) FROM rayapp.{table}") == len(wanted)  # noqa: S608
        assert await session.fetchval(INDEXES, table) == [f"{table}_pkey", LISTS[table]], f"an index of {table} is gone"
    return {**await _ledger(session, sources, len(wanted)), "ids": len(wanted)}


def write_catalog(path: Path, rows: int, keys: int, seed: int) -> Source:
    """Write a catalogue as CSV; keys come again, and each row has a price of its own."""
    chance = random.Random(seed)
    made = [{"variant_id": f"v{chance.randrange(keys)}", "title": "Cup", "price": f"{row}.25"} for row in range(rows)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(made[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(made)
    return Source(path, made, [])


async def compare_catalog(session: asyncpg.Connection, source: Source) -> dict[str, int]:
    """Hold a catalogue's table, its key and the ledger against the oracle: of rows with one key the last."""
    wanted = {row["variant_id"]: row["price"] for row in source.rows}
    rows = await session.fetch("SELECT variant_id, price::text FROM rayapp.catalog_snapshot")
    found = {row["variant_id"]: row["price"] for row in rows}
    assert len(found) == len(rows), "a key is there twice"
    assert found == wanted, f"{sum(found.get(key) != price for key, price in wanted.items())} prices differ"
    assert not await session.fetchval("SELECT count(*) FROM rayapp.first_load"), "the first load has no end"
    assert await session.fetchval("SELECT count(*) FROM pg_indexes WHERE tablename = 'catalog_snapshot'") == 1, "the key is gone"
    return {**await _ledger(session, [source], len(wanted)), "ids": len(wanted)}


async def _ledger(session: asyncpg.Connection, sources: Sequence[Source], stored: int) -> dict[str, int]:
    """Hold the ledger and the quarantine against the sources."""
    loads = await session.fetch(LEDGER)
    assert [load["source"] for load in loads] == [str(source.path) for source in sources]
    for load, source in zip(loads, sources, strict=True):
        assert (load["rows"], load["quarantined"]) == (len(source.rows), len(source.bad)), dict(load)
        assert load["chunks_done"] == load["chunks"], dict(load)
        assert load["finished_at"] is not None, dict(load)
        kept = [tuple(row) for row in await session.fetch(QUARANTINE, load["seq"])]
        assert kept == [(line, column, value or None) for line, column, value in source.bad], f"quarantine of {source.path} differs"
    assert sum(load["inserted"] for load in loads) == stored
    return {"rows": sum(load["rows"] for load in loads), "chunks": sum(load["chunks"] for load in loads)}


LEDGER = """
SELECT job.seq, job.source, job.chunks, job.finished_at, count(chunk.number) AS chunks_done, sum(chunk.rows) AS rows,
       sum(chunk.inserted) AS inserted, sum(chunk.quarantined) AS quarantined
FROM rayapp.ingest_job job LEFT JOIN rayapp.ingest_chunk chunk ON chunk.job_seq = job.seq
GROUP BY job.seq ORDER BY job.seq
"""
QUARANTINE = "SELECT line, column_name, nullif(value, '') FROM rayapp.quarantine WHERE job_seq = $1 ORDER BY line"


def _stored(row: dict[str, str]) -> tuple[Any, ...]:
    """Give the row as the table keeps it: exact decimals, nothing where there was nothing."""
    return tuple(Decimal(row[name]) if name == "amount" else row[name] or None for name in COLUMNS)
