"""What docs/packs.md tells people is what the code does."""

import re
from pathlib import Path

import pytest

from rayapp.packs import arrow_files, check_merchants, check_patterns, check_rules, check_tables, csv_files, files, toml_rules
from rayapp.packs.lint import lint_pack
from rayapp.packs.reading import read_pack
from rayapp.packs.source import Levels, MerchantSource, RuleSource, Thresholds, Weights

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "packs.md").read_text()
EXAMPLE = ROOT / "examples" / "packs" / "corner-shop"


def test_the_worked_example_is_the_shipped_one():
    shown = dict(re.findall(r"^`([a-z/.]+)`\n\n```(?:toml|csv)\n(.*?)```$", TEXT, re.DOTALL | re.MULTILINE))
    assert shown == {name: (EXAMPLE / name).read_text() for name in files.pack_files(EXAMPLE)}


@pytest.mark.slow
def test_the_worked_example_is_sound_and_adds_to_the_default_pack():
    assert [str(fault) for fault in lint_pack(EXAMPLE)] == []
    source = read_pack(EXAMPLE)
    assert [rule.id for rule in source.rules[-2:]] == ["shop.takings.terminal", "shop.stock.cash_and_carry"]
    assert source.merchants[-1].id == "bestway-wholesale"
    assert {"SHOP_STOCK", "FOOD_AND_DRINK_GROCERIES"} <= {category.detailed for category in source.categories}
    assert [item.category for item in source.mcc if item.first <= 5141 <= item.last] == ["SHOP_STOCK"]


@pytest.mark.parametrize(
    "name",
    [
        *(field for field in RuleSource.__struct_fields__ if field != "place"),
        "learned_first",
        *toml_rules._CONDITION_KEYS,
        *toml_rules._EXAMPLE_KEYS,
        *(field for kind in (Weights, Levels, Thresholds) for field in kind.__struct_fields__),
        *(field for field in MerchantSource.__struct_fields__ if field != "place"),
        *(
            column
            for columns in (csv_files.TAXONOMY, csv_files.MCC, csv_files.PROCESSORS, csv_files.PHRASES, csv_files.CASES)
            for column in (*columns.needed, *columns.optional)
        ),
        *arrow_files.PLACES.names,
    ],
)
def test_every_key_and_column_is_told(name):
    assert f"`{name}`" in TEXT


def test_the_defaults_told_are_those_of_the_code():
    for kind in (Weights, Levels):
        assert ", ".join(f"{value:.2f}" if kind is Levels else f"{value:g}" for value in kind.__struct_defaults__) in TEXT
    assert f"| {Thresholds().decided:.2f} |" in TEXT
    assert f"| {Thresholds().unclassified:g} |" in TEXT
    assert f"| {csv_files.MERCHANT_WEIGHT:g} |" in TEXT
    assert f"| {csv_files.MCC_WEIGHT:g} |" in TEXT


def test_the_limits_told_are_those_of_the_code():
    limits = TEXT[TEXT.index("Limits: ") :]
    for number in (
        check_rules.MAX_RULES, toml_rules.MAX_PATTERNS, check_patterns.MAX_PATTERNS, toml_rules.MAX_PATTERN, check_tables.MAX_CATEGORIES,
        check_merchants.MAX_MERCHANTS, arrow_files.MAX_ROWS, files.MAX_FILES,
    ):  # fmt: skip
        assert f"{number:,} " in limits.replace("\n", " ")
    assert f"{files.MAX_FILE_BYTES // 2**20} MB in a file and {files.MAX_TOML_BYTES // 2**20} MB in a TOML file" in limits
