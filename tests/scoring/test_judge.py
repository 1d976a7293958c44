import math

import pytest

from rayapp import Transaction
from rayapp.packs.compile import compile_pack
from rayapp.scoring.classifier import Classifier

from .conftest import FILES, write_pack


def tx(descriptor, **values):
    return Transaction(id="1", descriptor=descriptor, **values)


def test_the_worked_example_of_the_design_adds_up(small):
    result = small.explain(tx("BLUE BOTTLE 0123", mcc="5814"))
    counted = {item.signal: item.contribution for item in result.evidence if item.counted}
    assert counted == {"merchant": 0.57, "rule": 0.14, "mcc": 0.16}
    assert result.score == 0.87
    assert (result.merchant_score, result.rule_score, result.semantic_score) == (0.57, 0.3, 0.0)


def test_what_would_pass_one_is_clipped_to_one(tmp_path):
    merchants = FILES["merchants/all.csv"].replace("bluebottle.example,,0.95", "bluebottle.example,,1.0")
    rules = FILES["rules/all.toml"].replace("weight = 0.7", "weight = 1.0")
    mcc = FILES["mcc.csv"].replace("0.8", "1.0")
    files = FILES | {"merchants/all.csv": merchants, "rules/all.toml": rules, "mcc.csv": mcc}
    files["pack.toml"] += "[weights]\nmerchant = 0.8\n"
    clipped = Classifier(compile_pack(write_pack(tmp_path, files)))
    assert clipped.classify_one(tx("BLUE BOTTLE COFFEE", mcc="5814")).score == 1.0


def test_of_several_hits_of_a_part_the_strongest_counts_unless_the_pack_adds_them_up(small, tmp_path):
    files = FILES | {"rules/all.toml": FILES["rules/all.toml"] + "\n[[rule]]\nid='c2'\ncategory='FOOD_COFFEE'\npatterns=['BOTTLE']\nweight=0.2\n"}
    strongest = Classifier(compile_pack(write_pack(tmp_path / "a", files)))
    assert strongest.classify_one(tx("A BOTTLE OF")).score == 0.14
    files["pack.toml"] = 'name = "small"\nversion = "1"\ncombine = "sum"\n'
    summed = Classifier(compile_pack(write_pack(tmp_path / "b", files)))
    assert summed.classify_one(tx("A BOTTLE OF")).score == pytest.approx(0.18)


def test_an_overriding_rule_sets_the_merchant_aside_and_keeps_its_name(small):
    result = small.explain(tx("WALMART PAYROLL", direction="credit"))
    assert result.category.detailed == "PAY_SALARY"
    assert result.merchant.id == "walmart"
    assert [item.counted for item in result.evidence if item.signal == "merchant"] == [False]


def test_unless_and_conditions_hold_a_rule_back(small):
    assert small.classify_one(tx("ACME PAYROLL", direction="debit")).category is None
    assert small.classify_one(tx("ACME PAYROLL")).category.detailed == "PAY_SALARY"
    assert small.classify_one(tx("ACME PAYROLL REVERSAL", direction="credit")).category is None


def test_a_direction_that_must_be_told_holds_a_rule_back_where_none_is(tmp_path):
    rules = FILES["rules/all.toml"].replace('{ direction = "credit" }', '{ direction = "credit", direction_told = true }')
    strict = Classifier(compile_pack(write_pack(tmp_path, {**FILES, "rules/all.toml": rules})))
    found = [strict.classify_one(tx("ACME PAYROLL", **given)).category for given in ({}, {"direction": "debit"}, {"amount": "-5", "currency": "USD"})]
    assert found == [None, None, None]
    assert strict.classify_one(tx("ACME PAYROLL", direction="credit")).category.detailed == "PAY_SALARY"


GOOD = {"amount": "49.99", "currency": "USD", "country": "US", "mcc": "6011", "booked_at": "2024-05-01"}


@pytest.mark.parametrize(
    ("change", "fires"),
    [
        ({}, True),
        ({"amount": "50"}, True),
        ({"amount": "50.01"}, False),
        ({"amount": "-10"}, True),
        ({"amount": None}, False),
        ({"currency": "EUR"}, False),
        ({"country": "CA"}, False),
        ({"country": None}, False),
        ({"mcc": "6013"}, False),
        ({"mcc": "6010"}, True),
        ({"booked_at": "2019-12-31"}, False),
        ({"booked_at": "2020-01-01T00:00:00Z"}, True),
        ({"booked_at": None}, False),
    ],
)
def test_every_condition_must_hold(small, change, fires):
    result = small.classify_one(tx("SOME FEE", **(GOOD | change)))
    assert (result.rule_ids == ("small-fee",)) is fires


@pytest.mark.parametrize(
    ("descriptor", "values", "merchant"),
    [
        ("GAP 123", {}, "gap"),
        ("SINGAPORE AIR", {}, None),
        ("BPM SERVICES", {}, None),
        ("NEXT", {}, "next"),
        ("NEXT STORE 12", {}, "next"),
        ("NEXT LEVEL FITNESS", {}, None),
        ("METRO 44", {"country": "CA"}, "metro-ca"),
        ("METRO 44", {"country": "GB"}, "metro-gb"),
        ("METRO 44", {"currency": "GBP"}, "metro-gb"),
        ("METRO 44", {"mcc": "5411"}, "metro-ca"),
        ("WALMRAT", {}, "walmart"),
        ("WALMARTT 12", {}, "walmart"),
        ("BLUEBOTTLE", {}, "blue"),
        ("BLUE BOTTLE COF", {}, "blue"),
    ],
)
def test_ambiguous_names_are_settled_by_evidence(small, descriptor, values, merchant):
    assert small.classify_one(tx(descriptor, **values)).merchant.id == merchant


def test_a_bank_is_named_but_decides_nothing(small):
    result = small.classify_one(tx("CHASE"))
    assert (result.merchant.id, result.category, result.status) == ("chase", None, "unclassified")


def test_confidence_rises_with_the_evidence(small):
    alone = small.classify_one(tx("GAP"))
    with_mcc = small.classify_one(tx("BLUE BOTTLE", mcc="5814"))
    assert 0 < alone.confidence < with_mcc.confidence <= 1
    assert math.isclose(alone.score, 0.57)
