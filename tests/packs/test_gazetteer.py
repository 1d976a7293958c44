"""The shipped gazetteer: whole, small, valid, and right on a table of known merchants."""

import csv
import tomllib
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import rayapp
from rayapp.packs.arrow_files import GAZETTEER, read_gazetteer
from rayapp.packs.faults import Faults
from rayapp.packs.phrase_index import token_texts
from rayapp.scoring.codes import COUNTRIES

PACK = Path(rayapp.__file__).parent / "packs" / "default"
FILE = PACK / "gazetteer.parquet"
CASES = tomllib.loads((Path(__file__).parent.parent / "cases" / "gazetteer.toml").read_text(encoding="utf-8"))


def named(case: dict[str, str]) -> str:
    return f"{case.get('name', '')} {case['alias']} {case.get('country', '')}".strip()


@pytest.fixture(scope="module")
def gazetteer() -> list[dict]:
    rows = pq.read_table(FILE).to_pylist()
    keys = iter(token_texts([alias for row in rows for alias in row["aliases"]]))
    for row in rows:
        row["keys"] = {next(keys) for _ in row["aliases"]}
    return rows


@pytest.fixture(scope="module")
def taxonomy() -> set[str]:
    with (PACK / "taxonomy.csv").open(encoding="utf-8", newline="") as file:
        return {row["detailed"] for row in csv.DictReader(file)}


def rows_of(gazetteer: list[dict], alias: str, country: str = "") -> list[dict]:
    key = token_texts([alias])[0]
    return [row for row in gazetteer if key in row["keys"] and (not country or not row["countries"] or country in row["countries"])]


def test_the_file_has_19_000_merchants_and_stays_under_5_megabytes(gazetteer):
    assert len({row["id"] for row in gazetteer}) >= 19_000
    assert FILE.stat().st_size < 5_000_000


def test_the_pack_reader_finds_no_fault():
    faults = Faults()
    table = read_gazetteer(FILE, FILE.name, faults)
    assert faults.ordered() == ()
    assert table is not None
    assert table.schema == GAZETTEER


def test_every_category_is_of_the_taxonomy(gazetteer, taxonomy):
    assert {row["category"] for row in gazetteer} - {None} <= taxonomy


def test_every_country_is_an_iso_code(gazetteer):
    assert {country for row in gazetteer for country in row["countries"]} <= COUNTRIES


def test_every_row_has_an_alias_that_the_engine_can_read(gazetteer):
    assert [row["id"] for row in gazetteer if not row["keys"] - {""}] == []


def test_rows_of_one_merchant_differ_in_nothing_but_aliases_and_match(gazetteer):
    merchants: dict[str, dict] = {}
    for row in gazetteer:
        same = {name: row[name] for name in ("name", "category", "countries", "website", "weight")}
        assert merchants.setdefault(row["id"], same) == same


def test_no_merchant_has_one_alias_in_two_kinds(gazetteer):
    seen: set[tuple[str, str]] = set()
    for row in gazetteer:
        pairs = {(row["id"], key) for key in row["keys"]}
        assert not pairs & seen
        seen |= pairs


def test_websites_are_bare_hosts(gazetteer):
    assert [row["website"] for row in gazetteer if "/" in row["website"] or row["website"].startswith("www.")] == []


@pytest.mark.parametrize("case", CASES["merchant"], ids=named)
def test_known_merchants_are_found_by_their_printed_name(gazetteer, case):
    found = [(row["name"], row["category"] or "") for row in rows_of(gazetteer, case["alias"], case["country"])]
    assert (case["name"], case["category"]) in found, case["why"]


@pytest.mark.parametrize("case", CASES["kind"], ids=named)
def test_aliases_say_as_much_as_their_words_do(gazetteer, case):
    kinds = {row["match"] for row in rows_of(gazetteer, case["alias"], case["country"])}
    assert kinds == {case["match"]}, case["why"]


@pytest.mark.parametrize("case", CASES["stranger"], ids=named)
def test_names_of_others_and_of_nothing_are_no_aliases(gazetteer, case):
    assert case["name"] not in {row["name"] for row in rows_of(gazetteer, case["alias"])}, case["why"]
