"""A load under kills gives the table of a clean run: twenty at random, of workers, drivers, Ray's workers and PostgreSQL.

The same with two hundred and more: ``python -m benchmarks.faults``.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KILLS = 20


@pytest.mark.cluster
@pytest.mark.slow
def test_tables_ledger_and_quarantine_are_those_of_a_clean_run_after_twenty_random_kills() -> None:
    words = ["--kills", str(KILLS), "--rows", "4000", "20000", "--tier-large", "5000", "--interval", "0.8", "--seed", "7"]
    done = subprocess.run([sys.executable, "-m", "benchmarks.faults", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["kills"] >= KILLS
    assert report["rows"] >= 24_000
    assert report["kills of worker"]
    assert report["kills of postmaster"]
    assert report["kills of backend"]
