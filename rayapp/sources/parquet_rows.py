"""Parquet: pieces are row groups, several small ones together and large ones in slices; values keep their types."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import BinaryIO

import pyarrow as pa
from pyarrow import parquet

from rayapp.errors import InvalidInput
from rayapp.sources.blocks import Block
from rayapp.sources.mapping import plain
from rayapp.sources.scanning import Stretch

BATCH_ROWS = 1 << 16
MOST_ROWS = 1 << 18
"""Rows of a piece; a larger row group is read in slices, each of which decodes what stands before it."""


@contextmanager
def opened_parquet(file: BinaryIO) -> Iterator[parquet.ParquetFile]:
    """Open a Parquet file; raises ``InvalidInput`` when it is not whole."""
    try:
        found = parquet.ParquetFile(file)
    except (pa.ArrowException, OSError) as error:
        raise InvalidInput(f"it is no whole Parquet file: {error}") from error
    yield found


def fields_of(file: parquet.ParquetFile) -> tuple[str, ...]:
    """Give the columns as they are printed."""
    return tuple(file.schema_arrow.names)


def stretches_of(file: parquet.ParquetFile, most: int = MOST_ROWS) -> list[Stretch]:
    """Cut into stretches: ``offset`` and ``length`` are rows, and the first line of a row is its number from one on."""
    found: list[Stretch] = []
    begin = rows = 0
    for group in range(file.num_row_groups):
        size = file.metadata.row_group(group).num_rows
        if rows and rows + size > BATCH_ROWS:
            found.append(Stretch(begin, rows, rows, begin + 1))
            begin, rows = begin + rows, 0
        rows += size
        while rows > most:
            found.append(Stretch(begin, most, most, begin + 1))
            begin, rows = begin + most, rows - most
    if rows:
        found.append(Stretch(begin, rows, rows, begin + 1))
    return found


def read_rows(file: parquet.ParquetFile, begin: int, count: int, wanted: Collection[str], first: int) -> Iterator[Block]:
    """Read ``count`` rows from row ``begin`` of the file on, of which the first is row ``first`` of the source."""
    printed = [name for name in file.schema_arrow.names if plain(name) in wanted]
    groups, skip = _groups(file, begin, begin + count)
    for batch in file.iter_batches(BATCH_ROWS, row_groups=groups, columns=printed, use_threads=False):
        rows = batch.slice(min(skip, batch.num_rows), count)
        skip = max(0, skip - batch.num_rows)
        if rows.num_rows:
            table = pa.table({plain(name): _simple(rows.column(name)) for name in printed}) if printed else rows
            yield Block(table, range(first, first + rows.num_rows))
            first += rows.num_rows
            count -= rows.num_rows
        if not count:
            return


def _groups(file: parquet.ParquetFile, begin: int, end: int) -> tuple[list[int], int]:
    """Give the row groups that hold the rows, and how many rows to skip in the first."""
    groups: list[int] = []
    skip = place = 0
    for group in range(file.num_row_groups):
        size = file.metadata.row_group(group).num_rows
        if place < end and place + size > begin:
            skip = skip if groups else begin - place
            groups.append(group)
        place += size
    return groups, skip


def _simple(column: pa.Array) -> pa.Array:
    """Give text as plain strings, whatever it is stored as."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.dictionary_decode(), kind.value_type
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return column.cast(pa.string())
    return column
