"""The merchants that the default pack names, case by case, and the marks before aliases."""

import tomllib
from pathlib import Path

import pytest

from rayapp import Classifier, Transaction
from rayapp.packs.compile import compile_pack
from tests.scoring.conftest import FILES, write_pack

CASES = tomllib.loads((Path(__file__).parents[1] / "cases" / "merchants.toml").read_text())["case"]
GIVEN = ("country", "mcc", "amount", "currency", "direction")


@pytest.mark.parametrize("case", CASES, ids=[case["descriptor"][:40] for case in CASES])
def test_a_merchant_is_known_by_what_its_bank_prints(default, case):
    decided = default.explain(Transaction(id="1", descriptor=case["descriptor"], **{name: case[name] for name in GIVEN if name in case}))
    found = {
        "merchant": decided.merchant.id,
        "name": decided.merchant.name,
        "category": decided.category.detailed if decided.category else None,
    }
    expected = {name: case[name] for name in found if name in case}
    assert {name: found[name] for name in expected} == expected
    assert (decided.merchant.name or "").lower() != case.get("not_name", "-").lower()


@pytest.fixture(scope="module")
def marked(tmp_path_factory):
    rows = "next,Next,GEAR_CLOTHES,=Next Retail|Next Up,,,weak,\ncave,Cave House,FOOD_COFFEE,~Cave,,,,\n"
    merchants = "id,name,category,aliases,countries,website,match,weight\n" + rows
    return Classifier(compile_pack(write_pack(tmp_path_factory.mktemp("marked"), {**FILES, "merchants/all.csv": merchants})))


@pytest.mark.parametrize(
    ("descriptor", "merchant"),
    [
        ("NEXT", "next"),
        ("NEXT LEVEL FITNESS", None),
        ("NEXT UP THEATRE", None),
        ("NEXT RETAIL GROUND FLOOR", "next"),
        ("CAVE", "cave"),
        ("CAVE DIVING SCHOOL", None),
        ("CAVE HOUSE GROUND FLOOR", "cave"),
    ],
)
def test_a_mark_before_an_alias_sets_it_apart_from_its_row(marked, descriptor, merchant):
    assert marked.explain(Transaction(id="1", descriptor=descriptor)).merchant.id == merchant
