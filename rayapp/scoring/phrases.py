"""The phrase lexicon: one hash trie over tokens that holds every alias, processor prefix, piece of rail wording and legal form.

A node is the hash of the tokens on its path, so a walk costs one probe for each token. Most walks end at a node that no entry goes through:
what is asked first is therefore small and stays in a core's cache, a bit for each token that a phrase opens or ends with, and 32 bits
beside each node that tell most of the tokens that do not follow it. Places have a trie of their own, for they are only looked for at the
end of a descriptor.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

(
    ALIAS,
    PROCESSOR,
    STAR_NEEDED,
    NOISE,
    NOISE_START,
    NOISE_END,
    TAIL,
    HEAD,
    LEGAL,
    GENERIC,
    MONTH,
    GLUE,
    TAIL_COLON,
    NEUTRAL,
    DATED,
    FAINT,
) = (1 << bit for bit in range(16))
"""What an entry of the lexicon is good for; several may hold. HEAD with TAIL_COLON is a head that needs a colon, DATED noise that takes the
month beside it along, FAINT an alias that is a common word for all who bear it."""

FILTER_BITS = 19
ROOT = np.uint64(0x1234567)
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_NONE = np.uint64(0)
_ONE = np.uint64(1)


class Trie(NamedTuple):
    """A token trie: open addressing by path hash.

    ``cells`` has a row for each slot: the node's hash (0 where the slot is free) and its cell, which is never 0: the number of the entry
    that ends here plus one, above 32 bits of which each stands for some of the nodes that follow.
    """

    cells: NDArray[np.uint64]
    """Shape (slots, 2)."""
    first: NDArray[np.uint64]
    """A bit for each token that a phrase begins with."""
    last: NDArray[np.uint64]
    """A bit for each token that a phrase ends with."""


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def step(node: np.uint64, token: np.uint64) -> np.uint64:
    """Go from a node along a token."""
    x = (node ^ token) * _MULTIPLIER
    return (x ^ (x >> np.uint64(29))) | _ONE


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def look(trie: Trie, node: np.uint64) -> np.uint64:
    """Find a node's cell, or 0."""
    mask = np.uint64(trie.cells.shape[0] - 1)
    slot = (node >> np.uint64(20)) & mask
    while trie.cells[slot, 0] != node:
        if trie.cells[slot, 0] == _NONE:
            return _NONE
        slot = (slot + _ONE) & mask
    return trie.cells[slot, 1]


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def entry_of(cell: np.uint64) -> int:
    """Give the entry that ends at a node with this cell, or -1."""
    return int(np.int64(cell >> np.uint64(32)) - 1)


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def may_follow(cell: np.uint64, node: np.uint64) -> bool:
    """Tell quickly that a node does not follow one with this cell; some yeses are wrong."""
    return (cell >> (node >> np.uint64(59))) & _ONE != _NONE


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def has_bit(bits: NDArray[np.uint64], token: np.uint64) -> bool:
    """Tell quickly that no phrase begins, or ends, with a token; a few yeses are wrong."""
    bit = token >> np.uint64(64 - FILTER_BITS)
    return (bits[bit >> np.uint64(6)] >> (bit & np.uint64(63))) & _ONE != _NONE


@njit(nogil=True, cache=True, _nrt=False)
def _set_bit(bits: NDArray[np.uint64], token: np.uint64) -> None:
    bit = token >> np.uint64(64 - FILTER_BITS)
    bits[bit >> np.uint64(6)] |= _ONE << (bit & np.uint64(63))


@njit(nogil=True, cache=True, _nrt=False)
def _insert(trie: Trie, node: np.uint64) -> np.uint64:
    """Give the slot of a node, which is new or known."""
    mask = np.uint64(trie.cells.shape[0] - 1)
    slot = (node >> np.uint64(20)) & mask
    while trie.cells[slot, 0] != _NONE and trie.cells[slot, 0] != node:
        slot = (slot + _ONE) & mask
    trie.cells[slot, 0] = node
    return slot


@njit(nogil=True, cache=True, _nrt=False)
def fill(trie: Trie, hashes: NDArray[np.uint64], offsets: NDArray[np.int64]) -> None:
    """Insert phrase ``p`` with tokens ``hashes[offsets[p]:offsets[p + 1]]`` as entry ``p``."""
    for phrase in range(offsets.size - 1):
        first, last = offsets[phrase], offsets[phrase + 1]
        if first == last:
            continue
        _set_bit(trie.first, hashes[first])
        _set_bit(trie.last, hashes[last - 1])
        node = step(ROOT, hashes[first])
        slot = _insert(trie, node)
        for t in range(first + 1, last):
            node = step(node, hashes[t])
            trie.cells[slot, 1] |= _ONE << (node >> np.uint64(59))
            slot = _insert(trie, node)
        followers = trie.cells[slot, 1] & np.uint64(0xFFFFFFFF)
        trie.cells[slot, 1] = np.uint64(phrase + 1) << np.uint64(32) | followers


def build_trie(hashes: NDArray[np.uint64], offsets: NDArray[np.int64]) -> Trie:
    """Build a trie at most half full."""
    size = 1 << max(4, int(hashes.size * 2 - 1).bit_length())
    words = (1 << FILTER_BITS) // 64
    trie = Trie(np.zeros((size, 2), np.uint64), np.zeros(words, np.uint64), np.zeros(words, np.uint64))
    fill(trie, hashes, offsets)
    return trie


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def find(trie: Trie, hashes: NDArray[np.uint64], first: int, last: int) -> int:
    """Give the entry whose tokens are exactly ``hashes[first:last]``, of which there is at least one, or -1."""
    if not has_bit(trie.first, hashes[first]) or not has_bit(trie.last, hashes[last - 1]):
        return -1
    node = step(ROOT, hashes[first])
    cell = look(trie, node)
    for t in range(first + 1, last):
        node = step(node, hashes[t])
        if not may_follow(cell, node):
            return -1
        cell = look(trie, node)
    return entry_of(cell)
