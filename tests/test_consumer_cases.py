"""The labelled lines that benchmarks/consumer.py measures with are well formed."""

import csv
import tomllib
from pathlib import Path

import pytest

CASES = Path(__file__).parent / "cases"
TAXONOMY = Path(__file__).parent.parent / "rayapp" / "packs" / "default" / "taxonomy.csv"
FIELDS = {"descriptor", "direction", "amount", "currency", "market", "country", "category", "also", "merchant", "why"}
PRINTED = {"processor", "channel", "printed_city", "printed_country"}


FILES = ("consumer.toml", "us_consumer.toml", "formats.toml", "world.toml", "world_again.toml", "world_third.toml")


@pytest.mark.parametrize("file", FILES)
def test_every_labelled_line_names_known_categories_once(file: str) -> None:
    with TAXONOMY.open(encoding="utf-8", newline="") as opened:
        known = {row["detailed"] for row in csv.DictReader(opened)}
    cases = tomllib.loads((CASES / file).read_text("utf-8"))["case"]
    assert len({case["descriptor"] for case in cases}) == len(cases)
    for case in cases:
        labels = [case["category"], *case.get("also", ())]
        assert set(case) <= FIELDS | PRINTED, case
        assert set(labels) <= known, case
        assert len(set(labels)) == len(labels), case
        assert case["direction"] in {"debit", "credit"}, case
        assert case.get("country", case["market"]) == case["market"], case
