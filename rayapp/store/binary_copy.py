"""Arrow tables as PostgreSQL's binary COPY format."""

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rayapp.store.binary_rows import CODED, FIXED, LISTS, SHARED, TEXT, Columns, room, write_fields, write_rows
from rayapp.store.buffers import bytes_of
from rayapp.store.wide_copies import WIDE

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
END = b"\xff\xff"

EPOCH_US, EPOCH_DAYS = 946_684_800_000_000, 10_957
"""2000-01-01, from which PostgreSQL counts, since 1970-01-01."""

NOWHERE = -1


class Shared(NamedTuple):
    """Fields that rows have after those of their own: ``table`` has every combination that there is, ``places`` says which each row has."""

    table: pa.Table
    places: NDArray[np.int32]


def binary_copy(table: pa.Table, shared: Shared | None = None) -> memoryview:
    """Encode the table: texts, bytes, numbers, booleans, dates, moments in microseconds, lists of texts, and dictionaries of texts.

    Fields that are ``shared`` are written once for all rows that have the same, and only copied from there. asyncpg takes bytes for the
    name of a file, hence a view. Text with NUL is refused by PostgreSQL and must not come this far.
    """
    fields = table.num_columns + (shared.table.num_columns if shared else 0)
    written = _written(shared.table) if shared else None
    batches, first = [], 0
    for batch in table.to_batches():
        parts = _Parts()
        said = [parts.column(array) for array in batch.columns]
        if shared and written:
            said.append(parts.written(*written, shared.places[first : first + batch.num_rows]))
        batches.append((batch.num_rows, parts.columns(said)))
        first += batch.num_rows
    out = np.empty(len(HEADER) + sum(room(columns, rows) for rows, columns in batches) + len(END) + WIDE, np.uint8)
    out[: len(HEADER)] = np.frombuffer(HEADER, np.uint8)
    end = len(HEADER)
    for rows, columns in batches:
        end = write_rows(columns, rows, fields, out, end)
    out[end : end + len(END)] = np.frombuffer(END, np.uint8)
    return out[: end + len(END)].data


def _written(table: pa.Table) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Write the fields of each row of a table, without their number; gives their bytes and ``n + 1`` ends."""
    parts, rows = _Parts(), table.num_rows
    columns = parts.columns([parts.column(array) for batch in table.combine_chunks().to_batches() for array in batch.columns])
    out, ends = np.empty(room(columns, rows) + WIDE, np.uint8), np.zeros(rows + 1, np.int32)
    write_fields(columns, rows, out, ends)
    return out[: ends[-1]], ends


class _Parts:
    """The bytes, and the ends and places, of all columns of a batch, one after the other."""

    def __init__(self) -> None:
        """Begin."""
        self._letters: list[NDArray[np.uint8]] = []
        self._numbers: list[NDArray[np.int32]] = []
        self._sizes = [0, 0]

    def columns(self, said: list[tuple[int, ...]]) -> Columns:
        """Give all columns that were taken in, and what is said of each."""
        letters = np.concatenate([*self._letters, np.zeros(WIDE, np.uint8)])
        return Columns(np.array(said, np.int64).reshape(-1, 6), letters, np.concatenate([*self._numbers, np.zeros(0, np.int32)]))

    def written(self, letters: NDArray[np.uint8], ends: NDArray[np.int32], places: NDArray[np.int32]) -> tuple[int, ...]:
        """Take in fields that are written, and which of them each row has; gives what is said of them."""
        return SHARED, 0, self._put_letters(letters), self._put_numbers(ends), self._put_numbers(places), NOWHERE

    def column(self, array: pa.Array) -> tuple[int, ...]:
        """Take in a column; gives what is said of it. A dictionary of more values than there are rows is not worth its copy."""
        valid = self._put_letters(array.is_valid().to_numpy(zero_copy_only=False).view(np.uint8)) if array.null_count else NOWHERE
        if pa.types.is_dictionary(array.type) and len(array) < len(array.dictionary):
            array = array.dictionary_decode()
        kind = array.type
        if pa.types.is_dictionary(kind):
            indices = array.indices if array.indices.type == pa.int32() else array.indices.cast(pa.int32())
            places = self._put_numbers(_fixed(indices.fill_null(0) if indices.null_count else indices, np.int32))
            return CODED, 0, *self._texts(array.dictionary), places, valid
        if pa.types.is_list(kind):
            places = self._put_numbers(np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + len(array) + 1])
            values = array.values.dictionary_decode() if pa.types.is_dictionary(array.values.type) else array.values
            return LISTS, 0, *self._texts(values), places, valid
        if pa.types.is_string(kind) or pa.types.is_binary(kind):
            return TEXT, 0, *self._texts(array), NOWHERE, valid
        values = _numbers_of(array)
        return FIXED, values.dtype.itemsize, self._put_letters(values.view(np.uint8)), NOWHERE, NOWHERE, valid

    def _texts(self, texts: pa.Array) -> tuple[int, int]:
        """Take in texts, of which only those that are looked at need be without nulls."""
        data, ends = bytes_of(texts)
        first, last = int(ends[0]), int(ends[-1])
        return self._put_letters(data[first:last]) - first, self._put_numbers(ends)

    def _put_letters(self, letters: NDArray[np.uint8]) -> int:
        self._letters.append(letters)
        self._sizes[0] += letters.size
        return self._sizes[0] - letters.size

    def _put_numbers(self, numbers: NDArray[np.int32]) -> int:
        self._numbers.append(numbers)
        self._sizes[1] += numbers.size
        return self._sizes[1] - numbers.size


def _numbers_of(array: pa.Array) -> NDArray[Any]:
    """Give values of fixed width as PostgreSQL writes them, the highest byte first; those that are missing are anything."""
    kind = array.type
    if pa.types.is_null(kind):
        return np.zeros(len(array), np.uint8)
    if pa.types.is_boolean(kind):
        return _fixed(array.cast(pa.uint8()), np.uint8)
    if pa.types.is_timestamp(kind) and kind.unit == "us":
        return (_fixed(array, np.int64) - EPOCH_US).astype(">i8")
    if pa.types.is_date32(kind):
        return (_fixed(array, np.int32) - EPOCH_DAYS).astype(">i4")
    if pa.types.is_signed_integer(kind) or pa.types.is_floating(kind):
        plain = np.dtype(kind.to_pandas_dtype())
        return _fixed(array, plain).astype(plain.newbyteorder(">"))
    raise TypeError(kind)


def _fixed(array: pa.Array, kind: Any) -> NDArray[Any]:  # noqa: ANN401 - whatever numpy takes for a type
    """Give the values as they lie there, without a copy."""
    content = array.buffers()[1]
    found: NDArray[Any] = np.zeros(0, kind) if content is None else np.frombuffer(content, kind)[array.offset : array.offset + len(array)]
    return found
