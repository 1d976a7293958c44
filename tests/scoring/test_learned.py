"""Merchants learned from a book: after what people wrote of a brand, or before it where the pack says so."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rayapp import Classifier, Transaction
from rayapp.packs.compile import compile_pack
from tests.scoring.conftest import FILES, write_pack

BOOK = {"WALMART": ("GEAR_CLOTHES", 40, 1.0), "CHASE": ("FEES_BANK", 3, 0.7), "ACME PAYROLL": ("FOOD_COFFEE", 9, 1.0), "BLUE BOTTLE": ("FOOD_GROCERIES", 40, 1.0)}


@pytest.fixture(scope="module")
def packs(tmp_path_factory):
    def made(name, line):
        folder = write_pack(tmp_path_factory.mktemp(name), {**FILES, "pack.toml": FILES["pack.toml"] + line})
        columns = zip(*((core, *told) for core, told in BOOK.items()), strict=True)
        pq.write_table(pa.table(dict(zip(("core", "category", "n", "purity"), map(list, columns), strict=True))), folder / "learned.parquet")
        return Classifier(compile_pack(folder))

    return {"after": made("after", ""), "first": made("first", "learned_first = true\n")}


@pytest.mark.parametrize(
    ("descriptor", "after", "first", "name"),
    [
        ("WALMART", "FOOD_GROCERIES", "GEAR_CLOTHES", "Walmart"),
        ("WALMART 0012", "FOOD_GROCERIES", "GEAR_CLOTHES", "Walmart"),
        ("WALMART GARDEN", "FOOD_GROCERIES", "FOOD_GROCERIES", "Walmart"),
        ("CHASE", "FEES_BANK", "FEES_BANK", "Chase"),
        ("BLUE BOTTLE", "FOOD_COFFEE", "FOOD_GROCERIES", "Blue Bottle"),
    ],
)
def test_a_book_that_comes_first_says_what_a_payment_is_for_and_the_alias_who_was_paid(packs, descriptor, after, first, name):
    found = {order: pack.classify_one(Transaction(id="1", descriptor=descriptor)) for order, pack in packs.items()}
    assert {order: one.category.detailed for order, one in found.items()} == {"after": after, "first": first}
    assert found["first"].merchant.name == name


def test_a_rule_that_overrides_merchants_goes_before_the_book_too(packs):
    decided = packs["first"].explain(Transaction(id="1", descriptor="ACME PAYROLL", direction="credit"))
    assert decided.category.detailed == "PAY_SALARY"
    assert [item.why for item in decided.evidence if not item.counted] == ["merchant learned from card data; set aside by a rule"]


def test_what_the_book_sets_aside_is_told_and_adds_nothing(packs):
    decided = packs["first"].explain(Transaction(id="1", descriptor="WALMART", mcc="5411"))
    assert [(item.why, item.contribution) for item in decided.evidence if not item.counted] == [
        ("hand-written merchant; set aside by the book's own record", 0.0)
    ]
    assert decided.score == pytest.approx(sum(item.contribution for item in decided.evidence if item.category == "GEAR_CLOTHES"))


def test_what_was_learned_of_a_hand_written_merchant_does_not_win_with_the_mcc_that_it_was_learned_from(packs):
    decided = packs["after"].explain(Transaction(id="1", descriptor="BLUE BOTTLE", mcc="5411"))
    assert (decided.category.detailed, decided.merchant.name) == ("FOOD_COFFEE", "Blue Bottle")
    assert [item.why for item in decided.evidence if not item.counted] == ["merchant learned from card data; set aside by the hand-written merchant"]
    assert [(other.category.detailed, other.score) for other in decided.alternatives] == [("FOOD_GROCERIES", 0.16)]
