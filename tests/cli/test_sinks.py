import csv
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rayapp.cli.sinks import FORMATS, SINKS, format_for, open_sink
from rayapp.errors import InvalidInput

TABLE = pa.table(
    {
        "id": ["1", "2"],
        "merchant_name": pa.array(["Shell, Inc", None]).dictionary_encode(),
        "score": [0.5, 0.25],
        "rule_ids": pa.array([["a.b", "c"], []], pa.list_(pa.string())),
    }
)
CSV = 'id,merchant_name,score,rule_ids\n1,"Shell, Inc",0.5,a.b|c\n2,,0.25,\n'


def written(form, tables: list[pa.Table]) -> bytes:
    file = io.BytesIO()
    sink = SINKS[form](file, TABLE.schema)
    for table in tables:
        sink.write(table)
    sink.close()
    return file.getvalue()


def test_csv_joins_lists_and_leaves_nulls_empty() -> None:
    assert written("csv", [TABLE]).decode() == CSV


def test_any_text_survives_csv() -> None:
    texts = ["plain", 'a "b"', "x,y", "line\nend", "car\rriage", "", "é;|"]
    table = pa.table({name: texts if name == "id" else TABLE[name].slice(1).take(pa.array([0] * 7)) for name in TABLE.column_names})
    read = list(csv.reader(io.StringIO(written("csv", [table]).decode(), newline="")))
    assert [row[0] for row in read] == ["id", *texts]


def test_json_lines_keep_lists_and_nulls() -> None:
    assert [json.loads(line) for line in written("jsonl", [TABLE]).splitlines()] == TABLE.to_pylist()


def test_parquet_keeps_every_value() -> None:
    assert pq.read_table(io.BytesIO(written("parquet", [TABLE, TABLE]))).to_pylist() == [*TABLE.to_pylist(), *TABLE.to_pylist()]


@pytest.mark.parametrize("form", FORMATS)
def test_blocks_follow_each_other_under_one_header(form) -> None:
    parts = [TABLE.slice(0, 1), TABLE.slice(1)]
    if form == "parquet":
        assert pq.read_table(io.BytesIO(written(form, parts))).to_pylist() == TABLE.to_pylist()
    else:
        assert written(form, parts) == written(form, [TABLE])


@pytest.mark.parametrize(
    ("out", "form"),
    [(None, "csv"), ("-", "csv"), ("a.jsonl", "jsonl"), ("a.ndjson", "jsonl"), ("A.PARQUET", "parquet"), ("a.out", "csv")],
)
def test_the_format_follows_the_file_name(out: str | None, form: str) -> None:
    assert format_for(out) == form


def test_a_file_that_is_not_finished_does_not_replace_the_one_that_is_there(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    out.write_text("former")
    with pytest.raises(RuntimeError), open_sink(str(out), "csv", TABLE.schema) as sink:  # noqa: PT012 - written before the failure
        sink.write(TABLE)
        raise RuntimeError
    assert out.read_text() == "former"
    assert list(tmp_path.iterdir()) == [out]
    with open_sink(str(out), "csv", TABLE.schema) as sink:
        sink.write(TABLE)
    assert out.read_text() == CSV


def test_a_device_is_written_to_and_not_replaced() -> None:
    with open_sink("/dev/null", "csv", TABLE.schema) as sink:
        sink.write(TABLE)
    assert Path("/dev/null").is_char_device()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot write"), open_sink(str(tmp_path / "no" / "out.csv"), "csv", TABLE.schema):
        pass
