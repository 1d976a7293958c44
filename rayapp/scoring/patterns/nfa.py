"""Thompson's automaton of a pattern over bytes, with the conditions on places kept on its empty edges."""

from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

from rayapp.scoring.patterns.charsets import LAST_ASCII, Ranges, has_all_beyond_ascii, utf8_sequences
from rayapp.scoring.patterns.literals import is_word
from rayapp.scoring.patterns.syntax import Chars, Choice, Node, Place, RejectedPattern, Repeat, Sequence

MOST_STATES = 6_000

ByteSet = int
"""Bit b is set if byte b is a member."""

CONTINUATION: ByteSet = ((1 << 0x40) - 1) << 0x80
LEADS: ByteSet = ((1 << 0x40) - 1) << 0xC0
TOO_LARGE = ("the repeats of this pattern are too large", "bound the repeat: a small {m,n}, or split the pattern in two")


class Side(IntEnum):
    """What stands on one side of a place; INSIDE is the middle of a character, where no condition holds."""

    EDGE = 0
    GAP = 1
    WORD = 2
    INSIDE = 3


class Nfa(NamedTuple):
    """States are indices into ``free`` (empty edges: condition or None, target) and ``steps`` (byte set, target).

    ``label`` and ``copies`` describe optional copies of a repeat: of two states with the same label, the one whose copy numbers
    are all less or equal can do whatever the other can.
    """

    free: list[list[tuple[Place | None, int]]]
    steps: list[list[tuple[ByteSet, int]]]
    label: list[int]
    copies: list[tuple[int, ...]]
    begin: int
    accept: int


def side_of(byte: int) -> Side:
    """The side that a byte makes for the place before it."""
    if 0x80 <= byte <= 0xBF:
        return Side.INSIDE
    return Side.WORD if is_word(byte) else Side.GAP


def holds(place: Place, before: Side, after: Side) -> bool:
    """Whether the condition is true between the two sides; ``before`` is never INSIDE (a whole character counts as WORD)."""
    if after == Side.INSIDE:
        return False
    if place == Place.START:
        return before == Side.EDGE
    if place == Place.END:
        return after == Side.EDGE
    return ((before == Side.WORD) != (after == Side.WORD)) == (place == Place.WORD_EDGE)


def build_nfa(node: Node) -> Nfa:
    """Translate the tree, or raise RejectedPattern beyond MOST_STATES states."""
    builder = _Builder()
    begin, accept = builder.state(), builder.state()
    builder.connect(node, begin, accept)
    return Nfa(builder.free, builder.steps, builder.label, builder.copies, begin, accept)


class _Builder:
    """Grows the lists of an Nfa."""

    def __init__(self) -> None:
        self.free: list[list[tuple[Place | None, int]]] = []
        self.steps: list[list[tuple[ByteSet, int]]] = []
        self.label: list[int] = []
        self.copies: list[tuple[int, ...]] = []
        self.next_label = 0
        self.copy: tuple[int, ...] = ()

    def state(self) -> int:
        if len(self.free) >= MOST_STATES:
            raise RejectedPattern(*TOO_LARGE)
        self.free.append([])
        self.steps.append([])
        self.label.append(self.next_label)
        self.copies.append(self.copy)
        self.next_label += 1
        return len(self.free) - 1

    def connect(self, node: Node, begin: int, end: int) -> None:
        """Add paths for the node from ``begin`` to ``end``."""
        if isinstance(node, Place):
            self.free[begin].append((node, end))
        elif isinstance(node, Chars):
            self._connect_chars(node.ranges, begin, end)
        elif isinstance(node, Sequence):
            for part in node.parts[:-1]:
                middle = self.state()
                self.connect(part, begin, middle)
                begin = middle
            if node.parts:
                self.connect(node.parts[-1], begin, end)
            else:
                self.free[begin].append((None, end))
        elif isinstance(node, Choice):
            for part in node.parts:
                self.connect(part, begin, end)
        else:
            self._connect_repeat(node, begin, end)

    def _connect_repeat(self, node: Repeat, begin: int, end: int) -> None:
        """Needed copies in a row, then a loop or copies that may each be the last."""
        for _ in range(node.least):
            begin = self._copy_after(node.part, begin)
        if node.most is None:
            loop = self.state()
            self.free[begin].append((None, loop))
            self.free[self._copy_after(node.part, loop)].append((None, loop))
            self.free[loop].append((None, end))
            return
        first_label, outer = self.next_label, self.copy
        for number in range(node.most - node.least):
            self.free[begin].append((None, end))
            self.next_label, self.copy = first_label, (*outer, number)
            begin = self._copy_after(node.part, begin)
        self.copy = outer
        self.free[begin].append((None, end))

    def _copy_after(self, node: Node, begin: int) -> int:
        """One copy between fresh states, so that paths of neighbours cannot mix."""
        inside, end = self.state(), self.state()
        self.free[begin].append((None, inside))
        self.connect(node, inside, end)
        return end

    def _connect_chars(self, ranges: Ranges, begin: int, end: int) -> None:
        ascii_bytes, all_beyond, sequences = _byte_edges(ranges)
        if all_beyond:
            whole = self.state()
            self.steps[begin].append((ascii_bytes | LEADS, whole))
            self.steps[whole].append((CONTINUATION, whole))
            self.free[whole].append((None, end))
            return
        if ascii_bytes:
            self.steps[begin].append((ascii_bytes, end))
        for sequence in sequences:
            at = begin
            for byte_set in sequence[:-1]:
                middle = self.state()
                self.steps[at].append((byte_set, middle))
                at = middle
            self.steps[at].append((sequence[-1], end))


@lru_cache(maxsize=256)
def _byte_edges(ranges: Ranges) -> tuple[ByteSet, bool, tuple[tuple[ByteSet, ...], ...]]:
    """The ASCII members, whether all others are members, and else the byte sequences of the others."""
    sequences = list(utf8_sequences(ranges))
    ascii_bytes = 0
    longer: list[tuple[ByteSet, ...]] = []
    for sequence in sequences:
        sets = tuple(((2 << high) - 1) ^ ((1 << low) - 1) for low, high in sequence)
        if sequence[0][0] <= LAST_ASCII:
            ascii_bytes |= sets[0]
        else:
            longer.append(sets)
    return ascii_bytes, has_all_beyond_ascii(ranges), tuple(longer)
