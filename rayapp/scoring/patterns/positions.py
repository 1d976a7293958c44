"""A set-of-positions automaton per pattern, for patterns whose table-driven automaton would have too many states.

A position is a byte set of the pattern; the positions that the last byte matched are one bit set, and for each of them a bit set
tells which may come next. Any bounded repeat fits, and a row takes at most positions / 64 words of work per position and byte.

Source: Glushkov, "The abstract theory of automata", Russian Mathematical Surveys 16(5), 1961.
"""

from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rayapp.scoring.patterns.automaton import byte_classes, has_places
from rayapp.scoring.patterns.nfa import TOO_LARGE, ByteSet, Nfa, Side, holds
from rayapp.scoring.patterns.syntax import RejectedPattern

MOST_POSITIONS = 1_024

CHANGE, SAME, INSIDE = 0, 1, 2
"""Kinds of places between two bytes: word and not word, two of a kind, the middle of a character."""
SIDES_OF_KIND = {CHANGE: (Side.GAP, Side.WORD), SAME: (Side.GAP, Side.GAP), INSIDE: (Side.WORD, Side.INSIDE)}


class Positions(NamedTuple):
    """``table`` holds bit sets of ``words`` uint64 each, in this order.

    First positions at the row's start, then elsewhere, then last positions: each one set per kind of place. Last positions at
    the row's end after a byte that is not of a word, then after one that is. The positions that match each byte class. For each
    kind of place, the positions that follow each of the ``positions``. There are ``kinds`` kinds of places: three, or one if the
    pattern has no conditions.
    """

    table: NDArray[np.uint64]
    words: int
    positions: int
    kinds: int
    classes: NDArray[np.uint8]


def build_positions(nfa: Nfa) -> Positions:
    """Number the positions and tabulate what follows what, or raise RejectedPattern beyond MOST_POSITIONS."""
    edges = dict.fromkeys(edge for steps in nfa.steps for edge in steps)
    if len(edges) > MOST_POSITIONS:
        raise RejectedPattern(*TOO_LARGE)
    number = {edge: position for position, edge in enumerate(edges)}
    classes, samples = byte_classes(nfa)
    kinds = (CHANGE, SAME, INSIDE) if has_places(nfa) else (SAME,)
    reach = _Reach(nfa, number)
    sets = [reach.first(Side.EDGE, SIDES_OF_KIND[kind][1]) for kind in kinds]
    sets += [reach.first(*SIDES_OF_KIND[kind]) for kind in kinds]
    sets += [reach.last(*SIDES_OF_KIND[kind]) for kind in kinds]
    sets += [reach.last(before, Side.EDGE) for before in (Side.GAP, Side.WORD)]
    sets += [sum(1 << position for (byte_set, _), position in number.items() if byte_set >> byte & 1) for byte in samples]
    sets += [reach.after(target, *SIDES_OF_KIND[kind]) for kind, (_, target) in product(kinds, edges)]
    words = len(edges) // 64 + 1
    packed = b"".join(one.to_bytes(words * 8, "little") for one in sets)
    return Positions(np.frombuffer(packed, "<u8").astype(np.uint64), words, len(edges), len(kinds), classes)


class _Reach:
    """Which positions and ends empty edges lead to, as bit sets of positions."""

    def __init__(self, nfa: Nfa, number: dict[tuple[ByteSet, int], int]) -> None:
        self.nfa = nfa
        self.number = number
        self.known: dict[tuple[int, Side, Side], tuple[int, bool]] = {}

    def first(self, before: Side, after: Side) -> int:
        return self._from(self.nfa.begin, before, after)[0]

    def after(self, state: int, before: Side, after: Side) -> int:
        return self._from(state, before, after)[0]

    def last(self, before: Side, after: Side) -> int:
        return sum(1 << position for (_, target), position in self.number.items() if self._from(target, before, after)[1])

    def _from(self, state: int, before: Side, after: Side) -> tuple[int, bool]:
        """The positions that may come next from a state, and whether the pattern may end there."""
        key = (state, before, after)
        if key not in self.known:
            seen, pending = {state}, [state]
            while pending:
                for place, target in self.nfa.free[pending.pop()]:
                    if target not in seen and (place is None or holds(place, before, after)):
                        seen.add(target)
                        pending.append(target)
            bits = sum(1 << position for position in {self.number[edge] for one in seen for edge in self.nfa.steps[one]})
            self.known[key] = bits, self.nfa.accept in seen
        return self.known[key]
