"""Does a row cost the same, and a load the same memory, however many rows there are.

    python -m benchmarks.scale_load [--rows N] [--from ROWS]

First loads of 100,000 rows, ten times as many, and so on up to N. Beside the cost of a row of each load stands that of a row more: the
difference to the load before by the rows that it has more, in which the start of the process is not. Ten million rows take some minutes,
1.2 GB for the file and 12 GB for the database.
"""

import argparse
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv

from benchmarks._scratch_database import Databases, scratch_databases
from benchmarks.load import transactions

LEAST = 100_000
CHUNK = 1_000_000
ODD = 0x9E3779B97F4A7C15
"""Times any odd number, 64-bit numbers change their order and none comes twice."""

ID_LETTERS = 16


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--from", type=int, default=LEAST, dest="least")
    arguments = parser.parse_args()
    chunk = transactions(min(CHUNK, arguments.rows))
    print("| rows | s | µs of CPU a row | of a row more | peak MB of a process | MB of CSV |\n|---|---|---|---|---|---|")
    with scratch_databases() as databases:
        databases.rayapp("postgres", "warm")
        rows, before = arguments.least, (0, 0.0)
        while rows <= arguments.rows:
            before = step(databases, chunk, rows, before)
            rows *= 10


def step(databases: Databases, chunk: pa.Table, rows: int, before: tuple[int, float]) -> tuple[int, float]:
    """Load so many rows into a new database and print the line; gives the rows and the seconds of CPU, for the next."""
    source = write(databases.folder / "bank.csv", chunk, rows)
    databases.new("scale")
    databases.rayapp("scale", "packs", "publish", "--activate")
    databases.settle()
    cpu = databases.cpu_s()
    loaded = databases.rayapp("scale", "ingest", str(source), "--json")
    cpu = databases.cpu_s() - cpu
    assert loaded.rows == rows
    assert databases.ask("scale", "SELECT count(*) FROM rayapp.decision JOIN rayapp.transaction ON id = transaction_id")[0][0] == rows
    more = (cpu - before[1]) / (rows - before[0]) * 1e6
    megabytes = source.stat().st_size / 1e6
    print(
        f"| {rows:,} | {loaded.seconds:.1f} | {cpu / rows * 1e6:.1f} | {more:.1f} | {loaded.memory_mb:,.0f} | {megabytes:,.0f} |",
        flush=True,
    )
    databases.drop("scale")
    source.unlink()
    return rows, cpu


def write(path: Path, chunk: pa.Table, rows: int) -> Path:
    """Write so many rows, a chunk at a time, each row with an id of its own."""
    with path.open("wb") as file:
        for first in range(0, rows, chunk.num_rows):
            part = chunk.slice(0, min(chunk.num_rows, rows - first))
            options = csv.WriteOptions(include_header=first == 0, quoting_style="needed")
            csv.write_csv(part.set_column(0, "id", ids(first, part.num_rows)), file, options)
    return path


def ids(first: int, count: int) -> pa.Array:
    """Give ids of 16 hexadecimal digits, in no order."""
    numbers = np.arange(first, first + count, dtype=np.uint64) * np.uint64(ODD)
    letters = pa.py_buffer(numbers.astype(">u8").tobytes().hex().encode())
    ends = pa.py_buffer(np.arange(0, ID_LETTERS * count + 1, ID_LETTERS, dtype=np.int32))
    return pa.Array.from_buffers(pa.string(), count, [None, ends, letters])


if __name__ == "__main__":
    main()
