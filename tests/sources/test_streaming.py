"""Reading files and pipes: the same rows whatever the format, the compression and the size of the reads."""

import csv
import gzip
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rayapp.datasets import dataset
from rayapp.errors import InvalidInput
from rayapp.sources.blocks import Block
from rayapp.sources.options import SourceOptions
from rayapp.sources.stream import Stream
from rayapp.sources.streaming import open_source, read_blocks

TRANSACTIONS = dataset("transactions")


def blocks_of(content: bytes, *, at_once: int = 1 << 20, encoding: str | None = None) -> list[Block]:
    source = io.BytesIO(content)
    return list(read_blocks(Stream(lambda size: source.read(min(size, at_once))), TRANSACTIONS, SourceOptions(encoding=encoding)))


def rows_of(blocks: list[Block]) -> list[dict[str, object]]:
    rows = [row for block in blocks for row in block.table.to_pylist()]
    return [{name: value.decode() if isinstance(value, bytes) else value for name, value in row.items()} for row in rows]


def places_of(blocks: list[Block]) -> list[int]:
    return [place for block in blocks for place in block.places]


def unread_of(blocks: list[Block]) -> list[tuple[int, str]]:
    return [(bad.row, bad.message) for block in blocks for bad in block.unread]


ROWS = [{"id": "1", "descriptor": "SHELL OIL, 5742", "amount": "4.50"}, {"id": "2", "descriptor": 'JOE"S "BAR"', "amount": None}]
CSV = b'id,descriptor,amount\n1,"SHELL OIL, 5742",4.50\n2,"JOE""S ""BAR""",\n'
JSONL = b'{"id":"1","descriptor":"SHELL OIL, 5742","amount":"4.50"}\n{"id":2,"descriptor":"JOE\\"S \\"BAR\\"","more":[1]}\n'


def parquet(rows: list[dict[str, object]]) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), file)
    return file.getvalue()


@pytest.mark.parametrize("at_once", [1, 7, 1 << 20])
@pytest.mark.parametrize(
    "content",
    [
        CSV,
        CSV.removesuffix(b"\n"),
        CSV.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + CSV,
        CSV.decode().encode("utf-16"),
        gzip.compress(CSV),
        gzip.compress(CSV[:30]) + gzip.compress(CSV[30:]),
        pa.Codec("zstd").compress(CSV, asbytes=True),
        JSONL,
        gzip.compress(JSONL),
        parquet(ROWS),
    ],
    ids=["csv", "no last line end", "crlf", "utf-8 mark", "utf-16", "gz", "gz of two members", "zst", "jsonl", "jsonl gz", "parquet"],
)
def test_every_format_gives_the_same_rows_however_it_arrives(content: bytes, at_once: int) -> None:
    blocks = blocks_of(content, at_once=at_once)
    assert [{name: row.get(name) for name in ("id", "descriptor", "amount")} for row in rows_of(blocks)] == ROWS
    assert places_of(blocks) == [0, 1]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_read_off_the_header(delimiter: str) -> None:
    content = delimiter.join(["ID", ' "Descriptor" ', "note"]) + "\n" + delimiter.join(["1", "SHELL", "x"]) + "\n"
    assert rows_of(blocks_of(content.encode())) == [{"id": "1", "descriptor": "SHELL"}]


def test_a_row_with_too_many_or_too_few_columns_is_named_and_its_neighbours_are_kept() -> None:
    blocks = blocks_of(b"id,descriptor\n1,A\n2\n3,C,x\n\n5,E\n", at_once=5)
    assert [row["id"] for row in rows_of(blocks)] == ["1", "5"]
    assert places_of(blocks) == [0, 4]
    assert unread_of(blocks) == [
        (1, "has 1 columns where the header has 2"),
        (2, "has 3 columns where the header has 2"),
    ]


def test_a_bad_line_of_json_is_named_and_its_neighbours_are_kept() -> None:
    blocks = blocks_of(b'{"id":"1","descriptor":"A"}\n{"id":\n\n{"id":"4","descriptor":7}\n{"id":"5","descriptor":"E"}\n', at_once=9)
    assert places_of(blocks) == [0, 4]
    assert [(place, "truncated" in message or "$.descriptor" in message) for place, message in unread_of(blocks)] == [(1, True), (3, True)]


def test_a_quote_inside_a_field_opens_nothing() -> None:
    content = b'id,descriptor\n1,JOE"S PIZZA\n2,"A\nB"\n3,5" PIPE\n'
    assert [row["descriptor"] for row in rows_of(blocks_of(content, at_once=3))] == ['JOE"S PIZZA', "A\nB", '5" PIPE']


def test_a_row_is_given_before_the_next_one_arrives() -> None:
    parts = iter([b"id,descriptor\n", b"1,A\n", b"2,B\n"])
    blocks = read_blocks(Stream(lambda _size: next(parts)), TRANSACTIONS, SourceOptions())
    assert rows_of([next(blocks)]) == [{"id": "1", "descriptor": "A"}]
    assert rows_of([next(blocks)]) == [{"id": "2", "descriptor": "B"}]


def test_text_in_another_encoding_is_read_when_it_is_said() -> None:
    content = "id,descriptor\n1,CAFÉ MÜLLER\n".encode("cp1252")
    assert rows_of(blocks_of(content, encoding="cp1252")) == [{"id": "1", "descriptor": "CAFÉ MÜLLER"}]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (b"\n1,A\n", "no header"),
        (b"id,id,descriptor\n", "'id' stands twice"),
        (b'[{"id":"1"}]', "JSON array"),
        (gzip.compress(CSV)[:-12], "breaks off"),
        (parquet(ROWS)[:-9], "no whole Parquet file"),
    ],
)
def test_a_source_that_cannot_be_read_says_why(content: bytes, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        blocks_of(content)


def test_an_unknown_encoding_is_named() -> None:
    with pytest.raises(InvalidInput, match="no encoding is called 'klingon'"):
        blocks_of(CSV, encoding="klingon")


@pytest.mark.parametrize("name", ["missing.csv", ".", "*.csv"])
def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="cannot read"), open_source(str(tmp_path / name), TRANSACTIONS, SourceOptions()):
        pass


FIELD = st.text(alphabet=st.sampled_from('a",;\n\r\t|é '), max_size=6)


@given(st.lists(st.tuples(FIELD, FIELD), min_size=1, max_size=8), st.sampled_from([",", ";", "\t", "|"]), st.integers(1, 40))
def test_any_table_survives_csv_in_any_cut(rows: list[tuple[str, str]], delimiter: str, at_once: int) -> None:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(["id", "descriptor", "note"])
    writer.writerows([*row, "x"] for row in rows)
    blocks = blocks_of(file.getvalue().encode(), at_once=at_once)
    assert [(row["id"] or "", row["descriptor"] or "") for row in rows_of(blocks)] == rows
    assert places_of(blocks) == list(range(len(rows)))


@given(st.lists(st.text(max_size=8), max_size=8), st.integers(1, 40))
def test_any_text_survives_json_lines_in_any_cut(descriptors: list[str], at_once: int) -> None:
    lines = [json.dumps({"id": str(n), "descriptor": text}) for n, text in enumerate(descriptors)]
    content = "\n".join([*lines, '{"id":"last","descriptor":"x"}']).encode()
    assert [row["descriptor"] for row in rows_of(blocks_of(content, at_once=at_once))] == [*descriptors, "x"]
