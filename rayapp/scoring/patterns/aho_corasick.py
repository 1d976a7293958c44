"""Aho-Corasick over byte classes: from every state, one load per byte gives the next state.

The table is kept small in three ways. A literal is looked for by its head only, as far as needed to tell it from all others, and
the rest is compared where the head occurs. A state without children has no row: after its hit, matching goes on from the state
that it would fall back to. And bytes beyond ASCII share a few classes, as literals with such bytes are compared whole.

Source: Aho and Corasick, "Efficient string matching: an aid to bibliographic search", CACM 18(6), 1975.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

SHORTEST_HEAD = 4
CLASSES_BEYOND_ASCII = 8

GO_ON, SHORTER, LITERALS, FIRST_LITERAL = range(4)
TEXT, LENGTH, HEAD, EQUAL, ENTRIES, ENTRY = range(6)
"""Numbers at a place in ``hits``, and numbers of one literal there; see Automaton."""

Bytes: TypeAlias = NDArray[np.uint8]
Ints: TypeAlias = NDArray[np.int32]
Entry: TypeAlias = tuple[int, int]


class Automaton(NamedTuple):
    """The tables; states are offsets of their rows in ``moves``.

    ``classes`` maps 256 bytes to classes, small letters to those of their capitals. ``moves`` has one row per state with the
    next state per class, or minus a place in ``hits``. At each such place ``hits`` holds: the state to GO_ON from, the place of
    the next SHORTER head that ends here too (0 is none), the number of LITERALS, and each of them from FIRST_LITERAL on: offset
    of its TEXT in ``texts``, its LENGTH, that of its HEAD, how many bytes are known to be EQUAL, number of ENTRIES, each ENTRY.
    """

    classes: Bytes
    moves: Ints
    hits: Ints
    texts: Bytes


def build_automaton(literals: Mapping[bytes, Sequence[Entry]]) -> Automaton:
    """Build the tables for literals, each with the pairs of numbers to report when it occurs."""
    texts = sorted(literals)
    heads = [text[:length] for text, length in zip(texts, _head_lengths(texts), strict=True)]
    classes = _classes(heads)
    starts = np.zeros(len(heads) + 1, np.int64)
    np.cumsum([len(head) for head in heads], out=starts[1:])
    trie = np.zeros((int(starts[-1]) + 1, int(classes.max()) + 1), np.int32)
    ends = np.empty(len(heads), np.int32)
    states = _insert(classes[np.frombuffer(b"".join(heads), np.uint8)], starts, trie, ends)
    trie, numbers = _renumber(trie[:states])
    is_leaf = ~trie.any(axis=1)
    is_leaf[0] = False
    literals_at: dict[int, list[int]] = {}
    for literal, state in enumerate(numbers[ends].tolist()):
        literals_at.setdefault(state, []).append(literal)
    has_literal = np.zeros(states, np.bool_)
    has_literal[list(literals_at)] = True
    fallback, link = _complete(trie, has_literal, is_leaf)
    rows = (np.cumsum(~is_leaf) - 1).astype(np.int32) * trie.shape[1]
    go_on = np.where(is_leaf, rows[fallback], rows)
    records = _Records(texts, heads, [literals[text] for text in texts])
    hits, places = records.write(literals_at, link, go_on)
    moves = np.where(places > 0, -places, rows)[trie[~is_leaf]]
    return Automaton(classes, moves.astype(np.int32), hits, np.frombuffer(b"".join(texts), np.uint8))


def _head_lengths(texts: Sequence[bytes]) -> Iterator[int]:
    """How many bytes of each text, of a sorted list, tell it from all others; at least SHORTEST_HEAD if it has as many."""
    shared = [0, *(_shared(first, second) for first, second in pairwise(texts)), 0]
    for text, (before, after) in zip(texts, pairwise(shared), strict=False):
        yield min(len(text), max(before + 1, after + 1, SHORTEST_HEAD))


def _shared(first: bytes, second: bytes) -> int:
    """The length of the common beginning."""
    length = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        length += 1
    return length


def _classes(heads: Sequence[bytes]) -> Bytes:
    """A class for each ASCII byte of a head, a few for all others, and 0 for bytes that are in none."""
    used = sorted({byte for head in heads for byte in head})
    ascii_bytes = [byte for byte in used if byte < 0x80]
    classes = np.zeros(256, np.uint8)
    classes[ascii_bytes] = np.arange(1, len(ascii_bytes) + 1)
    for byte in used[len(ascii_bytes) :]:
        classes[byte] = len(ascii_bytes) + 1 + byte % CLASSES_BEYOND_ASCII
    classes[0x61:0x7B] = classes[0x41:0x5B]
    return classes


@njit(cache=True)
def _insert(text: Bytes, starts: NDArray[np.int64], trie: Ints, ends: Ints) -> int:
    """Put every head in the trie; return the number of states."""
    states = 1
    for literal in range(ends.size):
        state = 0
        for i in range(starts[literal], starts[literal + 1]):
            if trie[state, text[i]] == 0:
                trie[state, text[i]] = states
                states += 1
            state = trie[state, text[i]]
        ends[literal] = state
    return states


@njit(cache=True)
def _renumber(trie: Ints) -> tuple[Ints, Ints]:
    """Number states breadth first, so that the much-visited shallow ones lie together."""
    order = np.zeros(trie.shape[0], np.int32)
    numbers = np.zeros(trie.shape[0], np.int32)
    known = 1
    for i in range(trie.shape[0]):
        for column in range(trie.shape[1]):
            child = trie[order[i], column]
            if child:
                order[known] = child
                numbers[child] = known
                known += 1
    return numbers[trie.ravel()].reshape(trie.shape)[order], numbers


@njit(cache=True)
def _complete(trie: Ints, has_literal: NDArray[np.bool_], is_leaf: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Fill in the moves of missing children.

    Returns for each state the nearest shorter state with a row, and the nearest shorter state with a literal (0 is none).
    """
    shorter = np.zeros(trie.shape[0], np.int32)
    fallback = np.zeros(trie.shape[0], np.int32)
    link = np.zeros(trie.shape[0], np.int32)
    for state in range(trie.shape[0]):
        back = shorter[state]
        fallback[state] = fallback[back] if is_leaf[back] else back
        link[state] = back if has_literal[back] else link[back]
        for column in range(trie.shape[1]):
            child = trie[state, column]
            if child > state:
                shorter[child] = trie[back, column] if state else 0
            elif state:
                trie[state, column] = trie[back, column]
    return fallback, link


class _Records(NamedTuple):
    """What is known of each literal, in order of ``texts``."""

    texts: Sequence[bytes]
    heads: Sequence[bytes]
    entries: Sequence[Sequence[Entry]]

    def write(self, literals_at: Mapping[int, Sequence[int]], link: Ints, go_on: Ints) -> tuple[Ints, Ints]:
        """Lay out ``hits``, shallow states first, as links point to shallower ones; also give each state's place in it."""
        offsets = np.cumsum([0, *map(len, self.texts)]).tolist()
        places = np.zeros(len(link), np.int32)
        hits = [0]
        for state in np.flatnonzero((link > 0) | np.isin(np.arange(len(link)), list(literals_at))).tolist():
            places[state] = len(hits)
            own = literals_at.get(state, ())
            hits += [int(go_on[state]), int(places[link[state]]), len(own)]
            for literal in own:
                text, head, entries = self.texts[literal], self.heads[literal], self.entries[literal]
                hits += [offsets[literal], len(text), len(head), len(head) if text.isascii() else 0, len(entries)]
                hits += [number for entry in entries for number in entry]
        return np.array(hits, np.int32), places
