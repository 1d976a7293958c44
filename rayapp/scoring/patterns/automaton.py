"""A small table-driven automaton per pattern that searches a row in one step per byte, whatever the pattern and the row.

Conditions on places are exact: a state remembers what stood before it, and a condition is decided when the next byte, or the
row's end, is known.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rayapp.scoring.patterns.nfa import Nfa, Side, holds, side_of
from rayapp.scoring.patterns.syntax import RejectedPattern

DEAD, MATCH, FIRST = 0, 1, 2
"""Values in a table: no match can follow, a match is certain, and the offset of the first state's row plus FIRST."""

MOST_STATES = 500
MOST_CELLS = 65_535 - FIRST
MOST_WORK = 1_000_000
"""Members of states times byte classes while an automaton is built: about half a CPU second."""
LOWER_BYTES = range(0x61, 0x7B)
SIDES = np.array([side_of(byte) for byte in range(256)], np.uint8)

Kernel = frozenset[int]


class Dfa(NamedTuple):
    """A search automaton.

    ``table`` holds one row of ``width`` values per state: one per byte class and, last, that of the row's end. ``classes`` maps
    256 bytes to their class. ``begin`` is the state at a row's start, ``middle`` the one in which to read the byte before the
    place from where a match may begin.
    """

    table: NDArray[np.uint16]
    width: int
    classes: NDArray[np.uint8]
    begin: int
    middle: int


