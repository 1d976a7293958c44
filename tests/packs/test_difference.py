"""What an edit of a pack is told as: the rows that it can touch, and not everything, unless the whole pack is another."""

from collections.abc import Mapping

import pytest

from rayapp.packs.compile import compile_pack
from rayapp.packs.difference import TOLD_APART, Difference, difference
from rayapp.packs.difference_rules import moved_items
from rayapp.packs.touched import Clause, When
from rayapp.scoring.pack import CompiledPack

from .conftest import SMALL_PACK, WritePack

RULE = '[[rule]]\nid = "{}"\ncategory = "{}"\npatterns = [{}]\n'
MERCHANTS = "id,name,category,aliases,countries,website,match,weight\n"
BASE = {
    "rules/a.toml": RULE.format("coffee", "FOOD_COFFEE", r"'\bCOFFEE\b', '\bESPRESSO\b'") + RULE.format("pay", "PAY_SALARY", r"'\bPAYROLL\b'"),
    "merchants/a.csv": MERCHANTS + "blue,Blue Bottle,FOOD_COFFEE,,,,,0.95\ngap,Gap,,,,,,0.95\n",
    "phrases.csv": "phrase,kind,channel\nPURCHASE,noise,card\n",
    "processors.csv": "id,name,prefixes,star\nsquare,Square,SQ,needed\n",
}


@pytest.fixture
def apart(write_pack: WritePack) -> object:
    def compare(files: Mapping[str, str]) -> Difference:
        old = compile_pack(write_pack(BASE))
        return difference(old, compile_pack(write_pack({**BASE, **files})))

    return compare


@pytest.mark.parametrize(
    ("file", "before", "after", "clauses"),
    [
        ("rules/a.toml", r"'\bESPRESSO\b'", r"'\bLATTE\b'", [Clause(why="rule coffee, patterns", texts=(("LATTE", "ESPRESSO"),))]),
        ("rules/a.toml", r"'\bPAYROLL\b']", r"'\bPAYROLL\b']" + "\nweight = 0.9", [Clause(why="rule pay", texts=(("PAYROLL",),))]),
        (
            "rules/a.toml",
            r"'\bPAYROLL\b']",
            r"'\bPAYROLL\b']" + "\nwhen = { amount = { min = 10 } }",
            [Clause(why="rule pay, conditions", texts=(("PAYROLL",),), flips=(When(), When(least=10.0)))],
        ),
        (
            "rules/a.toml",
            r"'\bPAYROLL\b']",
            r"'\bPAYROLL\b']" + "\nunless = ['REFUND']",
            [Clause(why="rule pay, unless", texts=(("REFUND",), ("PAYROLL",)))],
        ),
        ("mcc.csv", "5411,5411,FOOD_GROCERIES,0.8", "5411,5412,FOOD_GROCERIES,0.8", [Clause(why="merchant category codes", mcc=((5412, 5412),))]),
        ("merchants/a.csv", "Blue Bottle,FOOD_COFFEE", "Blue Bottle,FOOD_GROCERIES", [
            Clause(why="name BLUE BOTTLE", words=("BOTTLE", "BLUE")), Clause(why="names like BLUEBOTTLE", nearly="BLUEBOTTLE"),
        ]),
        ("merchants/a.csv", "gap,Gap,,", "gap,Gap,,THE GAP & CO", [Clause(why="name THE GAP AND CO", words=("AND", "GAP", "THE", "CO"))]),
        ("phrases.csv", "PURCHASE,noise,card", "PURCHASE,noise,bank", []),
        ("phrases.csv", "PURCHASE,noise", "PURCHASE,tail", [Clause(why="name PURCHASE", words=("PURCHASE",))]),
        ("processors.csv", "Square,SQ", "Block,SQ", [Clause(why="name SQ", words=("SQ",))]),
        ("taxonomy.csv", "PAY,PAY_SALARY,credit,no,", "PAY,PAY_SALARY,credit,no,\nPAY,PAY_OTHER,credit,no,", []),
    ],
)  # fmt: skip
def test_an_edit_is_told_as_the_rows_that_it_can_touch(apart: object, file: str, before: str, after: str, clauses: list[Clause]) -> None:
    content = {**SMALL_PACK, **BASE}[file]
    assert before in content
    found = apart({file: content.replace(before, after)})  # type: ignore[operator]
    assert (list(found.clauses), found.everything) == (clauses, "")


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"pack.toml": 'name = "small"\nversion = "1"\n[weights]\nrule = 0.3\n'}, "weights of the whole pack"),
        ({"pack.toml": 'name = "small"\nversion = "1"\ncombine = "sum"\n'}, "adds up of the whole pack"),
        ({"taxonomy.csv": SMALL_PACK["taxonomy.csv"].replace("FOOD,FOOD_COFFEE", "DRINKS,FOOD_COFFEE")}, "the category FOOD_COFFEE"),
    ],
)
def test_what_holds_for_the_whole_pack_touches_everything(apart: object, files: dict[str, str], reason: str) -> None:
    assert apart(files).everything == reason  # type: ignore[operator]


def test_a_pack_does_not_differ_from_itself(apart: object) -> None:
    assert apart({}).nothing  # type: ignore[operator]


def test_a_table_that_nobody_knows_touches_everything(write_pack: WritePack) -> None:
    old = compile_pack(write_pack(BASE))
    new = CompiledPack(old.manifest, {**old.arrays, "rule/new": old.arrays["mcc/weight"]}, old.strings)
    new.manifest = type(old.manifest)(**{**{name: getattr(old.manifest, name) for name in old.manifest.__struct_fields__}, "digest": "new"})
    assert difference(old, new).everything == "the table rule/new"


def test_the_tables_that_are_told_apart_are_those_of_a_pack(write_pack: WritePack) -> None:
    assert set(compile_pack(write_pack(BASE)).arrays) >= TOLD_APART


@pytest.mark.parametrize(
    ("old", "new", "moved"),
    [("abc", "abc", ""), ("abc", "axbyc", ""), ("abc", "cab", "c"), ("abcd", "dcba", "abc"), ("abc", "xyz", ""), ("", "a", "")],
)
def test_items_that_changed_places_are_as_few_as_can_be(old: str, new: str, moved: str) -> None:
    found = moved_items(old, new)
    assert len(found) == len(moved)
    assert [item for item in old if item in new and item not in found] == [item for item in new if item in old and item not in found]
