"""How fast a CSV is planned and read, beside pyarrow's csv reader and Python's.

    rayapp bench reading [--rows N]

Planning is one look at every byte: digest, row ends with regard to quotes, encoding, samples, columns. Reading gives the dataset's columns
with every row's place. Times are CPU time of one process, all threads of it; files are in the page cache. Each way's rows are compared.
"""

import argparse
import csv
import hashlib
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from benchmarks.descriptors import make_descriptors
from rayapp.datasets import dataset
from rayapp.settings import Settings
from rayapp.sources.options import SourceOptions
from rayapp.sources.pieces import Plan, ReadPiece
from rayapp.sources.planning import plan_source
from rayapp.sources.stream import BLOCK_BYTES

PASSES = 3
CHUNK = 100_000
MEGABYTE = 1 << 20
PYTHON_SHARE = 10
"""Python's own reader is given one part in so many, since it takes that much longer."""

TRANSACTIONS = dataset("transactions")
ARROW = "pyarrow.csv alone, one thread"


def main() -> None:
    """Print a table for each way of quoting."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        for name, quoted in (("no quotes", False), ("quoted texts", True)):
            path = Path(folder) / "rows.csv"
            write(path, rows, quoted=quoted)
            report(name, path, rows)


def write(path: Path, rows: int, *, quoted: bool) -> None:
    """Write a file of made-up transactions in our own columns."""
    style = arrow_csv.WriteOptions(quoting_style="all_valid" if quoted else "none")
    rng = np.random.default_rng(1)
    with arrow_csv.CSVWriter(path, shape(), write_options=style) as file:
        for first in range(0, rows, CHUNK):
            count = min(CHUNK, rows - first)
            texts = make_descriptors(count, first + 1).to_pylist()
            descriptors = [text.replace(" ", ", ", 1) if quoted else text.replace(",", " ").replace('"', " ") for text in texts]
            columns = [
                [f"t{number:09}" for number in range(first, first + count)],
                descriptors,
                [f"{amount:.2f}" for amount in np.exp(rng.normal(3.3, 1.2, count))],
                ["EUR"] * count,
                [f"2026-01-{day:02}" for day in rng.integers(1, 29, count)],
            ]
            file.write_table(pa.table([pa.array(column, pa.string()) for column in columns], schema=shape()))


def shape() -> pa.Schema:
    """Give the file's columns, all text."""
    return pa.schema([(name, pa.string()) for name in ("id", "descriptor", "amount", "currency", "booked_at")])


def report(name: str, path: Path, rows: int) -> None:
    """Measure one file and print its rows of the table, ratios first."""
    size = path.stat().st_size
    with plan_source(str(path), TRANSACTIONS, SourceOptions(), Settings(data_dir=path.parent)) as (plan, reader):
        found = {
            "planning": measured(lambda: planned(path), size, rows),
            "reading the pieces": measured(lambda: pieces_read(plan, reader), size, rows),
            ARROW: measured(lambda: by_arrow(path), size, rows),
            "sha256 alone, the limit of planning": measured(lambda: digested(path), size, None),
        }
    part = path.with_suffix(".part")
    with path.open("rb") as file:
        part.write_bytes(file.read(size // PYTHON_SHARE).rpartition(b"\n")[0] + b"\n")
    found["Python's csv, one part in ten"] = measured(lambda: by_python(part), part.stat().st_size, None)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\n{name}: {rows:,} rows, {size / MEGABYTE:,.0f} MB, peak memory {peak:,.0f} MB")
    print("| way | of pyarrow.csv | MB/s of CPU time |\n|---|---|---|")
    for way, speed in found.items():
        print(f"| {way} | {speed / found[ARROW]:.2f} | {speed:,.0f} |")


def measured(run: Callable[[], int | None], size: int, rows: int | None) -> float:
    """Give the median speed in MB/s of CPU time; checks the number of rows that a way found."""
    speeds = []
    for _ in range(PASSES):
        began = time.process_time()
        count = run()
        speeds.append(size / MEGABYTE / (time.process_time() - began))
        assert rows is None or count == rows, (count, rows)
    return median(speeds)


def planned(path: Path) -> int:
    """Plan a file."""
    with plan_source(str(path), TRANSACTIONS, SourceOptions(), Settings(data_dir=path.parent)) as (plan, _):
        return plan.rows


def pieces_read(plan: Plan, reader: ReadPiece) -> int:
    """Read all pieces of a plan."""
    return sum(rows.table.num_rows for piece in plan.pieces for rows in reader(piece))


def by_arrow(path: Path) -> int:
    """Read with pyarrow's streaming reader, all columns as text."""
    options = arrow_csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES)
    convert = arrow_csv.ConvertOptions(column_types=shape())
    with arrow_csv.open_csv(path, options, arrow_csv.ParseOptions(newlines_in_values=True), convert) as batches:
        return sum(batch.num_rows for batch in batches)


def by_python(path: Path) -> int:
    """Read with Python's own module."""
    with path.open(newline="", encoding="utf-8") as file:
        return sum(1 for _ in csv.reader(file)) - 1


def digested(path: Path) -> None:
    """Do nothing but what a digest takes: the limit of planning."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while part := file.read(BLOCK_BYTES):
            digest.update(part)


if __name__ == "__main__":
    main()
