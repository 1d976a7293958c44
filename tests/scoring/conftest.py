"""A small pack of its own for the engine's tests, and the default pack for those that need it whole."""

from pathlib import Path

import pytest

from rayapp import Classifier, load_classifier
from rayapp.packs.compile import compile_pack

TAXONOMY = """primary,detailed,direction,merchant,description
FOOD,FOOD_COFFEE,debit,yes,Coffee.
FOOD,FOOD_GROCERIES,debit,yes,Groceries.
GEAR,GEAR_CLOTHES,debit,yes,Clothes.
FEES,FEES_BANK,debit,no,Fees of a bank.
PAY,PAY_SALARY,credit,no,Salary.
"""
MERCHANTS = """id,name,category,aliases,countries,website,match,weight
blue,Blue Bottle,FOOD_COFFEE,Blue Bottle Coffee,,bluebottle.example,,0.95
next,Next,GEAR_CLOTHES,,GB,,weak,0.95
gap,Gap,GEAR_CLOTHES,,,,,0.95
bp,BP,FOOD_GROCERIES,,,,,0.95
metro-ca,Metro,FOOD_GROCERIES,,CA,,,0.95
metro-gb,Metro,FEES_BANK,,GB,,,0.95
walmart,Walmart,FOOD_GROCERIES,Wal-Mart,,,,0.95
chase,Chase,,,,,,0.95
"""
RULES = r"""
[[rule]]
id = "coffee"
category = "FOOD_COFFEE"
patterns = ['\bCOFFEE\b', '\bBOTTLE\b']
weight = 0.7

[[rule]]
id = "salary"
category = "PAY_SALARY"
patterns = ['\bPAYROLL\b']
unless = ['\bREVERSAL\b']
weight = 0.9
priority = 60
overrides_merchant = true
when = { direction = "credit" }

[[rule]]
id = "small-fee"
category = "FEES_BANK"
patterns = ['\bFEE\b']
weight = 0.8
when = { amount = { max = "50" }, currency = ["USD"], country = ["US"], mcc = ["6010-6012"], date = { from = 2020-01-01 } }
"""
FILES = {
    "pack.toml": 'name = "small"\nversion = "1"\n',
    "taxonomy.csv": TAXONOMY,
    "mcc.csv": "first,last,detailed,weight,description\n5814,5814,FOOD_COFFEE,0.8,Coffee\n5411,5411,FOOD_GROCERIES,0.8,Food\n",
    "merchants/all.csv": MERCHANTS,
    "rules/all.toml": RULES,
    "processors.csv": "id,name,prefixes,star\nsquare,Square,SQ,needed\n",
    "phrases.csv": "phrase,kind,channel\nPURCHASE AUTHORIZED ON,noise,card\nDES,tail_colon,ach\nINC,legal,\nSTORE,generic,\n",
}


def write_pack(folder: Path, files: dict[str, str]) -> Path:
    """Write a pack directory."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    """The classifier of the small pack."""
    return Classifier(compile_pack(write_pack(tmp_path_factory.mktemp("small"), FILES)))


@pytest.fixture(scope="session")
def default() -> Classifier:
    """The classifier of the default pack."""
    return load_classifier()


@pytest.fixture(scope="session")
def cards() -> Classifier:
    """The shipped pack whose model reads amounts too."""
    return load_classifier("purchase-cards")
