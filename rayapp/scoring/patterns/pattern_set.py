"""Many patterns as one set of flat arrays that travels between processes without being rebuilt."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from rayapp.errors import InvalidSetup
from rayapp.scoring.patterns.aho_corasick import build_automaton
from rayapp.scoring.patterns.automaton import Dfa
from rayapp.scoring.patterns.kernel import AFTER_SHIFT, CONFIRMS, DECIDES, LENGTH_SHIFT, NO_DFA, UNBOUNDED, Tables, match_rows, new_scratch
from rayapp.scoring.patterns.literals import Literal
from rayapp.scoring.patterns.program import Program, compile_pattern
from rayapp.scoring.patterns.syntax import RejectedPattern

Pairs = tuple[NDArray[np.int32], NDArray[np.int32]]


class PatternFault(msgspec.Struct, frozen=True):
    """What is wrong with the pattern at ``index``, and what to write instead (or an empty string)."""

    index: int
    message: str
    suggestion: str


class PatternSet(NamedTuple):
    """Compiled patterns: their sources, in order of id, and the tables that match them."""

    patterns: tuple[str, ...]
    tables: Tables

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Give the whole set as named arrays, C-contiguous and read-only."""
        texts = [pattern.encode() for pattern in self.patterns]
        offsets = np.zeros(len(texts) + 1, np.int64)
        np.cumsum([len(text) for text in texts], out=offsets[1:])
        source = {"source": np.frombuffer(b"".join(texts), np.uint8), "source_offsets": _read_only(offsets)}
        return {**self.tables._asdict(), **source}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild the set, without copying, from what ``arrays`` gave; arrays from elsewhere are not checked."""
        source, offsets = arrays["source"].tobytes(), arrays["source_offsets"].tolist()
        patterns = tuple(source[begin:end].decode() for begin, end in pairwise(offsets))
        return cls(patterns, Tables(**{name: _read_only(arrays[name]) for name in Tables._fields}))


def find_faults(patterns: Sequence[str], most_unfiltered: int = 0) -> list[PatternFault]:
    """Every pattern that would be rejected, in order; ``most_unfiltered`` as in compile_patterns."""
    faults: list[PatternFault] = []
    unfiltered = 0
    for index, pattern in enumerate(patterns):
        try:
            program = compile_pattern(pattern)
        except RejectedPattern as rejection:
            faults.append(PatternFault(index, rejection.message, rejection.suggestion))
            continue
        unfiltered += not program.literals
        if not program.literals and unfiltered > most_unfiltered:
            faults.append(PatternFault(index, *NO_LITERAL))
    return faults


NO_LITERAL = (
    "no fixed text of three bytes is in every match, so that the pattern would be tried on every row",
    r"add fixed text, or bind a word of two with \b on both sides",
)


def compile_patterns(patterns: Sequence[str], most_unfiltered: int = 0) -> PatternSet:
    """Compile patterns, whose ids are their positions; raise InvalidSetup with every PatternFault if any is rejected.

    Up to ``most_unfiltered`` patterns may lack a fixed text; these cost time on every row.
    """
    faults = find_faults(patterns, most_unfiltered)
    if faults:
        raise InvalidSetup.of("patterns are rejected", faults)
    programs = [compile_pattern(pattern) for pattern in patterns]
    classes = _shared_classes(programs)
    marks = _number_marks(programs)
    entries = _entries(programs, marks)
    automaton = build_automaton(list(entries), list(entries.values()), classes)
    dfas, cells, columns = _lay_out(programs, classes)
    dfas[:, -1], also = _lay_out_also(programs, marks)
    unfiltered = np.array([index for index, program in enumerate(programs) if not program.literals], np.int32)
    tables = Tables(classes, automaton.moves, automaton.hits, dfas, cells, columns, also, unfiltered)
    return PatternSet(tuple(patterns), Tables(*[_read_only(table) for table in tables]))


def match(pattern_set: PatternSet, data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> Pairs:
    """Find all (row, pattern) pairs in order of row, then pattern, each once.

    Row r is ``data[offsets[r]:offsets[r + 1]]``, a clean view in UTF-8. Releases the GIL while it runs.
    """
    rows = len(offsets) - 1
    scratch = new_scratch(pattern_set.tables)
    room = 64 + 3 * rows
    while True:
        pairs = np.empty(room, np.int32), np.empty(room, np.int32)
        found = match_rows(pattern_set.tables, _read_only(data), _read_only(offsets), 0, rows, scratch, *pairs)
        if found <= room:
            return pairs[0][:found], pairs[1][:found]
        room = found


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    """A contiguous array, or a view of it, that cannot be written to."""
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def _shared_classes(programs: Sequence[Program]) -> NDArray[np.uint8]:
    """Classes of bytes that neither a literal nor an automaton of the set tells apart."""
    of_literals = np.zeros(256, np.uint8)
    used = sorted({byte for program in programs for literal in _literals(program) for byte in literal.text})
    of_literals[used] = np.arange(1, len(used) + 1)
    of_literals[0x61:0x7B] = of_literals[0x41:0x5B]
    signatures = np.stack([of_literals, *(program.dfa.classes for program in programs if program.dfa is not None)])
    _, classes = np.unique(signatures, axis=1, return_inverse=True)
    return classes.ravel().astype(np.uint8)


def _literals(program: Program) -> Iterator[Literal]:
    """Every literal that the automaton has to find for a program."""
    yield from program.literals
    for one_of in program.also:
        yield from one_of


def _number_marks(programs: Sequence[Program]) -> dict[Literal, int]:
    """A number for each literal that is asked for besides: they follow the patterns' numbers."""
    literals = dict.fromkeys(literal for program in programs for one_of in program.also for literal in one_of)
    return {literal: len(programs) + number for number, literal in enumerate(literals)}


