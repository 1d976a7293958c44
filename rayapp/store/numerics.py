"""Decimal text as PostgreSQL's binary numeric: exact, with the decimals that were written, without an object for each value."""

import numpy as np
import pyarrow as pa
from numba import njit
from numpy.typing import NDArray

from rayapp.store.buffers import bytes_of

MOST_DIGITS = 60
"""Digits before the point, and as many after it."""

MOST_EXPONENT = 99
GROUP = 4  # decimal digits of one digit of PostgreSQL's
HEAD_BYTES = 8
MISSING, GOOD, BAD = 0, 1, 2

SPACE, PLUS, MINUS, POINT, ZERO, NINE, UPPER_E, LOWER_E = 32, 43, 45, 46, 48, 57, 69, 101
TABULATOR, RETURN = 9, 13
NEGATIVE = 0x40  # high byte of the sign


@njit(nogil=True, cache=True)
def _put(out: NDArray[np.uint8], at: int, value: int) -> None:
    """Write two bytes, the higher first."""
    out[at] = (value >> 8) & 0xFF
    out[at + 1] = value & 0xFF


@njit(nogil=True, cache=True)
def _trimmed(data: NDArray[np.uint8], first: int, last: int) -> tuple[int, int]:
    """Leave out the white space around a value."""
    while first < last and (data[first] == SPACE or TABULATOR <= data[first] <= RETURN):
        first += 1
    while last > first and (data[last - 1] == SPACE or TABULATOR <= data[last - 1] <= RETURN):
        last -= 1
    return first, last


@njit(nogil=True, cache=True)
def _read(data: NDArray[np.uint8], at: int, last: int, digits: NDArray[np.uint8]) -> tuple[int, int, int]:
    """Read digits, point and exponent into ``digits``: their count (-1 if this is no number), where the point stands, and the decimals."""
    count = before = after = 0
    pointed = False
    while at < last and (data[at] == POINT or ZERO <= data[at] <= NINE):
        if data[at] == POINT:
            if pointed:
                return -1, 0, 0
            pointed = True
        else:
            if pointed:
                after += 1
            else:
                before += 1
            if before > MOST_DIGITS or after > MOST_DIGITS:
                return -1, 0, 0
            digits[count] = data[at] - ZERO
            count += 1
        at += 1
    exponent = 0
    if count and at < last and data[at] in (UPPER_E, LOWER_E):
        at += 1
        falling = at < last and data[at] == MINUS
        if at < last and data[at] in (PLUS, MINUS):
            at += 1
        begin = at
        while at < last and ZERO <= data[at] <= NINE and exponent <= MOST_EXPONENT:
            exponent = exponent * 10 + int(data[at]) - ZERO
            at += 1
        if at == begin or exponent > MOST_EXPONENT:
            return -1, 0, 0
        exponent = -exponent if falling else exponent
    if not count or at != last:
        return -1, 0, 0
    return count, before + exponent, max(0, after - exponent)


@njit(nogil=True, cache=True)
def encode_rows(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int32],
    out: NDArray[np.uint8],
    out_offsets: NDArray[np.int32],
    state: NDArray[np.uint8],
) -> None:
    """Write each value; blank ones are missing. ``out`` needs ``room`` bytes."""
    digits = np.zeros(2 * MOST_DIGITS + 2, np.uint8)
    w = 0
    out_offsets[0] = 0
    for row in range(state.size):
        first, last = _trimmed(data, offsets[row], offsets[row + 1])
        out_offsets[row + 1] = w
        if first == last:
            state[row] = MISSING
            continue
        negative = data[first] == MINUS
        if negative or data[first] == PLUS:
            first += 1
        count, point, scale = _read(data, first, last, digits)
        if count < 0:
            state[row] = BAD
            continue
        state[row] = GOOD
        weight = (point + GROUP - 1) // GROUP - 1
        pad = (weight + 1) * GROUP - point
        groups = (pad + count + GROUP - 1) // GROUP
        _put(out, w, groups)
        _put(out, w + 2, weight)
        out[w + 4] = NEGATIVE if negative else 0
        out[w + 5] = 0
        _put(out, w + 6, scale)
        w += HEAD_BYTES
        for group in range(groups):
            value = 0
            for place in range(group * GROUP - pad, group * GROUP - pad + GROUP):
                value = value * 10 + (int(digits[place]) if 0 <= place < count else 0)
            _put(out, w, value)
            w += 2
        out_offsets[row + 1] = w


def room(rows: int, content: int) -> int:
    """Give the bytes that so many values of so many bytes of text may need."""
    return (HEAD_BYTES + 2 * GROUP) * rows + content


def numerics(texts: pa.Array) -> tuple[pa.Array, NDArray[np.bool_]]:
    """Encode decimal text, for a ``numeric`` column of a binary COPY, and say of which rows it is none.

    Takes plain and scientific notation of at most 60 digits on either side of the point. Nulls and blanks are null. The binary array that
    comes out is the wire format of PostgreSQL's ``numeric_recv``: digits in groups of four.
    """
    data, offsets = bytes_of(texts)
    rows = len(texts)
    out = np.empty(room(rows, int(offsets[-1] - offsets[0])), np.uint8)
    out_offsets = np.empty(rows + 1, np.int32)
    state = np.empty(rows, np.uint8)
    encode_rows(data, offsets, out, out_offsets, state)
    if texts.null_count:
        state[texts.is_null().to_numpy(zero_copy_only=False)] = MISSING
    present = state == GOOD
    validity = None if present.all() else pa.py_buffer(np.packbits(present, bitorder="little"))
    buffers = [validity, pa.py_buffer(out_offsets), pa.py_buffer(out[: out_offsets[-1]])]
    return pa.Array.from_buffers(pa.binary(), rows, buffers), state == BAD
