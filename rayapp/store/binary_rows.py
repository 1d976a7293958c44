"""The kernel that writes rows in PostgreSQL's binary COPY format, from columns that lie one after the other in two arrays."""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from rayapp.store.wide_copies import WIDE, copy_wide, put_number

KIND, WIDTH, LETTERS, ENDS, PLACES, VALID = range(6)
"""What is said of a column: its kind, the bytes of a fixed value, and where its parts begin. ``VALID`` is -1 where no value is missing."""

FIXED, TEXT, CODED, LISTS, SHARED = range(5)
"""A value of fixed width; bytes between two ends; the same by its place in a dictionary; a list of texts, between two places; fields that
are written already, by their place among those of other rows."""

TEXT_OID = 25
LIST_BYTES = 20
"""What stands before the items of a list."""

MISSING = -1


class Columns(NamedTuple):
    """What is said of each column (shape (columns, 6)), all of their bytes and ``WIDE`` more, and all of their ends and places."""

    said: NDArray[np.int64]
    letters: NDArray[np.uint8]
    numbers: NDArray[np.int32]


@njit(nogil=True, cache=True, _nrt=False)
def _put(out: NDArray[np.uint8], at: int, value: int) -> int:
    """Write four bytes, the highest first; gives the place after them."""
    put_number(out, np.uintp(at), np.uint32(value))
    return at + 4


@njit(nogil=True, cache=True, _nrt=False)
def _put_bytes(out: NDArray[np.uint8], at: int, letters: NDArray[np.uint8], first: int, length: int) -> int:
    """Write a length and as many bytes; gives the place after them."""
    return _put_letters(out, _put(out, at, length), letters, first, length)


@njit(nogil=True, cache=True, _nrt=False)
def _put_letters(out: NDArray[np.uint8], at: int, letters: NDArray[np.uint8], first: int, length: int) -> int:
    """Write so many bytes, and anything after them; gives the place after them."""
    for place in range(0, length, WIDE):
        copy_wide(out, np.uintp(at + place), letters, np.uintp(first + place))
    return at + length


@njit(nogil=True, cache=True, _nrt=False)
def _put_list(out: NDArray[np.uint8], at: int, columns: Columns, column: int, row: int) -> int:
    """Write an array of texts: one dimension from 1 on, none when it is empty."""
    said, numbers = columns.said[column], columns.numbers
    begin = at
    first, last = numbers[said[PLACES] + row], numbers[said[PLACES] + row + 1]
    at = _put(out, _put(out, _put(out, at + 4, 1 if last > first else 0), 0), TEXT_OID)
    if last > first:
        at = _put(out, _put(out, at, last - first), 1)
    for item in range(first, last):
        start = numbers[said[ENDS] + item]
        at = _put_bytes(out, at, columns.letters, said[LETTERS] + start, numbers[said[ENDS] + item + 1] - start)
    _put(out, begin, at - begin - 4)
    return at


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _write_column(columns: Columns, column: int, row: int, out: NDArray[np.uint8], at: int) -> int:
    """Write what a column has of a row; gives the place after it."""
    said, letters, numbers = columns.said[column], columns.letters, columns.numbers
    if said[VALID] >= 0 and not letters[said[VALID] + row]:
        return _put(out, at, MISSING)
    if said[KIND] == FIXED:
        return _put_bytes(out, at, letters, said[LETTERS] + row * said[WIDTH], said[WIDTH])
    if said[KIND] == LISTS:
        return _put_list(out, at, columns, column, row)
    place = row if said[KIND] == TEXT else numbers[said[PLACES] + row]
    start = numbers[said[ENDS] + place]
    length = numbers[said[ENDS] + place + 1] - start
    if said[KIND] == SHARED:
        return _put_letters(out, at, letters, said[LETTERS] + start, length)
    return _put_bytes(out, at, letters, said[LETTERS] + start, length)


@njit(nogil=True, cache=True, _nrt=False)
def write_rows(columns: Columns, rows: int, fields: int, out: NDArray[np.uint8], at: int) -> int:
    """Write rows of so many fields from place ``at`` on; gives the place after the last. ``out`` has the ``room`` and ``WIDE`` more."""
    for row in range(rows):
        out[at] = fields >> 8
        out[at + 1] = fields & 0xFF
        at += 2
        for column in range(columns.said.shape[0]):
            at = _write_column(columns, column, row, out, at)
    return at


@njit(nogil=True, cache=True, _nrt=False)
def write_fields(columns: Columns, rows: int, out: NDArray[np.uint8], ends: NDArray[np.int32]) -> None:
    """Write the fields of rows that others share, and to ``ends``, which begins with nought, where each row ends."""
    at = 0
    for row in range(rows):
        for column in range(columns.said.shape[0]):
            at = _write_column(columns, column, row, out, at)
        ends[row + 1] = at


@njit(nogil=True, cache=True, _nrt=False)
def room(columns: Columns, rows: int) -> int:
    """Count the bytes that the rows need at most."""
    letters, numbers = columns.letters, columns.numbers
    count = rows * (2 + 4 * columns.said.shape[0])
    for column in range(columns.said.shape[0]):
        said = columns.said[column]
        if said[KIND] == FIXED:
            count += rows * said[WIDTH]
        elif said[KIND] == TEXT:
            count += numbers[said[ENDS] + rows] - numbers[said[ENDS]]
        elif said[KIND] == LISTS:
            first, last = numbers[said[PLACES]], numbers[said[PLACES] + rows]
            count += LIST_BYTES * rows + 4 * (last - first) + numbers[said[ENDS] + last] - numbers[said[ENDS] + first]
        else:
            for row in range(rows):
                if said[VALID] < 0 or letters[said[VALID] + row]:
                    place = said[ENDS] + numbers[said[PLACES] + row]
                    count += numbers[place + 1] - numbers[place]
    return count