def _entries(programs: Sequence[Program], marks: dict[Literal, int]) -> dict[bytes, list[tuple[int, int]]]:
    """Each distinct text with what to do when it is found, coded as kernel.Tables says."""
    entries: dict[bytes, list[tuple[int, int]]] = {}
    uses = [(literal, mark, 0) for literal, mark in marks.items()]
    for pattern, program in enumerate(programs):
        meaning = DECIDES if program.dfa is None else CONFIRMS
        uses += [(literal, pattern, meaning) for literal in program.literals]
    for literal, number, meaning in uses:
        code = literal.before | literal.after << AFTER_SHIFT | meaning | len(literal.text) << LENGTH_SHIFT
        entries.setdefault(literal.text, []).append((number, code))
    return entries


def _lay_out_also(programs: Sequence[Program], marks: dict[Literal, int]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Where each pattern's further sets begin, and the sets; first the length of the scratch, then an empty list for most."""
    also = [3 * len(programs) + len(marks), 0]
    places = np.ones(len(programs), np.int32)
    for pattern, program in enumerate(programs):
        if program.also:
            places[pattern] = len(also)
            also.append(len(program.also))
            for one_of in program.also:
                also += [len(one_of), *(marks[literal] for literal in one_of)]
    return places, np.array(also, np.int32)


def _lay_out(programs: Sequence[Program], classes: NDArray[np.uint8]) -> tuple[NDArray[np.int32], NDArray[np.uint16], NDArray[np.uint8]]:
    """Put the automata one after the other: their records, cells and column maps."""
    _, samples = np.unique(classes, return_index=True)
    dfas = np.full((len(programs), 7), NO_DFA, np.int32)
    cells: list[NDArray[np.uint16]] = [np.zeros(0, np.uint16)]
    columns: list[NDArray[np.uint8]] = []
    place = 0
    for pattern, program in enumerate(programs):
        dfa: Dfa | None = program.dfa
        if dfa is None:
            continue
        reach = UNBOUNDED if program.reach is None else program.reach
        dfas[pattern, :6] = (place, len(columns), dfa.width, dfa.begin, dfa.middle, reach)
        cells.append(dfa.table)
        columns.append(dfa.classes[samples])
        place += dfa.table.size
    return dfas, np.concatenate(cells), np.array(columns, np.uint8).reshape(-1, len(samples))
