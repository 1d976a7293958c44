"""The shipped places: cities that may be peeled off the end of a descriptor, and those that may not."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

import rayapp
from rayapp.packs.arrow_files import read_places
from rayapp.packs.faults import Faults
from rayapp.packs.phrase_index import token_texts

FILE = Path(rayapp.__file__).parent / "packs" / "default" / "places.parquet"


@pytest.fixture(scope="module")
def places() -> list[dict]:
    return pq.read_table(FILE).to_pylist()


def of(places: list[dict], name: str, kind: str) -> list[dict]:
    return [row for row in places if row["name"] == name and row["kind"] == kind]


def test_the_file_is_small_and_knows_the_worlds_cities(places):
    assert FILE.stat().st_size < 600_000
    assert sum(row["kind"] == "city" for row in places) > 40_000


def test_the_pack_reader_finds_no_fault():
    faults = Faults()
    assert read_places(FILE, FILE.name, faults) is not None
    assert faults.ordered() == ()


def test_names_are_written_as_the_engine_reads_them(places):
    names = [row["name"] for row in places]
    assert token_texts(names) == names


def test_no_name_is_twice_in_a_country(places):
    slots = [(row["name"], row["kind"], row["country"], row["region"] if row["kind"] == "region" else "") for row in places]
    assert len(slots) == len(set(slots))


@pytest.mark.parametrize(
    ("name", "country", "region"),
    [
        ("OAKLAND", "US", "CA"),
        ("TORONTO", "CA", "ON"),
        ("MONTREAL", "CA", "QC"),
        ("SYDNEY", "AU", "NSW"),
        ("LONDON", "GB", "ENG"),
        ("GLASGOW", "GB", "SCT"),
        ("BERLIN", "DE", ""),
        ("MUENCHEN", "DE", ""),
        ("MUNCHEN", "DE", ""),
        ("KOELN", "DE", ""),
        ("WIEN", "AT", ""),
        ("ST LOUIS", "US", "MO"),
        ("SAINT LOUIS", "US", "MO"),
        ("NEW YORK", "US", "NY"),
        ("DEN HAAG", "NL", ""),
        ("MUMBAI", "IN", ""),
        ("SAO PAULO", "BR", ""),
    ],
)
def test_cities_are_known_as_they_are_printed(places, name, country, region):
    assert (country, region) in {(row["country"], row["region"]) for row in of(places, name, "city")}
    assert not any(row["common"] for row in of(places, name, "city"))


@pytest.mark.parametrize("name", ["READING", "MOBILE", "ORANGE", "BEST", "NICE", "BATH", "PHOENIX", "SALE", "LINCOLN", "GROU"])
def test_cities_that_are_words_brands_or_clipped_words_are_marked_common(places, name):
    assert of(places, name, "city")
    assert all(row["common"] for row in of(places, name, "city"))


@pytest.mark.parametrize("name", ["OF", "MALL", "MARKET", "CENTER", "STORE"])
def test_words_that_only_hamlets_bear_are_not_taken_for_cities(places, name):
    assert all(row["common"] for row in of(places, name, "city"))


@pytest.mark.parametrize(
    ("name", "country", "region"),
    [
        ("CA", "US", "CA"),
        ("CALIFORNIA", "US", "CA"),
        ("ON", "CA", "ON"),
        ("QUE", "CA", "QC"),
        ("NSW", "AU", "NSW"),
        ("MIDDLESEX", "GB", "ENG"),
    ],
)
def test_regions_are_known_by_code_and_name(places, name, country, region):
    assert (country, region) in {(row["country"], row["region"]) for row in of(places, name, "region")}


@pytest.mark.parametrize(
    ("name", "country"),
    [("DE", "DE"), ("DEU", "DE"), ("GERMANY", "DE"), ("DEUTSCHLAND", "DE"), ("ESPANA", "ES"), ("USA", "US"), ("UK", "GB"), ("NL", "NL")],
)
def test_countries_are_known_by_codes_and_names(places, name, country):
    assert country in {row["country"] for row in of(places, name, "country")}


@pytest.mark.parametrize("name", ["COM", "AND", "PER", "CO", "AG"])
def test_words_and_legal_forms_are_no_countries(places, name):
    assert of(places, name, "country") == []


@pytest.mark.parametrize("name", ["AM", "EG", "ET", "ID", "KG", "LA", "SA", "SO", "TO"])
def test_codes_that_are_words_are_countries_beside_a_city_only(places, name):
    assert [row["common"] for row in of(places, name, "country")] == [True]
