"""A row that comes alone is decided by one call of one kernel, which goes the way of ``Engine`` and ``Writer`` on a table of one row.

The same functions decide, so the answer is the same. What a call costs beside the row is what matters here: the pack and the room for what
is found are handed over by two numbers (``handed``), and what comes out is read at once.
"""

import threading
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from rayapp.scoring.confidence import confident_rows
from rayapp.scoring.core import analyse_rows
from rayapp.scoring.engine import Engine
from rayapp.scoring.evidence import ONE, PARTS, SUGGESTIONS, Findings
from rayapp.scoring.handed import Handed, taken
from rayapp.scoring.judge import judge_rows
from rayapp.scoring.marks import mark_rows, mark_verdicts
from rayapp.scoring.money import shade_rows
from rayapp.scoring.near import near_rows
from rayapp.scoring.output import Writer, name_ends, write_names
from rayapp.scoring.patterns import match_on
from rayapp.scoring.room import (
    ALIAS,
    BOOK,
    CATEGORY,
    FIRST_PART,
    FIRST_RULE,
    LEARNED,
    MERCHANT,
    NAME,
    PROCESSOR,
    ROOM,
    RULES,
    SCORE,
    Book,
    Room,
    book_of,
    new_room,
)
from rayapp.scoring.semantic import score_rows
from rayapp.scoring.single import Values
from rayapp.scoring.text import clean_rows

MOST_TURNS = 1 << 30
"""Rows after which the patterns' scratch is filled anew."""


class Told(NamedTuple):
    """What comes out: numbers by the places above, the confidence, and the merchant's name."""

    numbers: list[int]
    confidence: float
    name: str | None


@njit(nogil=True, cache=True, _nrt=False)
def decide(book_at: int, room_at: int, size: int) -> float:
    """Decide the row of so many bytes whose inputs stand in the room; gives the confidence."""
    book, room = taken(book_at, BOOK), taken(room_at, ROOM)
    _look(book, room, size)
    out, told = room.out, room.told
    found = _findings(room, room.unasked)
    room.turn[1] = judge_rows(room.row, room.inputs, found, book.merchants, book.rules, book.scales, room.reasons, room.turn[1], out)
    if book.asks and out.undecided[0]:
        _ask(book, room)
        found = _findings(room, room.row)
        room.turn[1] = judge_rows(room.row, room.inputs, found, book.merchants, book.rules, book.scales, room.reasons, room.turn[1], out)
    name_ends(out, room.row, book.names, room.facts, room.core, room.core_ends, room.name_ends, room.named)
    write_names(out.merchant, room.row, book.names, room.core, room.core_ends, room.name_ends, room.name)
    told[CATEGORY], told[SCORE], told[MERCHANT] = out.category[0], out.score[0], out.merchant[0]
    told[ALIAS], told[LEARNED], told[PROCESSOR] = out.alias[0], out.learned[0], room.facts.processor[0]
    told[NAME] = room.name_ends[1] if room.named[0] else -1
    told[RULES] = out.rule_count[0]
    for part in range(PARTS):
        told[FIRST_PART + part] = out.parts[0, part]
    for place in range(out.rule_count[0]):
        told[FIRST_RULE + place] = out.rule[0, place]
    confident_rows(out.basis, out.score, out.runner_up, book.curves, room.confidence)
    return room.confidence[0]


@njit(nogil=True, cache=True, _nrt=False)
def _look(book: Book, room: Room, size: int) -> None:
    """Look at the descriptor, as ``Engine.view`` does."""
    room.ends[1] = size
    clean_rows(room.data, room.ends, book.fold, room.plain, room.clean, room.clean_ends)
    analyse_rows(room.clean, room.clean_ends, book.lexicon, room.scan, room.core, room.core_ends, room.facts, room.hits)
    if room.turn[0] == MOST_TURNS:
        room.turn[0], room.matching.notes[:] = 0, -1
    found = match_on(book.patterns, room.clean, room.clean_ends, 0, 1, room.turn[0], room.matching, room.pattern_rows, room.pattern)
    room.turn[0] += 1
    room.pattern_ends[1] = found
    near_rows(book.near, room.core, room.core_ends, room.hits.offset, room.word, room.near, room.near_weight)


@njit(nogil=True, cache=True, _nrt=False)
def _findings(room: Room, suggestion: NDArray[np.int32]) -> Findings:
    ends, pattern = room.pattern_ends, room.pattern
    return Findings(room.hits, room.facts, ends, pattern, room.near, room.near_weight, suggestion, room.suggested, room.millionths)


@njit(nogil=True, cache=True, _nrt=False)
def _ask(book: Book, room: Room) -> None:
    """Ask the semantic model, as ``Engine`` does where nothing else decided."""
    marks, row, out = room.unmarked, room.row, room.out
    if book.marked:
        marks = room.marks
        shade_rows(row, room.inputs.amount, room.inputs.currency, book.worth, room.shade)
        facts = room.facts
        beside = (facts.processor, facts.store, facts.phone, room.clean, room.clean_ends)
        mark_rows(row, *beside, room.core, room.core_ends, book.marks, marks)
        mark_verdicts(row, room.shade, out.category, out.basis, book.marks, book.verdicts, marks)
    score_rows(room.core, room.core_ends, row, marks, book.model, room.counts, room.suggested, room.probability)
    for rank in range(SUGGESTIONS):
        room.millionths[0, rank] = np.int32(np.rint(np.float64(room.probability[0, rank]) * ONE))


class _Place(threading.local):
    """A room for each thread, and its parts as Python reads and writes them."""

    def __init__(self, book: Book) -> None:
        room = new_room(book)
        self.room = Handed(room, ROOM)
        self.data, self.name = room.data.data, room.name.data
        self.told = room.told
        self.inputs: list[Any] = [column.data for column in room.inputs[1:]]
        """All but the row's own number."""


class Alone:
    """Decides rows that come alone, by one pack. Safe to use from several threads."""

    def __init__(self, engine: Engine, writer: Writer) -> None:
        """Write down what the pack decides by."""
        book = book_of(engine, writer)
        self._book = Handed(book, BOOK)
        self._place = _Place(book)

    def decide(self, values: Values) -> Told:
        """Decide a row."""
        place, size = self._place, len(values.content)
        place.data[:size] = values.content
        for column, value in zip(place.inputs, values[1:], strict=True):
            column[0] = value
        confidence = decide(self._book.at, place.room.at, size)
        numbers = place.told.tolist()
        length = numbers[NAME]
        return Told(numbers, confidence, str(place.name[:length], "utf-8") if length >= 0 else None)
