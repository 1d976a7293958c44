"""Measure how long one transaction takes through the library, and how long it takes to be ready for the first one.

    python -m benchmarks.latency [--calls 20000]

One transaction: wall time of each of 20,000 calls on distinct descriptors with the default pack, apart for rows that something else than
the semantic signal decided and rows that it was asked about. Getting ready: wall time in fresh processes, kernels and pack compiled before,
median of five. Each answer is compared with the one that a table of the same rows gives.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles

from benchmarks.scale import distinct_rows
from benchmarks.throughput import circumstances
from rayapp import Transaction, load_classifier
from rayapp.scoring.transaction import Classification

ROOT = Path(__file__).resolve().parent.parent
STARTS = 5
EXPLAINED = 2_000
WANTED = 100.0
"""Microseconds."""

START = {
    "import rayapp, load the default pack": "from rayapp import load_classifier; load_classifier()",
    "the same, and classify one transaction": (
        "from rayapp import load_classifier, Transaction;"
        "load_classifier().classify_one(Transaction(id='1', descriptor='TESCO STORES 3217'))"
    ),
    "`rayapp explain`": "from rayapp.cli.main import main; main(['explain', 'TESCO STORES 3217'])",
}


def main() -> None:
    """Measure, check and print."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--calls", type=int, default=20_000)
    table = distinct_rows(options.parse_args().calls)
    rows = [Transaction(**{name: _text(value) for name, value in row.items()}) for row in table.to_pylist()]
    classifier = load_classifier()
    answers = classifier.classify(table)
    asked = [score > 0 for score in answers["semantic_score"].to_pylist()]
    times, given = _timed(classifier.classify_one, rows)
    _check(given, answers.to_pylist())
    explained, _ = _timed(classifier.explain, rows[:EXPLAINED])
    print(circumstances())
    print(f"| one transaction | median of {WANTED:.0f} µs | median µs | p99 µs | calls |\n|---|---|---|---|---|")
    _print("classify_one, semantic signal not asked", [time for time, was in zip(times, asked, strict=True) if not was])
    _print("classify_one, semantic signal asked", [time for time, was in zip(times, asked, strict=True) if was])
    _print("explain", explained)
    print(f"\n| fresh process | median of {STARTS}, s |\n|---|---|")
    for name, code in START.items():
        print(f"| {name} | {median(_started(code) for _ in range(STARTS)):.2f} |")


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _timed(call: Callable[[Transaction], Classification], rows: list[Transaction]) -> tuple[list[float], list[Classification]]:
    """Give the microseconds of each call, and the answers; the first calls are made twice, the first time for nothing."""
    for row in rows[:100]:
        call(row)
    times, answers = [], []
    for row in rows:
        began = time.perf_counter_ns()
        answer = call(row)
        times.append((time.perf_counter_ns() - began) / 1000)
        answers.append(answer)
    return times, answers


def _check(given: list[Classification], wanted: list[dict[str, object]]) -> None:
    """Stop where a single answer is not that of the table."""
    for one, row in zip(given, wanted, strict=True):
        detailed = one.category.detailed if one.category else None
        if (one.id, detailed, list(one.rule_ids)) != (row["id"], row["category_detailed"], row["rule_ids"]):
            sys.exit(f"one by one {one}, in a table {row}")


def _started(code: str) -> float:
    """Give the wall seconds of a fresh process."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def _print(name: str, times: list[float]) -> None:
    if len(times) > 1:
        print(f"| {name} | {median(times) / WANTED:.2f} | {median(times):.0f} | {quantiles(times, n=100)[-1]:.0f} | {len(times):,} |")


if __name__ == "__main__":
    main()
