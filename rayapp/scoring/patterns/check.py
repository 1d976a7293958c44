"""Checks that pattern tables from elsewhere never lead a kernel outside them, or round in a circle.

The kernels trust their tables: a state is an offset, a hit a place. Here each such number is followed once, without matching anything.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from rayapp.errors import InvalidSetup
from rayapp.scoring.patterns.aho_corasick import ENTRIES, ENTRY, EQUAL, FIRST_LITERAL, GO_ON, HEAD, LENGTH, LITERALS, SHORTER, TEXT
from rayapp.scoring.patterns.automaton import FIRST
from rayapp.scoring.patterns.positions import MOST_POSITIONS
from rayapp.scoring.patterns.tables import (
    ALSO,
    BEGIN,
    COLUMNS,
    CONFIRMS,
    DECIDES,
    KINDS,
    MIDDLE,
    PLACE,
    REACH,
    UNBOUNDED,
    WIDTH,
    Bytes,
    Cells,
    Ints,
    Sets,
    Tables,
)

TYPES = {
    "classes": (np.uint8, (256,)),
    "moves": (np.int32, (None, None)),
    "hits": (np.int32, (None,)),
    "texts": (np.uint8, (None,)),
    "patterns": (np.int32, (None, KINDS + 1)),
    "cells": (np.uint16, (None,)),
    "sets": (np.uint64, (None,)),
    "columns": (np.uint8, (None, 256)),
    "also": (np.int32, (None,)),
    "unfiltered": (np.int32, (None,)),
    "source": (np.uint8, (None,)),
    "source_offsets": (np.int64, (None,)),
}
MOST_SOURCE = 1_000
"""Bytes of a pattern's source."""
ONE_KIND, ALL_KINDS = 1, 3
WORD = 64


def check_arrays(arrays: Mapping[str, NDArray[Any]]) -> None:
    """Raise ``InvalidSetup`` unless ``arrays`` are such as ``PatternSet.arrays`` gives."""
    for name, (kind, shape) in TYPES.items():
        found = arrays.get(name)
        fits = found is not None and found.dtype == kind and found.ndim == len(shape)
        if found is None or not fits or any(size not in {None, real} for size, real in zip(shape, found.shape, strict=True)):
            raise InvalidSetup(f"patterns: {name} is not an array of {np.dtype(kind)} of its shape")
    tables = Tables(**{name: np.require(arrays[name], requirements=["C", "A"]) for name in Tables._fields})
    checks = {
        "moves": _moves_fit(tables.classes, tables.moves, tables.hits.size),
        "also": _also_fits(tables.patterns, tables.also, tables.hits.size + tables.also.size),
        "patterns": _records_fit(tables.patterns, tables.columns),
        "source": _source_fits(arrays["source"], arrays["source_offsets"], len(tables.patterns)),
    }
    _refuse(checks)
    count = len(tables.patterns)
    marks = int(tables.also[0]) - 2 * count
    unfiltered = np.zeros(count, np.uint8)
    inside = tables.unfiltered.size == 0 or (int(tables.unfiltered.min()) >= 0 and int(tables.unfiltered.max()) < count)
    if inside:
        unfiltered[tables.unfiltered] = 1
    checks = {"unfiltered": inside and int(unfiltered.sum()) == tables.unfiltered.size}
    _refuse(checks)
    confirmed = unfiltered.copy()
    places = np.zeros(tables.hits.size, np.uint8)
    _refuse({"hits": _hits_fit(tables, marks, unfiltered, confirmed, places)})
    _refuse({"moves": _moves_lead_to(tables.moves, places), "cells": _automata_fit(tables, confirmed)})


def _refuse(checks: Mapping[str, bool]) -> None:
    for name, fits in checks.items():
        if not fits:
            raise InvalidSetup(f"patterns: a number in {name} leads nowhere")


def _source_fits(source: Bytes, offsets: NDArray[np.int64], count: int) -> bool:
    """Tell whether the sources are texts of UTF-8, one for each pattern."""
    if offsets.size != count + 1 or offsets[0] != 0 or offsets[-1] != source.size:
        return False
    lengths = np.diff(offsets)
    if lengths.size and (int(lengths.min()) < 0 or int(lengths.max()) > MOST_SOURCE):
        return False
    raw = source.tobytes()
    try:
        for first, last in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
            raw[first:last].decode()
    except UnicodeDecodeError:
        return False
    return True


def _records_fit(patterns: Ints, columns: Bytes) -> bool:
    """Tell whether each pattern's numbers are possible ones, as far as they stand alone."""
    if not len(patterns):
        return True
    reach, kinds = patterns[:, REACH], patterns[:, KINDS]
    rows_fit = int(patterns[:, COLUMNS].max()) < max(len(columns), 1) and int(patterns[:, :REACH].min()) >= 0
    return rows_fit and bool((reach >= UNBOUNDED).all()) and bool(np.isin(kinds, (0, ONE_KIND, ALL_KINDS)).all())


@njit(nogil=True, cache=True)
def _moves_fit(classes: Bytes, moves: Ints, hits: int) -> bool:
    """Tell whether every move leads to a row of moves or into the hits."""
    rows, width = moves.shape
    if rows == 0 or width == 0 or classes.max() >= width or hits == 0 or rows * width >= 1 << 31:
        return False
    for row in range(rows):
        for column in range(width):
            to = moves[row, column]
            if to >= rows * width or to <= -hits or (to > 0 and to % width != 0):
                return False
    return True


