"""The packs that ship: known by name, without faults, the second one without copies of what it shares with the first."""

from pathlib import Path

import pytest

from rayapp import Transaction, load_classifier, load_pack
from rayapp.errors import InvalidPack
from rayapp.packs.files import DEFAULT_PACK, SHIPPED, named_pack
from rayapp.packs.lint import lint_pack
from rayapp.settings import read_settings

CARDS = SHIPPED["purchase-cards"]


def test_a_shipped_pack_is_known_by_its_name_unless_there_is_a_directory_of_that_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert [named_pack(name) for name in (None, "default", "purchase-cards", Path("purchase-cards"))] == [DEFAULT_PACK, DEFAULT_PACK, CARDS, CARDS]
    assert read_settings({"RAYAPP_PACK": "purchase-cards"}).pack == Path("purchase-cards")
    (tmp_path / "purchase-cards").mkdir()
    assert named_pack("purchase-cards") == Path("purchase-cards")
    assert read_settings({"RAYAPP_PACK": "purchase-cards"}).pack == tmp_path / "purchase-cards"


def test_a_name_that_is_none_is_answered_with_the_names_there_are():
    with pytest.raises(InvalidPack, match="the packs with names are default, purchase-cards"):
        load_pack("purchase-card")


def test_every_shipped_pack_has_a_directory_of_its_name_and_none_is_left_out():
    found = {path.parent.name for path in DEFAULT_PACK.parent.glob("*/pack.toml")}
    assert found == set(SHIPPED)


def test_the_second_pack_shares_the_large_files_of_the_default_pack():
    assert sum(path.stat().st_size for path in CARDS.iterdir()) < 50_000


@pytest.mark.slow
def test_the_second_pack_has_no_faults():
    assert [str(fault) for fault in lint_pack(CARDS)] == []


def test_on_purchase_cards_a_brand_is_what_the_acquirer_calls_it():
    line = Transaction(id="1", descriptor="WAL-MART #3195", currency="CAD", direction="debit")
    found = {name: load_classifier(name).classify_one(line) for name in SHIPPED}
    assert {name: one.category.detailed for name, one in found.items()} == {
        "default": "GENERAL_MERCHANDISE_SUPERSTORES",
        "purchase-cards": "FOOD_AND_DRINK_GROCERIES",
    }
    assert {one.merchant.name for one in found.values()} == {"Walmart"}
