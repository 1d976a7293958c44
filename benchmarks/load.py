r"""How fast does a file become classified rows in indexed tables, beside ``\copy`` of rows that are classified already.

    python -m benchmarks.load [--rows N] [--rounds N] [--harder] [--keys-alone]

psql copies the rows that rayapp wrote, from CSV, into the same tables of another database of the same server, so that both end alike, which
is checked. rayapp reads, checks and classifies on top of that, and writes its ledger. Its time is that of plan and load, with the start of
its second process, without the start of Python and the database. Of each way the best of some rounds counts, in which they take turns.

Rows repeat as those of real card lines; ``--harder`` takes those of which a quarter have their own descriptor. The more indexes a table
has, the more a first load gains by building them at its end: ``--keys-alone`` drops all but the primary keys in all databases before.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import csv

from benchmarks._scratch_database import Databases, scratch_databases
from benchmarks.scale import measured_rows, repeating_rows

TABLES = ("transaction", "decision")
SEED = 5
LISTS = ("transaction_of_account", "decision_unsure")
"""The indexes that are no keys."""

BARE = """
name = "bare"
table = "bench.bare"
key = ["a"]
"""
BARE_COLUMNS = [("a", "integer"), ("b", "integer"), ("c", "integer"), ("d", "integer"), ("e", "instant"), ("f", "date"), ("g", "decimal")]
BARE_COLUMNS += [("h", "text"), ("i", "text"), ("j", "text"), ("k", "text"), ("l", "json")]


class Case(NamedTuple):
    """What is loaded: a file of so many rows, into tables with all of their indexes or with ``keys_alone``."""

    databases: Databases
    source: Path
    rows: int
    keys_alone: bool

    def new(self, name: str) -> None:
        """Make a database."""
        self.databases.new(name)
        if self.keys_alone:
            self.databases.ask(name, f"DROP INDEX {', '.join(f'rayapp.{index}' for index in LISTS)}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--harder", action="store_true")
    parser.add_argument("--keys-alone", action="store_true")
    arguments = parser.parse_args()
    rows = arguments.rows
    with scratch_databases() as databases:
        source = databases.folder / "bank.csv"
        made = transactions(rows, repeating_rows if arguments.harder else measured_rows)
        csv.write_csv(made, source, csv.WriteOptions(quoting_style="needed"))
        databases.rayapp("postgres", "warm")
        print(f"{rows:,} transactions, {source.stat().st_size / 1e6:,.0f} MB of CSV")
        case = Case(databases, source, rows, arguments.keys_alone)
        rounds = [one_round(case) for _ in range(arguments.rounds)]
        peer, indexed, first = (min(times) for times in zip(*rounds, strict=True))
        bare(databases, rows)
    tables = "tables with keys alone" if arguments.keys_alone else "indexed tables"
    print(f"| `\\copy` of the classified rows into the {tables} | 1.00 | {rows / peer:,.0f} |")
    print(f"| rayapp, file to {tables} (target 1.00) | {peer / indexed:.2f} | {rows / indexed:,.0f} |")
    print(f"| rayapp, first load (target 2.00) | {peer / first:.2f} | {rows / first:,.0f} |")


def one_round(case: Case) -> tuple[float, float, float]:
    """Load each way once; gives the seconds of psql, of a load into tables with a row, and of a first load."""
    first = classified(case, "ours_first", before=False)
    indexed = classified(case, "ours", before=True)
    peer = copied(case, "ours", "psql")
    for name in ("ours_first", "ours", "psql"):
        case.databases.drop(name)
    return peer, indexed, first


def transactions(rows: int, made: Callable[[int], pa.Table] = measured_rows) -> pa.Table:
    """Give rows as a bank's file has them, with ids in no order."""
    table = made(rows)
    rng = np.random.default_rng(SEED)
    ids = pa.array([f"{number:016x}" for number in rng.permutation(np.arange(rows, dtype=np.int64) * 0x9E3779B9)])
    days = np.datetime64("2025-01-01") + rng.integers(0, 365, rows)
    accounts = pa.array([f"DE{number:020}" for number in range(5000)]).take(pa.array(rng.integers(0, 5000, rows)))
    table = table.set_column(0, "id", ids).append_column("booked_at", pa.array(days)).append_column("account_id", accounts)
    return table.append_column("user_id", pa.array([f"u{number}" for number in range(3000)]).take(pa.array(rng.integers(0, 3000, rows))))


def classified(case: Case, name: str, *, before: bool) -> float:
    """Load with rayapp; ``before`` a row is there already, so that it is no first load. Gives the seconds."""
    databases, rows = case.databases, case.rows
    case.new(name)
    databases.rayapp(name, "packs", "publish", "--activate")
    if before:
        one = databases.folder / "one.csv"
        one.write_text("id,descriptor\nfirst of all,SHOP\n")
        databases.rayapp(name, "ingest", str(one), "--json")
    databases.settle()
    cpu = databases.cpu_s()
    loaded = databases.rayapp(name, "ingest", str(case.source), "--json")
    cpu = databases.cpu_s() - cpu
    assert loaded.rows == rows
    print(f"{name}: {loaded.seconds:.1f} s, {cpu / rows * 1e6:.1f} µs of CPU a row, peak of a process {loaded.memory_mb:,.0f} MB")
    return loaded.seconds


