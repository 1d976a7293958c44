"""Cutting a file into pieces: every row is in one piece, under its own row and line, whatever the tier."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rayapp.datasets import dataset
from rayapp.errors import InvalidInput
from rayapp.settings import Settings
from rayapp.sources.options import SourceOptions
from rayapp.sources.pieces import Plan, Rows
from rayapp.sources.planning import plan_source

TRANSACTIONS = dataset("transactions")
HEADER = "id,descriptor\n"


def read(path: Path, settings: Settings) -> tuple[Plan, list[Rows]]:
    with plan_source(str(path), TRANSACTIONS, SourceOptions(), settings) as (plan, reader):
        return plan, [rows for piece in plan.pieces for rows in reader(piece)]


def told(found: list[Rows]) -> Iterator[tuple[str, int, int]]:
    for rows in found:
        for row, place in zip(rows.table.to_pylist(), rows.places, strict=True):
            yield row["descriptor"], place, rows.line_of(place)


TIERS = {"small": (100, 200, 300), "medium": (1, 200, 300), "large": (1, 2, 300), "huge": (1, 1, 1)}


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("packed", [False, True])
@settings(max_examples=25, deadline=None)
@given(
    texts=st.lists(st.text(st.characters(codec="utf-8", exclude_characters='\r"\0'), min_size=1, max_size=20), min_size=2, max_size=30),
    mark=st.booleans(),
)
def test_every_row_is_read_once_with_its_row_and_line(tmp_path_factory, tier, packed, texts, mark):
    folder = tmp_path_factory.mktemp("pieces")
    small, medium, large = TIERS[tier]
    chosen = Settings(data_dir=folder, tier_small=small, tier_medium=medium, tier_large=large)
    content = ("\ufeff" if mark else "") + HEADER + "".join(f'{number},"{text}"\n' for number, text in enumerate(texts))
    path = folder / "file.csv"
    path.write_bytes(gzip.compress(content.encode()) if packed else content.encode())
    plan, found = read(path, chosen)
    assert plan.tier == tier
    assert plan.rows == len(texts)
    lines = [2 + sum(1 + text.count("\n") for text in texts[:place]) for place in range(len(texts))]
    assert list(told(found)) == list(zip(texts, range(len(texts)), lines, strict=True))


def test_pieces_of_a_large_file_hold_at_most_five_thousand_rows(tmp_path):
    path = tmp_path / "file.csv"
    path.write_text(HEADER + "".join(f"{number},SHOP\n" for number in range(12_003)))
    plan, found = read(path, Settings(data_dir=tmp_path, tier_small=1, tier_medium=2, tier_large=50_000))
    assert [rows.table.num_rows for rows in found] == [5000, 5000, 2003]
    assert [piece.first_row for piece in plan.pieces] == [0, 5000, 10_000]


def test_json_lines_have_no_header(tmp_path):
    path = tmp_path / "file.jsonl"
    path.write_bytes(b"".join(msgspec.json.encode({"id": str(number), "descriptor": "SHOP"}) + b"\n" for number in range(3)))
    _, found = read(path, Settings(data_dir=tmp_path))
    assert list(told(found)) == [("SHOP", 0, 1), ("SHOP", 1, 2), ("SHOP", 2, 3)]


def test_the_same_bytes_have_the_same_digest_packed_or_not(tmp_path):
    (tmp_path / "a.csv").write_text(HEADER + "1,SHOP\n")
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress((tmp_path / "a.csv").read_bytes()))
    settings = Settings(data_dir=tmp_path)
    assert read(tmp_path / "a.csv", settings)[0].digest == read(tmp_path / "b.csv.gz", settings)[0].digest
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "b.csv.gz"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"id,place\n1,SHOP\n", "'descriptor' is missing; the source has id, place"),
        (b"PAR1", "no whole Parquet file"),
        (b"", "file: it is empty"),
        (b"\n1,A\n", "no header"),
        (b"id,descriptor,ID\n", "'id' stands twice"),
        (b'[{"id":"1"}]', "JSON array"),
        (b"%PDF-1.4", "PDF"),
        (b"<html>", "neither OFX nor CAMT"),
    ],
)
def test_what_cannot_be_loaded_is_refused_before_anything_is_done(tmp_path, content, said):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(InvalidInput, match=said):
        read(tmp_path / "file", Settings(data_dir=tmp_path))
