"""Files as nobody should write them: each is refused with a clear sentence, or its bad rows are named and the others read."""

import gzip
import json

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rayapp.datasets import dataset
from rayapp.errors import InvalidInput
from rayapp.settings import Settings
from rayapp.sources.options import SourceOptions
from rayapp.sources.planning import plan_source

TRANSACTIONS = dataset("transactions")
LONG = 100_000_000


def load(tmp_path, content, tier="small"):
    path = tmp_path / "file"
    path.write_bytes(content)
    sizes = {"small": (10**6,) * 3, "large": (1, 1, 10**6), "huge": (1, 1, 1)}[tier]
    chosen = Settings(data_dir=tmp_path, tier_small=sizes[0], tier_medium=sizes[1], tier_large=sizes[2])
    with plan_source(str(path), TRANSACTIONS, SourceOptions(), chosen) as (plan, reader):
        found = [rows for piece in plan.pieces for rows in reader(piece)]
    good = [row["id"] for rows in found for row in rows.table.to_pylist()]
    return plan, good, [(rows.line_of(bad.row), bad.column, bad.message) for rows in found for bad in rows.unread]


@pytest.mark.parametrize("tier", ["small", "large", "huge"])
@pytest.mark.parametrize(
    ("content", "good", "bad"),
    [
        (b'id,descriptor\n1,A\n2,"B\n3,C\n', ["1", "3"], [(3, "", "opens a quote that is not closed")]),
        (b'id,descriptor\n1,A\n2,"B\n3,C\n4,"D"\n', ["1", "3", "4"], [(3, "", "opens a quote that is not closed")]),
        (b"id,descriptor\n1,A\n2\n3,C,D\n4,E\n", ["1", "4"], [(3, "", "has 1 columns"), (4, "", "has 3 columns")]),
        ("id,descriptor\n1,É\n2,".encode() + b"M\xfcLLER\n3,C\n", ["1", "3"], [(3, "descriptor", "byte 1 is not UTF-8")]),
        ("id,descriptor\n1,É\n2,".encode() + b"M\xfcLLER,x\n3,C\n", ["1", "3"], [(3, "", "has 3 columns")]),
        (b"id,descriptor\r1,A\r2,B\r", ["1", "2"], []),
        (b'id,descriptor\r1,"A\nB"\r2\r3,C', ["1", "3"], [(4, "", "has 1 columns")]),
        (b"id,descriptor\n1,A\x00B\n2,C\n", ["1", "2"], []),
        (b"id,descriptor\n\n\n1,A\n,\n2,B\n\n", ["1", "2"], []),
        (b"id,descriptor\n", [], []),
        (b"id,descriptor", [], []),
        (b'{"id":1,"descriptor":"A"}\n{"id":2,"descriptor":\n[]\n{"id":3,"descriptor":"C"}\n', ["1", "3"], [(2, "", "truncated"), (3, "", "array")]),
        (b'{"id":1,"descriptor":"A"}\n{"id":2,"descriptor":"\xff"}\n{"id":3,"descriptor":"\xc3\x89"}\n', ["1", "3"], [(2, "", "utf-8")]),
        (b'{"id":1,"descriptor":"A","amount":"x"}\n{"id":2,"descriptor":"B","amount":[1]}\n', ["1"], [(2, "", "Expected `number`")]),
    ],
    ids=lambda value: repr(value)[:30] if isinstance(value, bytes) else "",
)
def test_bad_rows_are_named_by_line_and_their_neighbours_are_read(tmp_path, tier, content, good, bad):
    _, found, wrong = load(tmp_path, content, tier)
    assert found == good
    assert [(line, column) for line, column, _ in wrong] == [(line, column) for line, column, _ in bad]
    assert all(said.lower() in message.lower() for (_, _, message), (_, _, said) in zip(wrong, bad, strict=True))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (gzip.compress(b""), "it is empty"),
        (gzip.compress(b"id,descriptor\n1,A\n")[:-9], "breaks off"),
        (pa.Codec("zstd").compress(b"id,descriptor\n" + b"1,A\n" * 5000, asbytes=True)[:-9], "breaks off"),
        (b"id,descriptor,id\n1,A,2\n", "'id' stands twice"),
        (b"a,b\n1,2\n", "'descriptor' is missing; the source has a, b"),
        (b"\x00" * 5000, "is missing|no header"),
        (b"PK\x03\x04...", "spreadsheet or an archive"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path, content, said):
    with pytest.raises(InvalidInput, match=said):
        load(tmp_path, content)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.slow
@pytest.mark.parametrize("begin", [b'2,"', b"2,"])
def test_a_line_of_a_hundred_megabytes_is_named_and_not_held(tmp_path, begin):
    plan, good, bad = load(tmp_path, b"id,descriptor\n1,A\n" + begin + b"x" * LONG + b"\n3,C\n", "huge")
    assert good == ["1", "3"]
    assert [(line, message) for line, _, message in bad] == [(3, "is longer than 67,108,864 bytes")]
    assert plan.rows == 3


def test_a_code_page_that_shows_late_is_found(tmp_path):
    content = b"id,descriptor\n" + b"1,PLAIN\n" * 300_000 + "2,BÄCKEREI MÜLLER\n".encode("cp1252")
    path = tmp_path / "late.csv"
    path.write_bytes(content)
    with plan_source(str(path), TRANSACTIONS, SourceOptions(), Settings(data_dir=tmp_path)) as (plan, reader):
        last = list(reader(plan.pieces[-1]))[-1]
    assert plan.files[0].encoding == "cp1252"
    assert last.table["descriptor"][-1].as_py() == "BÄCKEREI MÜLLER"


VALUE = st.one_of(st.text(max_size=8), st.integers(-(10**20), 10**20), st.none())


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(st.text(max_size=12), VALUE), max_size=30), tier=st.sampled_from(["small", "large", "huge"]))
def test_any_json_lines_come_out_as_they_went_in(tmp_path_factory, rows, tier):
    folder = tmp_path_factory.mktemp("json")
    lines = [json.dumps({"id": str(place), "descriptor": text, "account_id": value}) for place, (text, value) in enumerate(rows)]
    path = folder / "file.jsonl"
    path.write_text("\n".join(['{"id":"first","descriptor":"x"}', *lines]))
    sizes = {"small": (10**6,) * 3, "large": (1, 1, 10**6), "huge": (1, 1, 1)}[tier]
    chosen = Settings(data_dir=folder, tier_small=sizes[0], tier_medium=sizes[1], tier_large=sizes[2])
    with plan_source(str(path), TRANSACTIONS, SourceOptions(), chosen) as (plan, reader):
        found = [row for piece in plan.pieces for part in reader(piece) for row in part.table.to_pylist()][1:]
    assert [row["descriptor"] for row in found] == [text for text, _ in rows]
    assert [row.get("account_id") for row in found] == [None if value is None else str(value) for _, value in rows]


def test_numbers_of_json_lines_keep_every_digit(tmp_path):
    path = tmp_path / "file.jsonl"
    path.write_text('{"id":1,"descriptor":"A","amount":12345678901234567.10}\n{"id":2,"descriptor":"B","amount":1e2}\n')
    with plan_source(str(path), TRANSACTIONS, SourceOptions(), Settings(data_dir=tmp_path)) as (plan, reader):
        (rows,) = reader(plan.pieces[0])
    assert rows.table["amount"].to_pylist() == ["12345678901234567.10", "1e2"]
