"""The compiled loops that run one pattern's automaton over one row."""

import numpy as np
from numba import njit

from rayapp.scoring.patterns.automaton import DEAD, FIRST, MATCH
from rayapp.scoring.patterns.literals import AT_GAP, AT_WORD
from rayapp.scoring.patterns.positions import CHANGE, INSIDE, SAME
from rayapp.scoring.patterns.tables import BEGIN, COLUMNS, KINDS, MIDDLE, PLACE, WIDTH, Bytes, Cells, Ints, Sets

DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
BIT_OF = np.zeros(64, np.int64)
BIT_OF[[((0x03F79D71B4CB0A89 << bit) & (1 << 64) - 1) >> 58 for bit in range(64)]] = range(64)
"""The number of a single set bit, by the top six bits of its product with DE_BRUIJN."""


@njit(nogil=True, cache=True, _nrt=False)
def context(byte: int) -> int:
    """AT_WORD or AT_GAP."""
    if byte >= 0x80 or 0x61 <= byte <= 0x7A or 0x41 <= byte <= 0x5A or 0x30 <= byte <= 0x39 or byte == 0x5F:
        return AT_WORD
    return AT_GAP


@njit(nogil=True, cache=True, _nrt=False)
def run_dfa(record: Ints, cells: Cells, columns: Bytes, data: Bytes, begin: int, end: int, skipped: int) -> bool:
    """Whether a Dfa matches in ``data[begin:end]``, where no match begins in the ``skipped`` first bytes."""
    place, column = record[PLACE] - FIRST, 256 * record[COLUMNS]
    state = record[MIDDLE] if skipped else record[BEGIN]
    at = begin + max(skipped - 1, 0)
    while at < end and state > MATCH:
        state = np.int32(cells[place + state + columns[column + data[at]]])
        at += 1
    if state > MATCH:
        state = np.int32(cells[place + state + record[WIDTH] - 1])
    return state != DEAD


@njit(nogil=True, cache=True, _nrt=False)
def run_positions(record: Ints, sets: Sets, columns: Bytes, scratch: Sets, data: Bytes, begin: int, end: int, skipped: int) -> bool:
    """Whether Positions match in ``data[begin:end]``, where no match begins in the ``skipped`` first bytes."""
    words, count, kinds, column = record[WIDTH], record[BEGIN], record[KINDS], 256 * record[COLUMNS]
    first = record[PLACE] + kinds * words
    last = first + kinds * words
    at_end = last + kinds * words
    matching = at_end + 2 * words
    following = matching + (_greatest(columns, column) + 1) * words
    now, coming = scratch[:words], scratch[words : 2 * words]
    now[:] = 0
    before = AT_GAP if not skipped else context(data[begin + skipped - 1])
    for at in range(begin + skipped, end):
        byte = data[at]
        after = context(byte)
        kind = 0
        if kinds > 1:
            kind = INSIDE if 0x80 <= byte <= 0xBF else SAME if before == after else CHANGE
        if _any(now, sets, last + kind * words):
            return True
        origin = (record[PLACE] if at == begin else first) + kind * words
        for word in range(words):
            coming[word] = sets[origin + word]
        _follow(now, coming, sets, following + kind * count * words)
        for word in range(words):
            now[word] = coming[word] & sets[matching + columns[column + byte] * words + word]
        before = after
    return _any(now, sets, at_end + (words if before == AT_WORD else 0))


@njit(nogil=True, cache=True, _nrt=False)
def _greatest(columns: Bytes, column: int) -> int:
    """Give the greatest class of a byte."""
    most = 0
    for byte in range(256):
        most = max(most, int(columns[column + byte]))
    return most


@njit(nogil=True, cache=True, _nrt=False)
def _any(now: Sets, sets: Sets, place: int) -> bool:
    """Whether two bit sets meet."""
    for word in range(now.size):
        if now[word] & sets[place + word]:
            return True
    return False


@njit(nogil=True, cache=True, _nrt=False)
def _follow(now: Sets, coming: Sets, sets: Sets, place: int) -> None:
    """Add to ``coming`` what follows each position of ``now``."""
    for word in range(now.size):
        rest = now[word]
        while rest:
            lowest = rest & (~rest + np.uint64(1))
            rest ^= lowest
            position = word * 64 + BIT_OF[(lowest * DE_BRUIJN) >> np.uint64(58)]
            row = place + position * now.size
            for i in range(now.size):
                coming[i] |= sets[row + i]
