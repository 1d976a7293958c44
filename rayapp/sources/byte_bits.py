"""Places in a text as bits, 64 to a word, so that what stands where is found by a few steps over whole words.

The way of simdjson (Langdale and Lemire, 2019), with numpy's operations over arrays of words in place of single instructions.
"""

import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.uint64]
"""A bit for each byte of a text, the lowest of a word first; those past its end are anything."""

WORD = 64
PART = 1 << 18
ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
ONE, LAST = np.uint64(1), np.uint64(63)
STEPS = tuple(np.uint64(1 << power) for power in range(6))

BIT_OF = np.zeros(1 << 8, np.int64)
"""Where the only bit of an octet is."""

BIT_OF[1 << np.arange(8)] = np.arange(8)


def where(content: bytes, byte: int) -> Bits:
    """Mark the places of a byte; by parts that stay in a core's cache, since new memory costs more than the look."""
    seen = np.frombuffer(content, np.uint8)
    bits, found = np.zeros(-(-len(seen) // WORD), np.uint64), np.empty(PART, np.bool_)
    octets = bits.view(np.uint8)
    for first in range(0, len(seen), PART):
        part = seen[first : first + PART]
        packed = np.packbits(np.equal(part, byte, out=found[: len(part)]), bitorder="little")
        octets[first // 8 : first // 8 + len(packed)] = packed
    return bits


def moved_on(bits: Bits) -> Bits:
    """Mark the place after each."""
    moved = bits << ONE
    moved[1:] |= bits[:-1] >> LAST
    return moved


def moved_back(bits: Bits) -> Bits:
    """Mark the place before each."""
    moved = bits >> ONE
    moved[:-1] |= bits[1:] << LAST
    return moved


def from_odd_to_even(bits: Bits) -> Bits:
    """Mark each place from the first, third, fifth ... marked one on to the one before the next that is marked."""
    spans = bits.copy()
    for step in STEPS:
        spans ^= spans << step
    goes_on = np.logical_xor.accumulate(np.bitwise_count(bits) & 1 == 1)
    spans[1:] ^= np.where(goes_on[:-1], ALL, np.uint64(0))
    return spans


def count(bits: Bits) -> int:
    """Count the places."""
    return int(np.bitwise_count(bits).sum(dtype=np.int64))


def listed(bits: Bits) -> NDArray[np.int64]:
    """Give the places, in order; soonest where they are far between."""
    octets = bits.view(np.uint8)
    filled = np.flatnonzero(octets != 0)  # by bool: of numbers it is slow
    found = octets[filled]
    if (found & (found - 1)).any():
        return np.flatnonzero(np.unpackbits(octets, bitorder="little").view(np.bool_))
    places: NDArray[np.int64] = 8 * filled + BIT_OF[found]
    return places
