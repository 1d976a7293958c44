"""Measure how many transactions a second one core classifies, Arrow in, Arrow out, with score, merchant, rule ids and alias ids.

    python -m benchmarks.throughput [--rows 1000000] [--rules 1000]

The pack has 1,000 made-up rules with conditions over the shipped merchants, places, wording, MCC map and model (``benchmarks/scale.py``);
the same is measured with the default pack. Each figure is taken in a process of its own (``benchmarks/_one_process.py``), which loads the
compiled pack and classifies the rows in batches from a file, as a user would: CPU time of the process inside ``classify``, one thread,
median of three passes after one over the first batch; peak memory is that of the whole process. ``benchmarks/peers.py`` measures what else
could do the work, or a part of it.

What is measured is checked on a sample: rule ids against a loop over ``re``; tables for batches of 1, 997 and all rows; repeats
against rows one by one.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from benchmarks import peers
from benchmarks.scale import UNIQUE_RATIO, distinct_rows, measured_rows, repeating_rows, write_pack
from rayapp import Classifier, load_pack
from rayapp.scoring.evidence import MAX_RULES
from rayapp.scoring.pack import CompiledPack
from rayapp.scoring.text import clean

ROOT = Path(__file__).resolve().parent.parent
BATCH = 1 << 16
SAMPLE = 2_000
REPEATS_SAMPLE = 100_000
MEGABYTE = 1 << 20


class Run(NamedTuple):
    """One measurement: what is asked, of which rows, and the least rows a second that are wanted."""

    name: str
    rows: str
    semantic: bool
    wanted: int


RUNS = (
    Run("distinct rows, all but the semantic signal", "distinct", semantic=False, wanted=800_000),
    Run("distinct rows, semantic signal where nothing else decided", "distinct", semantic=True, wanted=200_000),
    Run("rows that repeat as measured in card lines, all signals", "measured", semantic=True, wanted=1_000_000),
    Run(f"rows that repeat less ({UNIQUE_RATIO:.0%} distinct), all signals", "repeating", semantic=True, wanted=1_000_000),
)


def main() -> None:
    """Measure, check and print."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--rules", type=int, default=1000)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="rayapp-throughput-") as folder:
        report(Path(folder), chosen.rows, chosen.rules)


def report(folder: Path, rows: int, rules: int) -> None:
    """Prepare packs and rows, check answers, measure everything and print it."""
    made = write_pack(folder / "scale", rules)
    packs = {"scale": load_pack(folder / "scale"), "default": load_pack()}
    tables = {"distinct": distinct_rows(rows), "measured": measured_rows(rows), "repeating": repeating_rows(rows)}
    check(packs["scale"], made, tables)
    for name, pack in packs.items():
        (folder / f"{name}.pack").write_bytes(pack.dump())
    for name, table in tables.items():
        _store(table, folder / f"{name}.arrow")
    print(circumstances())
    descriptors = tables["distinct"]["descriptor"][: peers.MOST_ROWS].to_pylist()
    del tables
    measured = {(name, run): _in_child(folder, name, run) for name in packs for run in RUNS}
    patterns_alone = peers.measure(made, [clean(descriptor) for descriptor in descriptors])
    whole_loop = peers.rules_and_aliases(packs["scale"], made, descriptors)
    for name, pack in packs.items():
        _print_runs(name, pack, {run: measured[name, run] for run in RUNS})
    peers.report(patterns_alone, whole_loop, measured["scale", RUNS[0]]["speed"], rules)
    print(f"load average at the end {os.getloadavg()[0]:.1f}")


# --------------------------------------------------------------------------------------------------------- measurements
def _in_child(folder: Path, name: str, run: Run) -> dict[str, float]:
    """Take one measurement in a fresh process."""
    arguments = [str(folder / f"{name}.pack"), str(folder / f"{run.rows}.arrow"), "yes" if run.semantic else "no"]
    command = [sys.executable, "-m", "benchmarks._one_process", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def _store(table: pa.Table, path: Path) -> None:
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=BATCH)


