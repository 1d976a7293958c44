"""Arrow tables as PostgreSQL's binary COPY format."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rayapp.store.binary_rows import CODED, FIXED, LISTS, TEXT, Columns, room, write_rows
from rayapp.store.buffers import bytes_of
from rayapp.store.wide_copies import WIDE

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
END = b"\xff\xff"

EPOCH_US, EPOCH_DAYS = 946_684_800_000_000, 10_957
"""2000-01-01, from which PostgreSQL counts, since 1970-01-01."""

NOWHERE = -1


def binary_copy(table: pa.Table) -> memoryview:
    """Encode the table: texts, bytes, numbers, booleans, dates, moments in microseconds, lists of texts, and dictionaries of texts.

    asyncpg takes bytes for the name of a file, hence a view. Text with NUL is refused by PostgreSQL and must not come this far.
    """
    batches = [(batch.num_rows, _Parts().columns(batch.columns)) for batch in table.to_batches()]
    out = np.empty(len(HEADER) + sum(room(columns, rows) for rows, columns in batches) + len(END) + WIDE, np.uint8)
    out[: len(HEADER)] = np.frombuffer(HEADER, np.uint8)
    end = len(HEADER)
    for rows, columns in batches:
        end = write_rows(columns, rows, out, end)
    out[end : end + len(END)] = np.frombuffer(END, np.uint8)
    return out[: end + len(END)].data


class _Parts:
    """The bytes, and the ends and places, of all columns of a batch, one after the other."""

    def __init__(self) -> None:
        """Begin."""
        self._letters: list[NDArray[np.uint8]] = []
        self._numbers: list[NDArray[np.int32]] = []
        self._sizes = [0, 0]

    def columns(self, arrays: list[pa.Array]) -> Columns:
        """Take in all columns."""
        said = np.array([self._column(array) for array in arrays], np.int64)
        letters = np.concatenate([*self._letters, np.zeros(WIDE, np.uint8)])
        return Columns(said, letters, np.concatenate([*self._numbers, np.zeros(0, np.int32)]))

    def _column(self, array: pa.Array) -> tuple[int, ...]:
        """Take in a column; gives what is said of it."""
        valid = self._put_letters(array.is_valid().to_numpy(zero_copy_only=False).view(np.uint8)) if array.null_count else NOWHERE
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