@njit(nogil=True, cache=True)
def _moves_lead_to(moves: Ints, places: Bytes) -> bool:
    """Tell whether every move into the hits leads to the beginning of a record."""
    for row in range(moves.shape[0]):
        for column in range(moves.shape[1]):
            if moves[row, column] < 0 and places[-moves[row, column]] == 0:
                return False
    return True


@njit(nogil=True, cache=True)
def _also_fits(patterns: Ints, also: Ints, most: int) -> bool:
    """Tell whether the length of the scratch is possible and every further set lies within, with marks that there are."""
    count = patterns.shape[0]
    if also.size < 2 or also[0] < 3 * count or also[0] > 3 * count + most:
        return False
    settled = also[0] - 2 * count
    for pattern in range(count):
        place = np.int64(patterns[pattern, ALSO])
        if place < 1 or place >= also.size or also[place] < 0:
            return False
        sets = also[place]
        for _ in range(sets):
            place += 1
            if place >= also.size or also[place] < 0 or place + also[place] >= also.size:
                return False
            for i in range(place + 1, place + 1 + also[place]):
                if also[i] < 0 or also[i] >= settled:
                    return False
            place += also[place]
    return True


@njit(nogil=True, cache=True)
def _hits_fit(tables: Tables, settled: int, unfiltered: Bytes, confirmed: Bytes, places: Bytes) -> bool:
    """Walk the records of the hits from the first to the last; notes where each begins and which patterns their entries confirm."""
    hits, texts, count = tables.hits, tables.texts, tables.patterns.shape[0]
    states, width = tables.moves.size, tables.moves.shape[1]
    place = np.int64(1)
    while place < hits.size:
        if place + FIRST_LITERAL > hits.size:
            return False
        go_on, shorter, literals = hits[place + GO_ON], hits[place + SHORTER], hits[place + LITERALS]
        if go_on < 0 or go_on >= states or go_on % width != 0 or literals < 0:
            return False
        if shorter < 0 or shorter >= place or (shorter > 0 and places[shorter] == 0):
            return False
        places[place] = 1
        record = place + FIRST_LITERAL
        for _ in range(literals):
            if record + ENTRY > hits.size:
                return False
            text, length, head = np.int64(hits[record + TEXT]), np.int64(hits[record + LENGTH]), hits[record + HEAD]
            entries = np.int64(hits[record + ENTRIES])
            if text < 0 or head < 1 or length < head or text + length > texts.size or hits[record + EQUAL] < 0 or entries < 0:
                return False
            entry = record + ENTRY
            record = entry + 2 * entries
            if record > hits.size:
                return False
            for i in range(entry, record, 2):
                number, code = hits[i], hits[i + 1]
                if number < 0 or number >= settled or code < 0 or (code & (DECIDES | CONFIRMS) and number >= count):
                    return False
                if code & CONFIRMS:
                    if unfiltered[number]:
                        return False
                    confirmed[number] = 1
        place = record
    return True


@njit(nogil=True, cache=True)
def _automata_fit(tables: Tables, confirmed: Bytes) -> bool:
    """Tell whether every pattern that needs an automaton has one within its table, which leads nowhere else."""
    patterns, cells, columns = tables.patterns, tables.cells, tables.columns
    taken = np.zeros(cells.size + 1, np.uint8)
    for pattern in range(patterns.shape[0]):
        if confirmed[pattern] and patterns[pattern, KINDS] == 0:
            place = patterns[pattern, PLACE]
            if place >= cells.size or taken[place]:
                return False
            taken[place] = 1
    end = np.full(cells.size + 1, cells.size, np.int64)
    for place in range(cells.size - 1, -1, -1):
        end[place] = place + 1 if taken[place + 1] else end[place + 1]
    for pattern in range(patterns.shape[0]):
        if not confirmed[pattern]:
            continue
        record = patterns[pattern]
        if columns.shape[0] == 0:
            return False
        classes = np.int64(columns[record[COLUMNS]].max()) + 1
        if record[KINDS] == 0:
            if not _dfa_fits(record, cells, record[PLACE], end[record[PLACE]], classes):
                return False
        elif not _positions_fit(record, tables.sets, classes):
            return False
    return True


@njit(nogil=True, cache=True)
def _dfa_fits(record: Ints, cells: Cells, first: int, last: int, classes: int) -> bool:
    """Tell whether no state of a table leads out of its part ``cells[first:last]``."""
    width = record[WIDTH]
    if width <= classes - 1 or width < 1:
        return False
    most = last - first - width + FIRST
    if record[BEGIN] > most or record[MIDDLE] > most:
        return False
    for i in range(first, last):
        if cells[i] >= FIRST and cells[i] > most:
            return False
    return True


@njit(nogil=True, cache=True)
def _positions_fit(record: Ints, sets: Sets, classes: int) -> bool:
    """Tell whether the bit sets lie within their table, and none that a byte can reach has a bit beyond the positions."""
    words, count, kinds = np.int64(record[WIDTH]), np.int64(record[BEGIN]), np.int64(record[KINDS])
    if words < 1 or count < 0 or count > MOST_POSITIONS or words * WORD < count or words > MOST_POSITIONS // WORD + 1:
        return False
    matching = record[PLACE] + (3 * kinds + 2) * words
    if matching + (classes + kinds * count) * words > sets.size:
        return False
    for one in range(classes):
        for word in range(words):
            spare = count - word * WORD
            value = sets[matching + one * words + word]
            if spare <= 0:
                if value != 0:
                    return False
            elif spare < WORD and value >> np.uint64(spare) != 0:
                return False
    return True
