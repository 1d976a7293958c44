"""Aho-Corasick over byte classes as one flat table: from every state, one load per byte gives the next state.

Source: Aho and Corasick, "Efficient string matching: an aid to bibliographic search", CACM 18(6), 1975.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int32]


class Automaton(NamedTuple):
    """States are offsets of their rows.

    ``moves`` has one row per state: the next state per class, negated where literals end in it, and last the place in ``hits``.
    ``hits`` holds, at each such place: the place of the longest shorter literal that ends here too (0 is none), the number of
    entries, and the entries (two numbers each) of the literals that end here.
    """

    moves: Ints
    hits: Ints


def build_automaton(literals: Sequence[bytes], entries: Sequence[Sequence[tuple[int, int]]], classes: NDArray[np.uint8]) -> Automaton:
    """Build the table for distinct literals, each with its entries; every byte of a literal has a class of its own in ``classes``."""
    width = int(classes.max()) + 1
    starts = np.zeros(len(literals) + 1, np.int64)
    np.cumsum([len(literal) for literal in literals], out=starts[1:])
    text = classes[np.frombuffer(b"".join(literals), np.uint8)]
    trie = np.zeros((int(starts[-1]) + 1, width), np.int32)
    ends = np.empty(len(literals), np.int32)
    states = _insert(text, starts, trie, ends)
    trie, numbers = _renumber(trie[:states])
    ends = numbers[ends]
    literal_of = np.full(states, -1, np.int32)
    literal_of[ends] = np.arange(len(literals))
    link = _complete(trie, literal_of)
    hits, place_of = _write_hits(entries, literal_of, link)
    moves = np.empty((states, width + 1), np.int32)
    moves[:, :width] = np.where(place_of[trie] > 0, -trie, trie) * (width + 1)
    moves[:, width] = place_of
    return Automaton(moves, hits)


@njit(cache=True)
def _insert(text: NDArray[np.uint8], starts: NDArray[np.int64], trie: Ints, ends: Ints) -> int:
    """Put every literal in the trie; return the number of states."""
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
    return numbers[trie.ravel()[: trie.size]].reshape(trie.shape)[order], numbers


@njit(cache=True)
def _complete(trie: Ints, literal_of: Ints) -> Ints:
    """Fill in the moves of missing children; return each state's nearest shorter state at which a literal ends (0 is none)."""
    fallback = np.zeros(trie.shape[0], np.int32)
    link = np.zeros(trie.shape[0], np.int32)
    for state in range(trie.shape[0]):
        back = fallback[state]
        link[state] = back if literal_of[back] >= 0 else link[back]
        for column in range(trie.shape[1]):
            child = trie[state, column]
            if child > state:
                fallback[child] = trie[back, column] if state else 0
            else:
                trie[state, column] = trie[back, column] if state else 0
    return link


def _write_hits(entries: Sequence[Sequence[tuple[int, int]]], literal_of: Ints, link: Ints) -> tuple[Ints, Ints]:
    """Lay out the entries of every state, shallow states first, as links point to shallower ones."""
    place_of = np.zeros(len(literal_of), np.int32)
    hits = [0]
    for state in np.flatnonzero((literal_of >= 0) | (link > 0)).tolist():
        if literal_of[state] < 0:
            place_of[state] = place_of[link[state]]
            continue
        place_of[state] = len(hits)
        own = entries[literal_of[state]]
        hits += [int(place_of[link[state]]), len(own)]
        hits += [number for entry in own for number in entry]
    return np.array(hits, np.int32), place_of