# --------------------------------------------------------------------------------------------------------------- checks
def check(pack: CompiledPack, made: list[dict[str, Any]], tables: dict[str, pa.Table]) -> None:
    """Stop where an answer is not what plain ``re`` gives, or depends on how the rows came."""
    classifier = Classifier(pack)
    sample = tables["distinct"][:SAMPLE]
    whole = classifier.classify(sample)
    for size in (1, 997):
        _same(whole, _in_parts(classifier, sample, size), f"batches of {size}")
    for name in ("measured", "repeating"):
        rows = tables[name][:REPEATS_SAMPLE]
        _same(classifier.classify(rows), _in_parts(classifier, rows, 4_000), f"{name} repeats")
    check_rules(whole, sample, made)


def _in_parts(classifier: Classifier, table: pa.Table, size: int) -> pa.Table:
    return pa.concat_tables([classifier.classify(table[first : first + size]) for first in range(0, len(table), size)])


def _same(one: pa.Table, other: pa.Table, what: str) -> None:
    if one.to_pylist() != other.to_pylist():
        sys.exit(f"{what}: answers differ")


def check_rules(answers: pa.Table, rows: pa.Table, made: list[dict[str, Any]]) -> None:
    """Compare each row's rule ids with those that a loop over ``re`` finds for the same category, first rules first."""
    compiled = [re.compile(rule["pattern"], re.IGNORECASE) for rule in made]
    for answer, row in zip(answers.to_pylist(), rows.to_pylist(), strict=True):
        view = clean(row["descriptor"])
        fired = [rule["id"] for rule, one in zip(made, compiled, strict=True) if _is_for(rule, answer, row) and one.search(view)]
        if answer["rule_ids"] != fired[:MAX_RULES]:
            sys.exit(f"rules of {row}: {answer['rule_ids']}, and `re` finds {fired}")


def _is_for(rule: dict[str, Any], answer: dict[str, Any], row: dict[str, Any]) -> bool:
    """Tell whether a made-up rule is of the answer's category and its conditions hold."""
    when = rule["when"]
    amount = when.get("amount")
    return (
        rule["category"] == answer["category_detailed"]
        and when.get("direction", row["direction"]) == row["direction"]
        and (amount is None or float(amount["min"]) <= row["amount"] <= float(amount["max"]))
        and ("mcc" not in when or row["mcc"] in when["mcc"])
    )


# -------------------------------------------------------------------------------------------------------------- printing
def circumstances() -> str:
    """Say of a measurement that begins now on what, of what and beside what else it is taken."""
    beside = f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    return f"{machine()}; {datetime.now(UTC):%Y-%m-%d}; commit {commit()}; {beside}"


def machine() -> str:
    """Name the processor and Python."""
    known = Path("/proc/cpuinfo")
    lines = known.read_text().splitlines() if known.exists() else []
    name = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    return f"{name}, Python {platform.python_version()}, numpy {np.__version__}, pyarrow {pa.__version__}"


def commit() -> str:
    """Name the commit that is measured."""
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S607
    return done.stdout.strip() or "unknown"


def _print_runs(name: str, pack: CompiledPack, runs: dict[Run, dict[str, float]]) -> None:
    counts = pack.manifest.counts
    size = sum(array.nbytes for array in pack.arrays.values()) / MEGABYTE
    print(f"\n{name} pack: {counts['rules']:,} rules, {counts['aliases']:,} aliases; {size:.0f} MB of arrays")
    print("| what | of the target | rows/s/core | least-most | rows with a semantic score | peak MB |\n|---|---|---|---|---|---|")
    for run, found in runs.items():
        spread = f"{found['least']:,.0f}-{found['most']:,.0f}"
        share = found["speed"] / run.wanted
        print(f"| {run.name} | {share:.2f} | {found['speed']:,.0f} | {spread} | {found['suggested']:.0%} | {found['memory']:.0f} |")


if __name__ == "__main__":
    main()
