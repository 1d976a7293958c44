"""Columns of short codes by their distinct values: a table of the few that there are, and one pass over the rows."""

import numpy as np
import pyarrow as pa
from numba import njit
from numpy.typing import NDArray

LONGEST = 7
"""Bytes of a code; with its length it makes a key of eight bytes."""

SLOTS = 4096
MOST = SLOTS // 2
"""Distinct codes of one column."""

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(64 - 12)


def short_codes(column: pa.StringArray) -> tuple[NDArray[np.int32], NDArray[np.int32]] | None:
    """Give the distinct value of each row by number (-1 where there is none), and a row with each value; ``None`` where a value is long.

    The same for a column of very many distinct values.
    """
    validity, ends, content = column.buffers()
    rows = len(column)
    offsets = np.frombuffer(ends, np.int32)[column.offset : column.offset + rows + 1]
    data = np.frombuffer(content, np.uint8) if content is not None else np.zeros(0, np.uint8)
    valid = np.frombuffer(validity, np.uint8) if validity is not None else np.zeros(0, np.uint8)
    places, firsts = np.empty(rows, np.int32), np.empty(MOST, np.int32)
    count = _number(data, offsets, valid, column.offset, places, firsts)
    return (places, firsts[:count]) if count >= 0 else None


@njit(nogil=True, cache=True)
def _number(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int32],
    valid: NDArray[np.uint8],
    first: int,
    places: NDArray[np.int32],
    firsts: NDArray[np.int32],
) -> int:
    """Number the distinct values in order; ``valid`` is a bitmap from row ``-first`` on, or empty. Returns how many, -1 where it cannot."""
    keys, numbers = np.zeros(SLOTS, np.uint64), np.empty(SLOTS, np.int32)
    count = 0
    for row in range(places.size):
        bit = first + row
        if valid.size and not valid[bit >> 3] >> (bit & 7) & 1:
            places[row] = -1
            continue
        size = offsets[row + 1] - offsets[row]
        if size > LONGEST:
            return -1
        key = np.uint64(size + 1)
        for i in range(offsets[row], offsets[row + 1]):
            key = key << np.uint64(8) | np.uint64(data[i])
        slot = (key * _MULTIPLIER) >> _SHIFT
        while keys[slot] != key:
            if keys[slot] == 0:
                if count == MOST:
                    return -1
                keys[slot], numbers[slot], firsts[count] = key, count, row
                count += 1
                break
            slot = (slot + np.uint64(1)) & np.uint64(SLOTS - 1)
        places[row] = numbers[slot]
    return count
