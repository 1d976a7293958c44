"""Gazetteers and places come from Parquet: any fitting type is taken, anything else is a fault."""

import pyarrow as pa
import pyarrow.parquet as pq

from rayapp.packs.lint import lint_pack
from rayapp.packs.reading import read_pack

ROW = {
    "id": "acme", "name": "Acme", "category": "FOOD_COFFEE", "aliases": ["Acme", "ACME CO"], "countries": ["US"], "website": "",
    "match": "", "weight": 0.9,
}  # fmt: skip
PLACE = {"name": "LONDON", "kind": "city", "country": "GB", "region": "", "population": 9_000_000, "common": False}


def gazetteer(tmp_path, rows, **columns):
    table = pa.Table.from_pylist(rows)
    for name, column in columns.items():
        table = table.set_column(table.schema.get_field_index(name), name, column)
    pq.write_table(table, tmp_path / "g.parquet")
    return (tmp_path / "g.parquet").read_bytes()


def test_dictionaries_narrow_numbers_and_nulls_become_the_plain_types(write_pack, tmp_path):
    columns = {
        "category": pa.array(["FOOD_COFFEE", None]).dictionary_encode(),
        "weight": pa.array([0.5, 1.0], pa.float32()),
        "countries": pa.array([None, ["US"]], pa.list_(pa.string())),
    }
    source = read_pack(write_pack({"gazetteer.parquet": gazetteer(tmp_path, [ROW, {**ROW, "id": "b"}], **columns)}))
    assert source.gazetteer["category"].to_pylist() == ["FOOD_COFFEE", ""]
    assert source.gazetteer["countries"].to_pylist() == [[], ["US"]]
    assert str(source.gazetteer.schema.field("weight").type) == "double"


def test_wrong_rows_are_named_by_number(write_pack, tmp_path):
    rows = [
        ROW,
        {**ROW, "id": "b", "name": "", "category": "FOOD_COFEE"},
        {**ROW, "id": "c", "match": "strong", "weight": 1.5, "countries": ["UK", "GB"]},
        {**ROW, "id": "d", "weight": float("nan")},
        {**ROW, "match": "weak", "aliases": ["A"]},
        {**ROW, "name": "Another"},
    ]
    found = [str(fault) for fault in lint_pack(write_pack({"gazetteer.parquet": gazetteer(tmp_path, rows)}))]
    assert found == [
        "gazetteer.parquet:1: countries: unknown code 'UK'",
        "gazetteer.parquet:1: unknown category 'FOOD_COFEE' (did you mean 'FOOD_COFFEE'?)",
        "gazetteer.parquet:1: rows of 'acme' differ in name, category or website",
        "gazetteer.parquet:2: name: '' is empty",
        "gazetteer.parquet:3: match: 'strong' is not known",
        "gazetteer.parquet:3: weight: '1.5' is not between 0 and 1",
        "gazetteer.parquet:4: weight: 'nan' is not between 0 and 1",
    ]


def test_missing_and_mistyped_columns_are_named(write_pack, tmp_path):
    row = {name: value for name, value in ROW.items() if name != "aliases"}
    found = [str(fault) for fault in lint_pack(write_pack({"gazetteer.parquet": gazetteer(tmp_path, [row])}))]
    assert found == ["gazetteer.parquet:1: missing column aliases"]
    found = [str(fault) for fault in lint_pack(write_pack({"gazetteer.parquet": gazetteer(tmp_path, [{**ROW, "countries": "US"}])}))]
    assert found == ["gazetteer.parquet:1: column countries holds string, and must hold list<item: string>"]


def test_places_may_lack_the_column_common_and_name_countries_that_are_no_more(write_pack, tmp_path):
    place = {name: value for name, value in PLACE.items() if name != "common"}
    pq.write_table(
        pa.Table.from_pylist([place, {**place, "name": "SERBIA AND MONTENEGRO", "kind": "country", "country": "CS"}]), tmp_path / "p"
    )
    source = read_pack(write_pack({"places.parquet": (tmp_path / "p").read_bytes()}))
    assert source.places["common"].to_pylist() == [False, False]


def test_wrong_places_are_named(write_pack, tmp_path):
    pq.write_table(pa.Table.from_pylist([{**PLACE, "kind": "town", "country": "ZZ", "population": -1}]), tmp_path / "p")
    found = [str(fault) for fault in lint_pack(write_pack({"places.parquet": (tmp_path / "p").read_bytes()}))]
    assert found == [
        "places.parquet:1: kind: 'town' is not known",
        "places.parquet:1: population: '-1' is negative",
        "places.parquet:1: country: unknown code 'ZZ'",
    ]
