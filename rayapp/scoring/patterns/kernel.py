"""The compiled loop that finds, row by row, which patterns occur."""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from rayapp.scoring.patterns.automaton import DEAD, FIRST, MATCH

AFTER_SHIFT, DECIDES, LENGTH_SHIFT = 3, 64, 8
"""An entry's second number: contexts allowed before (3 bits) and after (3 bits), whether it decides, the literal's length."""

NO_DFA = -1
UNBOUNDED = -1


class Tables(NamedTuple):
    """A pattern set as flat arrays.

    ``classes`` maps 256 bytes to byte classes, small letters to those of their capitals. ``moves`` and ``hits`` are those of
    aho_corasick.Automaton with entries (pattern, code). ``dfas`` has a row per pattern: place in ``cells`` (NO_DFA if a literal
    decides), row in ``columns``, width, begin, middle, reach. ``cells`` are the Dfa tables one after the other; ``columns`` maps
    byte classes to the columns of one Dfa. ``unfiltered`` are the patterns to try on every row.
    """

    classes: NDArray[np.uint8]
    moves: NDArray[np.int32]
    hits: NDArray[np.int32]
    dfas: NDArray[np.int32]
    cells: NDArray[np.uint16]
    columns: NDArray[np.uint8]
    unfiltered: NDArray[np.int32]


@njit(nogil=True, cache=True)
def match_rows(
    tables: Any,  # noqa: ANN401 - numba infers the types
    data: Any,  # noqa: ANN401
    offsets: Any,  # noqa: ANN401
    first: int,
    last: int,
    settled: Any,  # noqa: ANN401
    out_rows: Any,  # noqa: ANN401
    out_patterns: Any,  # noqa: ANN401
) -> int:
    """Match rows ``first`` to ``last`` (exclusive) and return the number of pairs found.

    Row r is ``data[offsets[r]:offsets[r + 1]]``. Pairs are written in order of row, then pattern, each once, as far as the two
    outputs are long; a return value above their length asks for longer ones. ``settled`` is scratch, one int32 per pattern.
    """
    settled[:] = -1
    classes = tables.classes
    width = tables.moves.shape[1]
    moves = tables.moves.reshape(-1)
    hits = tables.hits
    room = min(out_rows.size, out_patterns.size)
    found = 0
    for row in range(first, last):
        begin, end = offsets[row], offsets[row + 1]
        found_before = found
        for i in range(tables.unfiltered.size):
            pattern = tables.unfiltered[i]
            if _confirm(tables, pattern, data, begin, end, begin):
                if found < room:
                    out_patterns[found] = pattern
                found += 1
        state = np.int32(0)
        for at in range(begin, end):
            state = moves[state + classes[data[at]]]
            if state >= 0:
                continue
            state = -state
            place = moves[state + width - 1]
            while place:
                for entry in range(place + 2, place + 2 + 2 * hits[place + 1], 2):
                    pattern, code = hits[entry], hits[entry + 1]
                    if settled[pattern] == row or not _fits(code, data, begin, end, at):
                        continue
                    if not code & DECIDES:
                        settled[pattern] = row
                        if not _confirm(tables, pattern, data, begin, end, at + 1):
                            continue
                    settled[pattern] = row
                    if found < room:
                        out_patterns[found] = pattern
                    found += 1
                place = hits[place]
        if found > found_before and found <= room:
            out_rows[found_before:found] = row
            _sort(out_patterns, found_before, found)
    return found


@njit(nogil=True, cache=True)
def _fits(code: Any, data: Any, begin: int, end: int, at: int) -> bool:  # noqa: ANN401
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
def _confirm(tables: Any, pattern: int, data: Any, begin: int, end: int, literal_end: int) -> bool:  # noqa: ANN401
    """Run the pattern's automaton from the first place where a match with this, the row's first, literal may begin."""
    dfa = tables.dfas[pattern]
    base, column, width, state, reach = dfa[0] - FIRST, dfa[1], dfa[2], dfa[3], dfa[5]
    at = begin
    if reach != UNBOUNDED and literal_end - reach > begin:
        at = literal_end - reach - 1
        state = dfa[4]
    while at < end and state > MATCH:
        state = np.int32(tables.cells[base + state + tables.columns[column, tables.classes[data[at]]]])
        at += 1
    if state > MATCH:
        state = np.int32(tables.cells[base + state + width - 1])
    return state != DEAD


@njit(nogil=True, cache=True)
def _sort(values: Any, begin: int, end: int) -> None:  # noqa: ANN401
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
