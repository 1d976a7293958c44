"""The phrase lexicon: one hash trie over tokens that holds every alias, processor prefix, piece of rail wording and legal form.

A node is the hash of the tokens on its path, so a walk costs one probe for each token. Places have a trie of their own, for they are only
looked for at the end of a descriptor. Hashes have 64 bits; an entry's own text is compared byte for byte before an alias counts.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

ALIAS, PROCESSOR, STAR_NEEDED, NOISE, NOISE_START, NOISE_END, TAIL, HEAD, LEGAL, GENERIC, MONTH, GLUE, TAIL_COLON, NEUTRAL = (
    1 << bit for bit in range(14)
)
"""What an entry of the lexicon is good for; several may hold."""

FILTER_BITS = 17
_ROOT = np.uint64(0x1234567)
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


class Trie(NamedTuple):
    """A token trie: open addressing by path hash.

    ``value`` is an entry or -1 on the way to one; ``filter`` has a bit for each first token.
    """

    key: NDArray[np.uint64]
    value: NDArray[np.int32]
    filter: NDArray[np.uint64]


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def step(node: np.uint64, token: np.uint64) -> np.uint64:
    """Go from a node along a token."""
    x = (node ^ token) * _MULTIPLIER
    return (x ^ (x >> np.uint64(29))) | np.uint64(1)


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def probe(trie: Trie, node: np.uint64) -> int:
    """Find a node's slot, or -1."""
    mask = trie.key.size - 1
    slot = np.int64(node >> np.uint64(20)) & mask
    while trie.key[slot] != 0:
        if trie.key[slot] == node:
            return int(slot)
        slot = (slot + 1) & mask
    return -1


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def may_start(trie: Trie, token: np.uint64) -> bool:
    """Tell quickly that no phrase begins with a token; a rare yes is wrong."""
    bit = token >> np.uint64(64 - FILTER_BITS)
    return (trie.filter[bit >> np.uint64(6)] >> (bit & np.uint64(63))) & np.uint64(1) != 0


@njit(nogil=True, cache=True, _nrt=False)
def _insert(trie: Trie, node: np.uint64) -> int:
    mask = trie.key.size - 1
    slot = np.int64(node >> np.uint64(20)) & mask
    while trie.key[slot] != 0 and trie.key[slot] != node:
        slot = (slot + 1) & mask
    if trie.key[slot] == 0:
        trie.key[slot] = node
        trie.value[slot] = -1
    return int(slot)


@njit(nogil=True, cache=True, _nrt=False)
def fill(trie: Trie, hashes: NDArray[np.uint64], offsets: NDArray[np.int64], filter_last: bool) -> None:
    """Insert phrase ``p`` with tokens ``hashes[offsets[p]:offsets[p + 1]]`` as entry ``p``; the filter takes first or last tokens."""
    for phrase in range(offsets.size - 1):
        node = _ROOT
        slot = -1
        for t in range(offsets[phrase], offsets[phrase + 1]):
            node = step(node, hashes[t])
            slot = _insert(trie, node)
        if slot >= 0:
            trie.value[slot] = phrase
            bit = hashes[offsets[phrase + 1] - 1 if filter_last else offsets[phrase]] >> np.uint64(64 - FILTER_BITS)
            trie.filter[bit >> np.uint64(6)] |= np.uint64(1) << (bit & np.uint64(63))


def build_trie(hashes: NDArray[np.uint64], offsets: NDArray[np.int64], *, filter_last: bool = False) -> Trie:
    """Build a trie at most half full."""
    size = 1 << max(4, int(hashes.size * 2 - 1).bit_length())
    trie = Trie(np.zeros(size, np.uint64), np.full(size, -1, np.int32), np.zeros((1 << FILTER_BITS) // 64, np.uint64))
    fill(trie, hashes, offsets, filter_last)
    return trie


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def find(trie: Trie, hashes: NDArray[np.uint64], first: int, last: int) -> int:
    """Give the entry whose tokens are exactly ``hashes[first:last]``, or -1."""
    node = _ROOT
    slot = -1
    for t in range(first, last):
        node = step(node, hashes[t])
        slot = probe(trie, node)
        if slot < 0:
            return -1
    return trie.value[slot] if slot >= 0 else -1


ROOT = _ROOT