def copied(case: Case, name: str, peer: str) -> float:
    """Copy the same rows with psql into the same tables of another database; gives the seconds."""
    databases = case.databases
    files = {table: databases.folder / f"{table}.csv" for table in TABLES}
    for table, file in files.items():
        databases.psql(name, f"\\copy rayapp.{table} TO '{file}' WITH (FORMAT csv)")
    case.new(peer)
    databases.settle()
    cpu = databases.cpu_s()
    seconds = sum(databases.psql(peer, f"\\copy rayapp.{table} FROM '{file}' WITH (FORMAT csv)") for table, file in files.items())
    rows = checksum(databases, peer, "rayapp.transaction")[0]
    print(f"psql: {seconds:.1f} s, {(databases.cpu_s() - cpu) / rows * 1e6:.1f} µs of CPU a row")
    for table in TABLES:
        assert checksum(databases, name, f"rayapp.{table}") == checksum(databases, peer, f"rayapp.{table}")
    return seconds


def checksum(databases: Databases, name: str, table: str) -> tuple[int, int]:
    """Give the number of rows and a sum over all of their values."""
    (found,) = databases.ask(name, f"SELECT count(*), sum(hashtextextended(t::text, 0)::numeric) FROM {table} t")  # noqa: S608 - our own
    return found[0], int(found[1])


def bare(databases: Databases, rows: int) -> None:
    """Load 12 columns into a table without any key, and copy the same with psql."""
    declared = databases.folder / "declared"
    declared.mkdir()
    columns = [f'[[column]]\nname = "{name}"\ntype = "{kind}"\n{"needed = true" if name == "a" else ""}' for name, kind in BARE_COLUMNS]
    (declared / "bare.toml").write_text(BARE + "\n".join(columns))
    source = databases.folder / "bare.csv"
    csv.write_csv(bare_rows(rows), source, csv.WriteOptions(quoting_style="needed"))
    databases.new("bare", declared)
    databases.settle()
    databases.rayapp("bare", "ingest", str(source), "--dataset", "bare", "--json", datasets=declared)
    (ours,) = databases.ask("bare", COPYING)
    databases.ask("bare", "CREATE TABLE bench.peer AS SELECT a, b, c, d, e, f, g, h, i, j, k, l FROM bench.bare WITH NO DATA")
    databases.settle()
    peer = databases.psql("bare", f"\\copy bench.peer FROM '{source}' WITH (FORMAT csv, HEADER)")
    assert checksum(databases, "bare", BARE_ROWS) == checksum(databases, "bare", "bench.peer")
    seconds = float(ours[0])
    print("| 12 columns into a bare table | of psql's | rows/s |\n|---|---|---|")
    print(f"| psql `\\copy` | 1.00 | {rows / peer:,.0f} |")
    print(f"| rayapp, from the load's begin to its last chunk (target 1.20) | {peer / seconds:.2f} | {rows / seconds:,.0f} |")


BARE_ROWS = "(SELECT a, b, c, d, e, f, g, h, i, j, k, l FROM bench.bare)"
COPYING = """
SELECT extract(epoch FROM max(committed_at) - job.started_at)
FROM rayapp.ingest_job job JOIN rayapp.ingest_chunk ON job_seq = seq GROUP BY job.seq
"""


def bare_rows(rows: int) -> pa.Table:
    """Give rows of numbers, dates and texts."""
    rng = np.random.default_rng(SEED)
    whole = {name: pa.array(rng.integers(0, 1 << bits, rows)) for name, bits in (("b", 40), ("c", 20), ("d", 10))}
    seconds = np.datetime64("2025-01-01T00:00:00") + rng.integers(0, 31_000_000, rows)
    texts = {name: pa.array([f"{name}{number:x}" for number in rng.integers(0, 1 << bits, rows)]) for name, bits in (("h", 48), ("i", 20))}
    words = {name: pa.array(["alpha", "beta", "gamma"]).take(pa.array(rng.integers(0, 3, rows))) for name in ("j", "k")}
    details = pa.array([f'{{"n": {number}}}' for number in range(1000)]).take(pa.array(rng.integers(0, 1000, rows)))
    cents = pa.array([f"{number // 100}.{number % 100:02}" for number in rng.integers(0, 10**7, rows)])
    dates = pa.array(seconds.astype("datetime64[D]"))
    moments = pa.array([f"{moment}Z" for moment in seconds.astype(str)])
    return pa.table({"a": pa.array(rng.permutation(rows)), **whole, "e": moments, "f": dates, "g": cents, **texts, **words, "l": details})


if __name__ == "__main__":
    main()
