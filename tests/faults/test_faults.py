"""A load under kills gives the table of a clean run: twenty at random, of workers, drivers, Ray's workers and PostgreSQL; and of programs.

The same with two hundred and more: ``python -m benchmarks.faults``.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
KILLS = 20


def reports(*words: str) -> list[dict[str, Any]]:
    """What was killed in each trial; an oracle has found every row, every count and every refused value as it should be."""
    done = subprocess.run([sys.executable, "-m", "benchmarks.faults", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.cluster
@pytest.mark.slow
def test_tables_ledger_and_quarantine_are_those_of_a_clean_run_after_twenty_random_kills() -> None:
    words = ["--path", "workers", "--kills", str(KILLS), "--rows", "4000", "20000", "--tier-large", "5000", "--interval", "0.8", "--seed", "7"]
    (report,) = reports(*words)
    assert report["kills"] >= KILLS
    assert report["rows"] >= 24_000
    assert report["kills of worker"]
    assert report["kills of postmaster"]
    assert report["kills of backend"]


@pytest.mark.slow
def test_two_programs_that_load_side_by_side_end_as_one_that_nobody_kills_as_a_first_load_and_otherwise() -> None:
    first, other = reports("--path", "programs", "--kills", str(KILLS // 2))
    assert (first["path"], other["path"]) == ("programs, huge", "programs, large")
    for report in (first, other):
        assert report["kills"] >= KILLS // 4
        assert report["rows"] == 60_000