def build_dfa(nfa: Nfa) -> Dfa | None:
    """Make the automaton deterministic; None if it grows too large, RejectedPattern if it can never match."""
    classes, samples = byte_classes(nfa)
    width = len(samples) + 1
    search = _Search(nfa, samples, min(MOST_STATES, MOST_CELLS // width))
    try:
        rows = search.run()
    except _TooLarge:
        return None
    alive = _reaches_match(rows)
    if not alive[:2].any():
        raise RejectedPattern("the pattern can never match", "look for a condition such as \\b between two letters")
    target = np.where(alive, np.arange(len(alive)) * width + FIRST, DEAD)
    table = np.array(rows, np.int64)
    values = np.where(table >= 0, target[np.maximum(table, 0)], np.where(table == _MATCH, MATCH, DEAD))
    return Dfa(values.astype(np.uint16).ravel(), width, classes, int(target[0]), int(target[1]))


_DEAD, _MATCH = -1, -2
"""While states are still numbered from zero."""


def byte_classes(nfa: Nfa) -> tuple[NDArray[np.uint8], list[int]]:
    """Classes of bytes that no edge tells apart, small letters with their capitals; and one member of each."""
    sets = dict.fromkeys(byte_set for steps in nfa.steps for byte_set, _ in steps)
    rows = [np.unpackbits(np.frombuffer(one.to_bytes(32, "little"), np.uint8), bitorder="little") for one in sets]
    rows.append(SIDES if has_places(nfa) else np.zeros(256, np.uint8))
    signatures = np.stack(rows)
    signatures[:, LOWER_BYTES] = signatures[:, [byte - 0x20 for byte in LOWER_BYTES]]
    _, samples, classes = np.unique(signatures, axis=1, return_index=True, return_inverse=True)
    return classes.astype(np.uint8).ravel(), samples.tolist()


def has_places(nfa: Nfa) -> bool:
    """Whether any empty edge has a condition."""
    return any(place is not None for edges in nfa.free for place, _ in edges)


def _reaches_match(rows: list[list[int]]) -> NDArray[np.bool_]:
    """Which states can still come to a match; most successors have larger numbers, so that few rounds are needed."""
    alive = [False] * len(rows)
    changed = True
    while changed:
        changed = False
        for state in reversed(range(len(rows))):
            if not alive[state] and any(to == _MATCH or (to >= 0 and alive[to]) for to in rows[state]):
                alive[state] = changed = True
    return np.array(alive)


class _TooLarge(Exception):
    """More states or work than allowed."""


class _Search:
    """The subset construction: a state is a set of automaton states after a byte, and what that byte was."""

    def __init__(self, nfa: Nfa, samples: list[int], most_states: int) -> None:
        self.nfa = nfa
        self.most_states = most_states
        self.work = 0
        self.has_places = has_places(nfa)
        self.has_copies = any(nfa.copies)
        self.samples = samples
        self.columns = [side_of(byte) if self.has_places else Side.GAP for byte in samples]
        self.columns_on = {side: [at for at, other in enumerate(self.columns) if other == side] for side in set(self.columns)}
        self.columns_in: dict[tuple[int, Side], list[int]] = {}
        self.sides = list(Side) if self.has_places else [Side.GAP]
        self.closures: dict[tuple[int, Side, Side], Kernel] = {}
        self.after_byte: dict[tuple[Kernel, Side], tuple[Kernel, Side] | None] = {}
        self.numbers: dict[tuple[Kernel, Side], int] = {}

    def run(self) -> list[list[int]]:
        """Rows of successors; state 0 is at a row's start, state 1 is before the byte that precedes a possible match."""
        begin = frozenset([self.nfa.begin])
        self.numbers = {(begin, Side.EDGE if self.has_places else Side.GAP): 0, (frozenset(), Side.GAP): 1}
        pending = list(self.numbers)
        rows: list[list[int]] = []
        while len(rows) < len(pending):
            kernel, before = pending[len(rows)]
            rows.append([self._number(found, pending) for found in self._successors(kernel, before)])
        return rows

    def _number(self, found: tuple[Kernel, Side] | None, pending: list[tuple[Kernel, Side]]) -> int:
        """The number of a successor, which is queued when it is new; None is a match."""
        if found is None:
            return _MATCH
        if not found[0]:
            return _DEAD
        if found not in self.numbers:
            if len(self.numbers) >= self.most_states:
                raise _TooLarge
            self.numbers[found] = len(self.numbers)
            pending.append(found)
        return self.numbers[found]

    def _successors(self, kernel: Kernel, before: Side) -> Iterable[tuple[Kernel, Side] | None]:
        """One successor per byte class, then that of the row's end."""
        self.work += len(kernel) * len(self.columns)
        if self.work > MOST_WORK:
            raise _TooLarge
        reached = [[self.nfa.begin] for _ in self.columns]
        matched = set()
        for side in self.columns_on:
            steps = self._steps(kernel, before, side)
            if steps is None:
                matched.add(side)
            for byte_set, target in steps or ():
                for column in self._columns_in(byte_set, side):
                    reached[column].append(target)
        for side, targets in zip(self.columns, reached, strict=True):
            after = Side.WORD if side == Side.INSIDE else side
            yield None if side in matched else self._after_byte(frozenset(targets), after)
        at_end = Side.EDGE if self.has_places else Side.GAP
        yield None if self._steps(kernel, before, at_end) is None else (frozenset(), Side.EDGE)

    def _columns_in(self, byte_set: int, side: Side) -> list[int]:
        """The columns of a side whose bytes are in the set."""
        key = (byte_set, side)
        if key not in self.columns_in:
            self.columns_in[key] = [column for column in self.columns_on[side] if byte_set >> self.samples[column] & 1]
        return self.columns_in[key]

    def _after_byte(self, reached: Kernel, before: Side) -> tuple[Kernel, Side] | None:
        """The state for what a byte reached, or None if a match is certain; many bytes reach the same."""
        key = (reached, before)
        if key not in self.after_byte:
            kernel = self._without_weaker(reached)
            self.after_byte[key] = None if self._is_certain(kernel, before) else (kernel, before)
        return self.after_byte[key]

    def _steps(self, kernel: Kernel, before: Side, after: Side) -> list[tuple[int, int]] | None:
        """The byte edges that are open between two sides, or None if a match ends here."""
        reached = self._closure(kernel, before, after)
        if self.nfa.accept in reached:
            return None
        return [step for state in reached for step in self.nfa.steps[state]]

    def _is_certain(self, kernel: Kernel, before: Side) -> bool:
        """Whether a match ends here whatever follows."""
        return all(self.nfa.accept in self._closure(kernel, before, after) for after in self.sides)

    def _closure(self, kernel: Kernel, before: Side, after: Side) -> set[int]:
        """Every state that empty edges lead to, with the conditions decided."""
        return {reached for state in kernel for reached in self._closure_of(state, before, after)}

    def _closure_of(self, state: int, before: Side, after: Side) -> Kernel:
        key = (state, before, after)
        if key not in self.closures:
            seen, pending = {state}, [state]
            while pending:
                for place, target in self.nfa.free[pending.pop()]:
                    if target not in seen and (place is None or holds(place, before, after)):
                        seen.add(target)
                        pending.append(target)
            self.closures[key] = frozenset(one for one in seen if self.nfa.steps[one] or one == self.nfa.accept)
        return self.closures[key]

    def _without_weaker(self, kernel: Kernel) -> Kernel:
        """Drop a state in a later optional copy where the same state of an earlier copy is present, which can do as much."""
        if not self.has_copies:
            return kernel
        strongest: dict[int, list[int]] = {}
        for state in sorted(kernel, key=self.nfa.copies.__getitem__):
            same = strongest.setdefault(self.nfa.label[state], [])
            if not any(self._is_weaker(state, other) for other in same):
                same.append(state)
        return frozenset(state for same in strongest.values() for state in same)

    def _is_weaker(self, state: int, other: int) -> bool:
        mine, theirs = self.nfa.copies[state], self.nfa.copies[other]
        return all(number >= earlier for number, earlier in zip(mine, theirs, strict=True))
