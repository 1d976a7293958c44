"""Reading transactions from a file or a pipe, in blocks of bounded size, as they arrive.

CSV (delimiter sniffed from the header), JSON lines and Parquet, each also gz or zst; told apart by content, not by name.
"""

import io
import os
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

from rayapp.errors import InvalidInput
from rayapp.sources.json_rows import read_lines
from rayapp.sources.row_ends import LONGEST_ROW, whole_rows
from rayapp.sources.stream import BLOCK_BYTES, Stream

PARQUET = b"PAR1"
PARQUET_ROWS = 1 << 16
COLUMNS = ("id", "descriptor", "amount", "currency", "direction", "mcc", "country", "booked_at", "account_id", "user_id")
DELIMITERS = ",;\t|"


class Unread(NamedTuple):
    """A row that could not even be read: its zero-based place in the source, and why."""

    row: int
    message: str


class Block(NamedTuple):
    """Some rows of the source: ``places`` gives the zero-based place in the source of each row of ``table``."""

    table: pa.Table
    places: range | list[int]
    unread: tuple[Unread, ...] = ()


@contextmanager
def open_source(name: str, encoding: str | None = None) -> Iterator[Iterator[Block]]:
    """Open the file ``name``, or standard input for ``-``, and give its blocks. Text is UTF-8 unless ``encoding`` says otherwise."""
    if name == "-":
        buffered = sys.stdin.buffer
        yield read_blocks(Stream.of(buffered.raw if isinstance(buffered, io.BufferedReader) else buffered), encoding)
        return
    if not os.access(name, os.R_OK) or Path(name).is_dir():
        raise InvalidInput(f"cannot read {name}: {'it is a folder' if Path(name).is_dir() else 'no such file, or closed to us'}")
    with Path(name).open("rb", buffering=0) as file:
        yield read_blocks(Stream.of(file), encoding)


def read_blocks(source: Stream, encoding: str | None = None) -> Iterator[Block]:
    """Give the blocks of a stream, whatever its format."""
    source = source.decompressed()
    if source.peek(4) == PARQUET:
        return _parquet_blocks(source)
    text = source.as_utf_8(encoding)
    match text.peek(4).lstrip()[:1]:
        case b"{":
            return _json_blocks(text)
        case b"[":
            raise InvalidInput("the source is a JSON array: one object a line is needed (jq -c '.[]' makes that)")
    return _csv_blocks(text)


def _csv_blocks(source: Stream) -> Iterator[Block]:
    header = _header(source)
    delimiter = max(DELIMITERS, key=header.count)
    names = [name.strip().strip('"').strip().lower() for name in header.split(delimiter)]
    if twice := [name for name in COLUMNS if names.count(name) > 1]:
        raise InvalidInput(f"the column {twice[0]!r} stands twice")
    first = 0
    for piece in whole_rows(source, delimiter):
        skipped = _Skipped(first)
        table = _parse(piece, names, delimiter, skipped)
        count = table.num_rows + len(skipped.ragged)
        places = _without(first, count, {bad.row for bad in skipped.ragged})
        blank = _blank(table)
        if blank.any():
            places = [place for place, nothing in zip(places, blank, strict=True) if not nothing]
            table = table.filter(pa.array(~blank))
        yield Block(table.select([name for name in COLUMNS if name in names]), places, tuple(skipped.ragged))
        first += count


class _Skipped:
    """Notes the rows that have another number of columns than the header."""

    def __init__(self, first: int) -> None:
        self.first = first
        self.ragged: list[Unread] = []

    def __call__(self, row: csv.InvalidRow) -> str:
        wrong = f"has {row.actual_columns} columns where the header has {row.expected_columns}"
        self.ragged.append(Unread(self.first + row.number - 1, wrong))
        return "skip"


def _parse(piece: bytes, names: list[str], delimiter: str, skipped: _Skipped) -> pa.Table:
    """Parse rows; all of their columns, so that a row with nothing in it can be told from one that lacks what we need."""
    unique = [name if name in COLUMNS else f"{place} {name}" for place, name in enumerate(names)]
    convert = csv.ConvertOptions(
        column_types=dict.fromkeys(unique, pa.binary()),
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=True,
    )
    parse = csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=skipped)
    read = csv.ReadOptions(column_names=unique, use_threads=False, block_size=len(piece) + 1)
    try:
        table = csv.read_csv(pa.BufferReader(piece), read, parse, convert)
    except pa.ArrowInvalid as error:
        raise InvalidInput(f"the rows from {skipped.first + 1} on are no CSV: {error}") from error
    return pa.table({name: _as_text(table[name]) for name in unique})


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Give bytes as text; where some are not UTF-8 leave them, since the engine names their rows."""
    try:
        return column.cast(pa.string())
    except pa.ArrowInvalid:
        return column


def _blank(table: pa.Table) -> NDArray[np.bool_]:
    """Say of each row whether nothing stands in it."""
    blank = np.ones(table.num_rows, np.bool_)
    for column in table.columns:
        if not column.null_count:
            return np.zeros(table.num_rows, np.bool_)
        blank &= column.is_null().to_numpy()
    return blank


def _header(source: Stream) -> str:
    """Take the first line off the source."""
    line = b""
    while b"\n" not in line and (part := source.read(BLOCK_BYTES)):
        line += part
        if len(line) > LONGEST_ROW:
            raise InvalidInput(f"the header is longer than {LONGEST_ROW:,} bytes")
    header, _, rest = line.partition(b"\n")
    if not header.strip():
        raise InvalidInput("the source has no header: a first line with the columns id and descriptor is needed")
    source.push_back(rest)
    return header.decode("utf-8", "replace").rstrip("\r")


def _json_blocks(source: Stream) -> Iterator[Block]:
    first = 0
    for piece in whole_rows(source, None):
        lines = piece.removesuffix(b"\n").split(b"\n")
        read = read_lines(lines)
        unread = tuple(Unread(first + row, message) for row, message in read.bad.items())
        yield Block(read.table, _without(first, len(lines), {first + row for row in (*read.blank, *read.bad)}), unread)
        first += len(lines)


def _parquet_blocks(source: Stream) -> Iterator[Block]:
    from pyarrow import parquet

    # Parquet is read from its end: what comes through a pipe has to be there whole.
    whole = source.seekable_file() or pa.BufferReader(source.read())
    try:
        file = parquet.ParquetFile(whole)
    except (pa.ArrowInvalid, OSError) as error:
        raise InvalidInput(f"the source is no whole Parquet file: {error}") from error
    first = 0
    for batch in file.iter_batches(PARQUET_ROWS, columns=[name for name in file.schema_arrow.names if name in COLUMNS]):
        yield Block(pa.Table.from_batches([batch]), range(first, first + batch.num_rows))
        first += batch.num_rows


def _without(first: int, count: int, missing: Collection[int]) -> range | list[int]:
    """Give the places from ``first`` on without the missing ones."""
    places = range(first, first + count)
    return [place for place in places if place not in missing] if missing else places
