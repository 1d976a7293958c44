"""Gather the names of trades in many languages from the OpenStreetMap tagging schema: ``semantic_model/trade_words.parquet``.

    npm pack @openstreetmap/id-tagging-schema@6.19.2 && tar xzf openstreetmap-id-tagging-schema-*.tgz
    python tools/build_trade_words.py --schema package

A preset (shop=bakery) has a name and search terms in each language; its category comes from ``gazetteer/categories.csv``, where brands of
that trade are given one, and from ``semantic_model/trades.csv`` for trades without brands. The schema is under the ISC licence.
"""

import argparse
import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).resolve().parent
LANGUAGES = """en en-GB de fr es it nl pt pt-BR pl cs sv da fi no hu ro hr sl sk tr ca id ms el ru uk bg sr lt lv et vi is gl eu af
    """.split()  # noqa: SIM905 - a list of words reads better as words
SCHEMA = pa.schema(
    [("language", pa.dictionary(pa.int8(), pa.string())), ("category", pa.dictionary(pa.int16(), pa.string())), ("word", pa.string())]
)


def trades() -> dict[str, str]:
    """Give the category of each OpenStreetMap key and value (``shop/bakery``)."""
    found: dict[str, str] = {}
    with (HERE / "gazetteer" / "categories.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["category"] and "?" not in row["key"]:
                found.setdefault(row["key"].split("/", 1)[1], row["category"])
    with (HERE / "semantic_model" / "trades.csv").open(encoding="utf-8", newline="") as file:
        found.update((row["key"], row["category"]) for row in csv.DictReader(file))
    return found


def category_of(key: str, known: dict[str, str]) -> str | None:
    """Give the category of a preset, or of the nearest more general one."""
    while key:
        if key in known:
            return known[key]
        key = key.rpartition("/")[0]
    return None


def words(schema: Path, language: str, known: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    """Give language, category and word of every preset that has a category."""
    path = schema / "dist" / "translations" / f"{language}.json"
    if not path.exists():
        return
    presets = next(iter(json.loads(path.read_text("utf-8")).values()))["presets"]["presets"]
    for key, preset in presets.items():
        category = category_of(key, known)
        if category is None:
            continue
        terms = [preset.get("name", ""), *str(preset.get("terms", "")).split(","), *str(preset.get("aliases", "")).split("\n")]
        yield from ((language, category, term.strip()) for term in terms if term.strip() and "<" not in term and "{" not in term)


def main() -> None:
    """Read the arguments, write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schema", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=HERE / "semantic_model" / "trade_words.parquet")
    arguments = parser.parse_args()
    known = trades()
    rows = sorted({row for language in LANGUAGES for row in words(arguments.schema, language, known)})
    columns = dict(zip(SCHEMA.names, zip(*rows, strict=True), strict=True))
    pq.write_table(
        pa.table({name: list(column) for name, column in columns.items()}, SCHEMA), arguments.out, compression="zstd", compression_level=19
    )


if __name__ == "__main__":
    main()
