"""The generated pack and rows for benchmarks at scale: 1,000 rules with conditions over everything else that the default pack ships.

Only the rules are made up, and are as many as asked for: merchants and their aliases, places, bank wording, MCC map, learned merchants and
the semantic model are those of the default pack. The same numbers give the same pack and rows.
"""

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.descriptors import make_descriptors, make_repeating, make_rules
from benchmarks.repeats import by_descriptor, repeating_descriptors
from rayapp.packs.files import DEFAULT_PACK
from rayapp.scoring.text import clean

RULES_SEED, ROWS_SEED, VALUES_SEED = 2, 1, 3
CHUNK = 100_000
UNIQUE_RATIO = 0.25
"""Distinct descriptors of a million rows that repeat less than those measured (``benchmarks/repeats.py``), drawn by Zipf's law."""

WHERE = (("USD", "US"), ("USD", "US"), ("USD", "US"), ("EUR", "DE"), ("EUR", "FR"), ("GBP", "GB"), ("GBP", "GB"), ("CAD", "CA"))


def write_pack(path: Path, rules: int) -> list[dict[str, Any]]:
    """Write a pack's sources with so many made-up rules to the directory ``path``; gives the rules, each with its detailed category."""
    shutil.copytree(DEFAULT_PACK, path, ignore=shutil.ignore_patterns("rules", "cases.csv", "*.md"))
    with (path / "taxonomy.csv").open(encoding="utf-8", newline="") as file:
        categories = [row["detailed"] for row in csv.DictReader(file)]
    rows = make_rules(rules, RULES_SEED)
    made = [{**rule, "category": categories[int(rule["category"])], "pattern": _folded(rule["pattern"])} for rule in rows]
    (path / "rules").mkdir()
    (path / "rules" / "made.toml").write_text("\n".join(_toml(rule) for rule in made), "utf-8")
    return made


def _folded(pattern: str) -> str:
    """Write a pattern as the clean view has it: accents off."""
    return "".join(char if char.isascii() else clean(char) for char in pattern)


def _toml(rule: dict[str, Any]) -> str:
    """Write one rule; JSON's strings and lists are TOML's."""
    when = ", ".join(f"{name} = {_value(value)}" for name, value in rule["when"].items())
    fields = [f"{name} = {json.dumps(rule[name])}" for name in ("id", "category")]
    return "\n".join(["[[rule]]", *fields, f"patterns = [{json.dumps(rule['pattern'])}]", f"when = {{ {when} }}", ""])


def _value(value: Any) -> str:  # noqa: ANN401 - whatever a condition holds
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {json.dumps(item)}" for name, item in value.items()) + " }"
    return json.dumps(value)


def distinct_rows(n: int) -> pa.Table:
    """Give ``n`` transactions, no two with the same descriptor."""
    found: dict[str, None] = {}
    for seed in _seeds():
        found.update(dict.fromkeys(make_descriptors(CHUNK, seed).to_pylist()))
        if len(found) >= n:
            break
    return with_values(pa.array(list(found)[:n], pa.string()))


def _seeds() -> Iterator[int]:
    seed = 100 * ROWS_SEED
    while True:
        seed += 1
        yield seed


def repeating_rows(n: int) -> pa.Table:
    """Give ``n`` transactions of which a quarter have a descriptor of their own; the codes of each row are its own."""
    return with_values(make_repeating(n, UNIQUE_RATIO, ROWS_SEED))


def measured_rows(n: int) -> pa.Table:
    """Give ``n`` transactions whose descriptors and codes repeat as those of real card lines."""
    return by_descriptor(with_values(repeating_descriptors(n, ROWS_SEED)), ("currency", "direction", "mcc", "country"), VALUES_SEED)


def with_values(descriptors: pa.Array) -> pa.Table:
    """Add ids, amounts, directions, currencies and, on half of the rows, MCC and country."""
    rng = np.random.default_rng(VALUES_SEED)
    n = len(descriptors)
    with (DEFAULT_PACK / "mcc.csv").open(encoding="utf-8", newline="") as file:
        codes = pa.array([row["first"] for row in csv.DictReader(file)])
    where = rng.integers(0, len(WHERE), n)
    half = [rng.random(n) < 0.5 for _ in range(2)]
    countries = pa.array([country for _, country in WHERE]).take(pa.array(where, mask=half[0]))
    return pa.table(
        {
            "id": pa.array([f"t{number:07}" for number in range(n)], pa.string()),
            "descriptor": descriptors,
            "amount": pa.array(np.round(np.exp(rng.normal(3.3, 1.2, n)), 2)),
            "currency": pa.array([currency for currency, _ in WHERE]).take(pa.array(where)),
            "direction": pa.array(["debit", "credit"]).take(pa.array((rng.random(n) < 0.15).astype(np.int8))),
            "mcc": codes.take(pa.array(rng.integers(0, len(codes), n), mask=half[1])),
            "country": countries,
        }
    )
