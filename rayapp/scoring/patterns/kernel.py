"""The compiled loop that finds, row by row, which patterns occur."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from rayapp.scoring.patterns.aho_corasick import ENTRIES, ENTRY, EQUAL, FIRST_LITERAL, GO_ON, HEAD, LENGTH, LITERALS, SHORTER, TEXT
from rayapp.scoring.patterns.confirm import context, run_dfa, run_positions
from rayapp.scoring.patterns.literals import AT_EDGE
from rayapp.scoring.patterns.tables import AFTER_SHIFT, ALSO, CONFIRMS, DECIDES, KINDS, REACH, UNBOUNDED, Bytes, Ints, Matching, Tables


@njit(nogil=True, cache=True, _nrt=False)
def match_rows(
    tables: Tables,
    data: Bytes,
    offsets: NDArray[np.int64],
    first: int,
    last: int,
    scratch: Matching,
    out_rows: Ints,
    out_patterns: Ints,
) -> int:
    """Match rows ``first`` to ``last`` (exclusive) and return the number of pairs found.

    Row r is ``data[offsets[r]:offsets[r + 1]]``. Pairs are written in order of row, then pattern, each once, as far as the two
    outputs are long; a return value above their length asks for longer ones. ``scratch`` is from new_scratch. At most 2**30 rows.
    """
    if scratch.notes.size != tables.also[0]:
        raise ValueError("the scratch is not from new_scratch")
    scratch.notes[: scratch.notes.size - 2 * tables.patterns.shape[0]] = -1
    return match_on(tables, data, offsets, first, last, 0, scratch, out_rows, out_patterns)


@njit(nogil=True, cache=True, _nrt=False)
def match_on(
    tables: Tables,
    data: Bytes,
    offsets: NDArray[np.int64],
    first: int,
    last: int,
    turn: int,
    scratch: Matching,
    out_rows: Ints,
    out_patterns: Ints,
) -> int:
    """Match as ``match_rows`` does, with scratch that was used for ``turn`` rows since it was last filled with -1."""
    patterns, also, columns = tables.patterns, tables.also, tables.columns.reshape(-1)
    count = patterns.shape[0]
    notes = scratch.notes
    settled, candidates = notes[: notes.size - 2 * count], notes[notes.size - 2 * count :]
    room = min(out_rows.size, out_patterns.size)
    classes, hits = tables.classes, tables.hits
    moves = tables.moves.reshape(-1)
    found = 0
    for row in range(first, last):
        begin, end = offsets[row], offsets[row + 1]
        seen, decided = 2 * (turn + row - first), 2 * (turn + row - first) + 1
        found_before = found
        waiting = 0
        for pattern in tables.unfiltered:
            candidates[waiting] = pattern
            candidates[waiting + 1] = 0
            waiting += 2
        state = np.int32(0)
        for at in range(begin, end):
            state = moves[state + classes[data[at]]]
            if state >= 0:
                continue
            place = -state
            state = hits[place + GO_ON]
            while place:
                record = place + FIRST_LITERAL
                for _ in range(hits[place + LITERALS]):
                    literal, entry = record, record + ENTRY
                    record = entry + 2 * hits[literal + ENTRIES]
                    start = at + 1 - hits[literal + HEAD]
                    stop = start + hits[literal + LENGTH]
                    if start < begin or stop > end:
                        continue
                    if not _is_text(tables.texts, hits[literal + TEXT], data, start, stop, hits[literal + EQUAL]):
                        continue
                    fits = _contexts(data, begin, end, start, stop)
                    for i in range(entry, record, 2):
                        pattern, code = hits[i], hits[i + 1]
                        known = settled[pattern]
                        if known == decided or code & fits != fits:
                            continue
                        if code & DECIDES:
                            settled[pattern] = decided
                            if found < room:
                                out_patterns[found] = pattern
                            found += 1
                        elif known != seen:
                            settled[pattern] = seen
                            if not code & CONFIRMS:
                                continue
                            candidates[waiting] = pattern
                            candidates[waiting + 1] = at + 1 - begin
                            waiting += 2
                place = hits[place + SHORTER]
        for i in range(0, waiting, 2):
            pattern, length = candidates[i], candidates[i + 1]
            if settled[pattern] == decided or not _may_match(also, patterns[pattern, ALSO], settled, seen):
                continue
            record = patterns[pattern]
            skipped = 0 if record[REACH] == UNBOUNDED else max(length - record[REACH], 0)
            if record[KINDS]:
                matches = run_positions(record, tables.sets, columns, scratch.sets, data, begin, end, skipped)
            else:
                matches = run_dfa(record, tables.cells, columns, data, begin, end, skipped)
            if matches:
                if found < room:
                    out_patterns[found] = pattern
                found += 1
        if found > found_before and found <= room:
            out_rows[found_before:found] = row
            _sort(out_patterns, found_before, found)
    return found


@njit(nogil=True, cache=True, _nrt=False)
def _is_text(texts: Bytes, offset: int, data: Bytes, start: int, stop: int, equal: int) -> bool:
    """Whether ``data[start:stop]`` is the upper-case text at ``offset``, of which the first ``equal`` bytes are known to be."""
    for i in range(equal, stop - start):
        byte = data[start + i]
        if 0x61 <= byte <= 0x7A:
            byte -= 0x20
        if byte != texts[offset + i]:
            return False
    return True


@njit(nogil=True, cache=True, _nrt=False)
def _contexts(data: Bytes, begin: int, end: int, start: int, stop: int) -> int:
    """What stands before and after a literal, coded as in an entry."""
    before = AT_EDGE if start == begin else context(data[start - 1])
    after = AT_EDGE if stop == end else context(data[stop])
    return before | after << AFTER_SHIFT


@njit(nogil=True, cache=True, _nrt=False)
def _may_match(also: Ints, place: int, settled: Ints, seen: int) -> bool:
    """Whether the row has a text of each further set that the pattern requires; the sets are at a place in ``also``."""
    sets = also[place]
    for _ in range(sets):
        place += 1
        marks = also[place]
        found = False
        for _ in range(marks):
            place += 1
            found = found or settled[also[place]] == seen
        if not found:
            return False
    return True


@njit(nogil=True, cache=True, _nrt=False)
def _sort(values: Ints, begin: int, end: int) -> None:
    """Sort a part of an array in place: a few by insertion, many by a heap."""
    if end - begin > 32:
        for top in range((end - begin) // 2 - 1, -1, -1):
            _sift(values, begin, top, end - begin)
        for size in range(end - begin - 1, 0, -1):
            values[begin], values[begin + size] = values[begin + size], values[begin]
            _sift(values, begin, 0, size)
        return
    for i in range(begin + 1, end):
        value = values[i]
        j = i
        while j > begin and values[j - 1] > value:
            values[j] = values[j - 1]
            j -= 1
        values[j] = value


@njit(nogil=True, cache=True, _nrt=False)
def _sift(values: Ints, begin: int, top: int, size: int) -> None:
    """Let a value sink in a heap of ``size`` values until none below it is larger."""
    value = values[begin + top]
    below = 2 * top + 1
    while below < size:
        below += below + 1 < size and values[begin + below + 1] > values[begin + below]
        if values[begin + below] <= value:
            break
        values[begin + top] = values[begin + below]
        top, below = below, 2 * below + 1
    values[begin + top] = value
