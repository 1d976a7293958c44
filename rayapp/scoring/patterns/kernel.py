"""The compiled loop that finds, row by row, which patterns occur."""

from typing import NamedTuple, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from rayapp.scoring.patterns.automaton import DEAD, FIRST, MATCH

AFTER_SHIFT, DECIDES, CONFIRMS, LENGTH_SHIFT = 3, 64, 128, 8
"""An entry's second number: contexts allowed before (3 bits) and after (3 bits), what a hit means, the literal's length.

A hit decides the pattern, or makes it a candidate that its automaton must confirm, or else only sets a mark.
"""

Bytes: TypeAlias = NDArray[np.uint8]
Ints: TypeAlias = NDArray[np.int32]

NO_DFA = -1
UNBOUNDED = -1


class Tables(NamedTuple):
    """A pattern set as flat arrays.

    ``classes`` maps 256 bytes to byte classes, small letters to those of their capitals. ``moves`` and ``hits`` are those of
    aho_corasick.Automaton with entries (pattern or mark, code); marks are numbered after the patterns. ``dfas`` has a row per
    pattern: place in ``cells`` (NO_DFA if a literal decides), row in ``columns``, width, begin, middle, reach, place in ``also``.
    ``cells`` are the Dfa tables one after the other; ``columns`` maps byte classes to the columns of one Dfa. ``also`` begins
    with the length of the scratch; then, per place, come the number of sets and, per set, the number of marks and the marks, of
    which one must be set. ``unfiltered`` are the patterns to try on every row.
    """

    classes: Bytes
    moves: Ints
    hits: Ints
    dfas: Ints
    cells: NDArray[np.uint16]
    columns: Bytes
    also: Ints
    unfiltered: Ints


def new_scratch(tables: Tables) -> Ints:
    """Give the working memory that one call of match_rows needs; threads must not share it."""
    return np.empty(int(tables.also[0]), np.int32)


@njit(nogil=True, cache=True)
def match_rows(
    tables: Tables,
    data: Bytes,
    offsets: NDArray[np.int64],
    first: int,
    last: int,
    scratch: Ints,
    out_rows: Ints,
    out_patterns: Ints,
) -> int:
    """Match rows ``first`` to ``last`` (exclusive) and return the number of pairs found.

    Row r is ``data[offsets[r]:offsets[r + 1]]``. Pairs are written in order of row, then pattern, each once, as far as the two
    outputs are long; a return value above their length asks for longer ones. ``scratch`` is from new_scratch.
    """
    if scratch.size != tables.also[0]:
        raise ValueError("the scratch is not from new_scratch")
    patterns = tables.dfas.shape[0]
    settled = scratch[: scratch.size - 2 * patterns]
    candidates = scratch[scratch.size - 2 * patterns :]
    settled[:] = -1
    room = min(out_rows.size, out_patterns.size)
    found = 0
    for row in range(first, last):
        begin, end = offsets[row], offsets[row + 1]
        found_before = found
        waiting = 0
        for pattern in tables.unfiltered:
            candidates[waiting] = pattern
            candidates[waiting + 1] = 0
            waiting += 2
        width = tables.moves.shape[1]
        moves = tables.moves.reshape(-1)
        state = np.int32(0)
        for at in range(begin, end):
            state = moves[state + tables.classes[data[at]]]
            if state >= 0:
                continue
            state = -state
            place = moves[state + width - 1]
            while place:
                for entry in range(place + 2, place + 2 + 2 * tables.hits[place + 1], 2):
                    pattern, code = tables.hits[entry], tables.hits[entry + 1]
                    if settled[pattern] == row or not _fits(code, data, begin, end, at):
                        continue
                    settled[pattern] = row
                    if code & DECIDES:
                        if found < room:
                            out_patterns[found] = pattern
                        found += 1
                    elif code & CONFIRMS:
                        candidates[waiting] = pattern
                        candidates[waiting + 1] = at + 1 - begin
                        waiting += 2
                place = tables.hits[place]
        for i in range(0, waiting, 2):
            pattern = candidates[i]
            if _may_match(tables, pattern, settled, row) and _confirm(tables, pattern, data, begin, end, candidates[i + 1]):
                if found < room:
                    out_patterns[found] = pattern
                found += 1
        if found > found_before and found <= room:
            out_rows[found_before:found] = row
            _sort(out_patterns, found_before, found)
    return found


@njit(nogil=True, cache=True)
def _may_match(tables: Tables, pattern: int, settled: Ints, row: int) -> bool:
    """Whether the row has a text of each further set that the pattern requires."""
    place = tables.dfas[pattern, 6]
    sets = tables.also[place]
    for _ in range(sets):
        place += 1
        marks = tables.also[place]
        seen = False
        for _ in range(marks):
            place += 1
            seen = seen or settled[tables.also[place]] == row
        if not seen:
            return False
    return True


@njit(nogil=True, cache=True)
def _fits(code: int, data: Bytes, begin: int, end: int, at: int) -> bool:
    """Whether the literal that ends at byte ``at`` stands in a context that its entry allows."""
    before = at - (code >> LENGTH_SHIFT)
    left = 1 if before < begin else _context(data[before])
    if not code & left:
        return False
    right = 1 if at + 1 >= end else _context(data[at + 1])
    return (code >> AFTER_SHIFT) & right != 0


@njit(nogil=True, cache=True)
def _context(byte: int) -> int:
    """AT_WORD or AT_GAP of literals.py."""
    if byte >= 0x80 or 0x61 <= byte <= 0x7A or 0x41 <= byte <= 0x5A or 0x30 <= byte <= 0x39 or byte == 0x5F:
        return 4
    return 2


@njit(nogil=True, cache=True)
def _confirm(tables: Tables, pattern: int, data: Bytes, begin: int, end: int, length: int) -> bool:
    """Run the pattern's automaton from where a match may begin, if its first literal in the row ends after ``length`` bytes."""
    dfa = tables.dfas[pattern]
    base, column, width, state, reach = dfa[0] - FIRST, dfa[1], dfa[2], dfa[3], dfa[5]
    at = begin
    if reach != UNBOUNDED and length > reach:
        at = begin + length - reach - 1
        state = dfa[4]
    while at < end and state > MATCH:
        state = np.int32(tables.cells[base + state + tables.columns[column, tables.classes[data[at]]]])
        at += 1
    if state > MATCH:
        state = np.int32(tables.cells[base + state + width - 1])
    return state != DEAD


@njit(nogil=True, cache=True)
def _sort(values: Ints, begin: int, end: int) -> None:
    """Sort a part of an array in place."""
    if end - begin > 32:
        values[begin:end].sort()
        return
    for i in range(begin + 1, end):
        value = values[i]
        j = i
        while j > begin and values[j - 1] > value:
            values[j] = values[j - 1]
            j -= 1
        values[j] = value
