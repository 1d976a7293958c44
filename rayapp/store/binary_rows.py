"""The kernel that writes rows in PostgreSQL's binary COPY format, from columns that lie one after the other in two arrays."""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from rayapp.store.wide_copies import WIDE, copy_wide, put_number

KIND, WIDTH, LETTERS, ENDS, PLACES, VALID = range(6)
"""What is said of a column: its kind, the bytes of a fixed value, and where its parts begin. ``VALID`` is -1 where no value is missing."""

FIXED, TEXT, CODED, LISTS = range(4)
"""A value of fixed width; bytes between two ends; the same by its place in a dictionary; a list of texts, between two places."""

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
    at = _put(out, at, length)
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


@njit(nogil=True, cache=True, _nrt=False)
def write_rows(columns: Columns, rows: int, out: NDArray[np.uint8], at: int) -> int:
    """Write rows from place ``at`` on, field by field; gives the place after the last. ``out`` has the ``room`` and ``WIDE`` more."""
    letters, numbers = columns.letters, columns.numbers
    count = columns.said.shape[0]
    for row in range(rows):
        out[at] = count >> 8
        out[at + 1] = count & 0xFF
        at += 2
        for column in range(count):
            said = columns.said[column]
            if said[VALID] >= 0 and not letters[said[VALID] + row]:
                at = _put(out, at, MISSING)
            elif said[KIND] == FIXED:
                at = _put_bytes(out, at, letters, said[LETTERS] + row * said[WIDTH], said[WIDTH])
            elif said[KIND] == LISTS:
                at = _put_list(out, at, columns, column, row)
            else:
                place = row if said[KIND] == TEXT else numbers[said[PLACES] + row]
                start = numbers[said[ENDS] + place]
                at = _put_bytes(out, at, letters, said[LETTERS] + start, numbers[said[ENDS] + place + 1] - start)
    return at


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
