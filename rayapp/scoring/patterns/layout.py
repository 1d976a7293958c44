"""From compiled patterns to the flat arrays of a set."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rayapp.scoring.patterns.aho_corasick import Entry, build_automaton
from rayapp.scoring.patterns.automaton import Dfa
from rayapp.scoring.patterns.literals import Literal
from rayapp.scoring.patterns.program import Program
from rayapp.scoring.patterns.tables import AFTER_SHIFT, CONFIRMS, DECIDES, UNBOUNDED, Bytes, Ints, Tables


def build_tables(programs: Sequence[Program]) -> Tables:
    """Lay out programs, whose ids are their positions."""
    marks = _number_marks(programs)
    automaton = build_automaton(_entries(programs, marks))
    patterns, cells, sets, columns = _lay_out_automata(programs)
    places, also = _lay_out_also(programs, marks)
    reaches = [UNBOUNDED if program.reach is None else program.reach for program in programs]
    unfiltered = np.array([index for index, program in enumerate(programs) if not program.literals], np.int32)
    rows = np.array(
        [(*record[:5], reach, place, record[5]) for record, reach, place in zip(patterns, reaches, places, strict=True)], np.int32
    )
    tables = Tables(*automaton, rows.reshape(-1, 8), cells, sets, columns, also, unfiltered)
    return Tables(*[read_only(table) for table in tables])


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """A contiguous array, or a view of it, that cannot be written to."""
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def _number_marks(programs: Sequence[Program]) -> dict[Literal, int]:
    """A number for each literal that is asked for besides: they follow the patterns' numbers."""
    literals = dict.fromkeys(literal for program in programs for one_of in program.also for literal in one_of)
    return {literal: len(programs) + number for number, literal in enumerate(literals)}


def _entries(programs: Sequence[Program], marks: dict[Literal, int]) -> dict[bytes, list[Entry]]:
    """Each distinct text with what to do when it is found, coded as Tables says."""
    entries: dict[bytes, list[Entry]] = {}
    uses = [(literal, mark, 0) for literal, mark in marks.items()]
    for pattern, program in enumerate(programs):
        uses += [(literal, pattern, DECIDES) for literal in program.decisive]
        uses += [(literal, pattern, CONFIRMS) for literal in program.required]
    for literal, number, meaning in uses:
        entries.setdefault(literal.text, []).append((number, literal.before | literal.after << AFTER_SHIFT | meaning))
    return entries


def _lay_out_automata(programs: Sequence[Program]) -> tuple[list[tuple[int, ...]], NDArray[np.uint16], NDArray[np.uint64], Bytes]:
    """Records (place, row in columns, width, begin, middle, kinds) and, one after the other, cells, bit sets and class maps."""
    records: list[tuple[int, ...]] = []
    cells = [np.zeros(0, np.uint16)]
    sets = [np.zeros(0, np.uint64)]
    columns: list[Bytes] = []
    for program in programs:
        automaton = program.automaton
        if automaton is None:
            records.append((0,) * 6)
            continue
        if isinstance(automaton, Dfa):
            records.append((sum(map(len, cells)), len(columns), automaton.width, automaton.begin, automaton.middle, 0))
            cells.append(automaton.table)
        else:
            records.append((sum(map(len, sets)), len(columns), automaton.words, automaton.positions, 0, automaton.kinds))
            sets.append(automaton.table)
        columns.append(automaton.classes)
    return records, np.concatenate(cells), np.concatenate(sets), np.array(columns, np.uint8).reshape(-1, 256)


def _lay_out_also(programs: Sequence[Program], marks: dict[Literal, int]) -> tuple[list[int], Ints]:
    """Where each pattern's further sets begin, and the sets; first the length of the scratch, then an empty list for most."""
    also = [3 * len(programs) + len(marks), 0]
    places = [1] * len(programs)
    for pattern, program in enumerate(programs):
        if program.also:
            places[pattern] = len(also)
            also.append(len(program.also))
            for one_of in program.also:
                also += [len(one_of), *(marks[literal] for literal in one_of)]
    return places, np.array(also, np.int32)
