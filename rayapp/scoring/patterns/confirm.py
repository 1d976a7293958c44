"""The compiled loops that run one pattern's automaton over one row."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from rayapp.scoring.patterns.automaton import DEAD, FIRST, MATCH
from rayapp.scoring.patterns.literals import AT_GAP, AT_WORD
from rayapp.scoring.patterns.positions import CHANGE, INSIDE, SAME
from rayapp.scoring.patterns.tables import BEGIN, COLUMNS, KINDS, MIDDLE, PLACE, REACH, UNBOUNDED, WIDTH, Bytes, Tables

DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
BIT_OF = np.zeros(64, np.int64)
BIT_OF[[((0x03F79D71B4CB0A89 << bit) & (1 << 64) - 1) >> 58 for bit in range(64)]] = range(64)
"""The number of a single set bit, by the top six bits of its product with DE_BRUIJN."""


@njit(nogil=True, cache=True)
def confirm(tables: Tables, pattern: int, data: Bytes, begin: int, end: int, length: int) -> bool:
    """Whether the pattern matches in ``data[begin:end]``, if the head of its first literal ends after ``length`` bytes."""
    reach = tables.patterns[pattern, REACH]
    skipped = 0
    if reach != UNBOUNDED and length > reach:
        skipped = length - reach
    if tables.patterns[pattern, KINDS]:
        return _run_positions(tables, pattern, data, begin, end, skipped)
    return _run_dfa(tables, pattern, data, begin, end, skipped)


@njit(nogil=True, cache=True)
def context(byte: int) -> int:
    """AT_WORD or AT_GAP."""
    if byte >= 0x80 or 0x61 <= byte <= 0x7A or 0x41 <= byte <= 0x5A or 0x30 <= byte <= 0x39 or byte == 0x5F:
        return AT_WORD
    return AT_GAP


@njit(nogil=True, cache=True)
def _run_dfa(tables: Tables, pattern: int, data: Bytes, begin: int, end: int, skipped: int) -> bool:
    """Step through the table, from the byte before the first place where a match may begin."""
    record = tables.patterns[pattern]
    columns = tables.columns[record[COLUMNS]]
    cells = tables.cells[record[PLACE] :]
    state = record[MIDDLE] if skipped else record[BEGIN]
    at = begin + max(skipped - 1, 0)
    while at < end and state > MATCH:
        state = np.int32(cells[state - FIRST + columns[data[at]]])
        at += 1
    if state > MATCH:
        state = np.int32(cells[state - FIRST + record[WIDTH] - 1])
    return state != DEAD


@njit(nogil=True, cache=True)
def _run_positions(tables: Tables, pattern: int, data: Bytes, begin: int, end: int, skipped: int) -> bool:
    """Move all positions at once, one bit set per byte."""
    record = tables.patterns[pattern]
    words, count, kinds = record[WIDTH], record[BEGIN], record[KINDS]
    columns = tables.columns[record[COLUMNS]]
    sets = tables.sets[record[PLACE] :].reshape(-1)
    first, last = kinds * words, 2 * kinds * words
    at_end = last + kinds * words
    matching = at_end + 2 * words
    following = matching + (columns.max() + 1) * words
    now, coming = np.zeros(words, np.uint64), np.zeros(words, np.uint64)
    before = AT_GAP if not skipped else context(data[begin + skipped - 1])
    for at in range(begin + skipped, end):
        byte = data[at]
        after = context(byte)
        kind = 0
        if kinds > 1:
            kind = INSIDE if 0x80 <= byte <= 0xBF else SAME if before == after else CHANGE
        if _any(now, sets, last + kind * words):
            return True
        origin = (0 if at == begin else first) + kind * words
        for word in range(words):
            coming[word] = sets[origin + word]
        _follow(now, coming, sets, following + kind * count * words)
        for word in range(words):
            now[word] = coming[word] & sets[matching + columns[byte] * words + word]
        before = after
    return _any(now, sets, at_end + (words if before == AT_WORD else 0))


@njit(nogil=True, cache=True)
def _any(now: NDArray[np.uint64], sets: NDArray[np.uint64], place: int) -> bool:
    """Whether two bit sets meet."""
    for word in range(now.size):
        if now[word] & sets[place + word]:
            return True
    return False


@njit(nogil=True, cache=True)
def _follow(now: NDArray[np.uint64], coming: NDArray[np.uint64], sets: NDArray[np.uint64], place: int) -> None:
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
