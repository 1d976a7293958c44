"""Does a row cost the same, and a load the same memory, however many rows there are.

    python -m benchmarks.scale_load [--rows N]

First loads of 100,000 rows, ten times as many, and so on up to N.
"""

import argparse

from pyarrow import csv

from benchmarks._scratch_database import scratch_databases
from benchmarks.load import transactions

LEAST = 100_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    most = parser.parse_args().rows
    print("| rows | of the cost of a row of the first | s | µs of CPU a row | peak MB of a process |\n|---|---|---|---|---|")
    with scratch_databases() as databases:
        databases.rayapp("postgres", "warm")
        rows, first = LEAST, 0.0
        while rows <= most:
            source = databases.folder / "bank.csv"
            csv.write_csv(transactions(rows), source, csv.WriteOptions(quoting_style="needed"))
            databases.new("scale")
            databases.rayapp("scale", "packs", "publish", "--activate")
            databases.settle()
            cpu = databases.cpu_s()
            loaded = databases.rayapp("scale", "ingest", str(source), "--json")
            cost = (databases.cpu_s() - cpu) / rows * 1e6
            assert loaded.rows == rows
            first = first or cost
            print(f"| {rows:,} | {cost / first:.2f} | {loaded.seconds:.1f} | {cost:.1f} | {loaded.memory_mb:,.0f} |", flush=True)
            databases.drop("scale")
            rows *= 10


if __name__ == "__main__":
    main()
