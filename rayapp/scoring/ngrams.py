"""Features of a core text as keys: pieces, words, pairs of words and first letters, as ``semantic`` tells."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import njit

MAX_BYTES: Final = 512
"""Bytes of a core that are read; the rest is left aside."""
MAX_FEATURES: Final = 256
"""Distinct keys counted per row; 256 * 127 still fits the int16 sums."""
KEY_BITS: Final = 31
"""A key is so many bits of a feature's hash: of half a million features hardly one shares its key with another."""
SLOTS: Final = 1024
_SHIFT: Final = np.uint64(64 - KEY_BITS)
_SPACE: Final = 0x20
_SHORTEST: Final = 3
_LONGEST: Final = 5
_PREFIX_FROM: Final = 4
_PREFIX_TO: Final = 8
_SEED: Final = np.uint64(0xCBF29CE484222325)
_PRIME: Final = np.uint64(0x100000001B3)
_SPREAD: Final = np.uint64(0x9E3779B97F4A7C15)
_WORD: Final = np.uint64(0xA1)
_PAIR: Final = np.uint64(0xB2)
_FIRST: Final = np.uint64(0xC3)
_PREFIX: Final = np.uint64(0xD4)

Array = npt.NDArray[Any]


@njit(cache=True, nogil=True, _nrt=False, inline="always")
def _step(state: np.uint64, byte: np.uint64) -> np.uint64:
    """Take one byte into an FNV-1a state."""
    return (state ^ byte) * _PRIME


@njit(cache=True, nogil=True, _nrt=False, inline="always")
def key_of(state: np.uint64, kind: np.uint64) -> np.int64:
    """Give the key of a hash state, apart for each kind of feature."""
    mixed = state ^ (kind * _SPREAD)
    mixed = (mixed ^ (mixed >> np.uint64(32))) * _SPREAD
    return np.int64(mixed >> _SHIFT)


@njit(cache=True, nogil=True, _nrt=False, inline="always")
def _add(key: np.int64, count: np.int64, found: Array, places: Array, seen: Array) -> np.int64:
    """Append a key to ``found`` unless it is there or the row is full; ``seen`` is an open-addressing set."""
    if count >= MAX_FEATURES:
        return count
    place = (key ^ (key >> 10)) & (SLOTS - 1)
    while seen[place] >= 0:
        if seen[place] == key:
            return count
        place = (place + 1) & (SLOTS - 1)
    seen[place] = key
    found[count] = key
    places[count] = place
    return count + 1


@njit(cache=True, nogil=True, _nrt=False)
def _pieces(data: Array, start: int, end: int, count: int, found: Array, places: Array, seen: Array) -> int:
    """Add the 3 to 5 byte pieces of the word at ``start:end`` with a space before and after it."""
    length = end - start + 2
    for first in range(length - _SHORTEST + 1):
        state = _SEED
        for size in range(min(_LONGEST, length - first)):
            place = first + size
            byte = np.uint64(_SPACE) if place in (0, length - 1) else np.uint64(data[start + place - 1])
            state = _step(state, byte)
            if size + 1 >= _SHORTEST:
                count = _add(key_of(state, np.uint64(size)), count, found, places, seen)
    return count


@njit(cache=True, nogil=True, _nrt=False)
def _prefixes(data: Array, start: int, end: int, count: int, found: Array, places: Array, seen: Array) -> int:
    """Add the first 4 to 8 bytes of the core without its spaces, so that WAL MART and WALMART share features."""
    state = _SEED
    taken = 0
    for place in range(start, end):
        if data[place] != _SPACE:
            state = _step(state, np.uint64(data[place]))
            taken += 1
            if taken >= _PREFIX_FROM:
                count = _add(key_of(state, _PREFIX), count, found, places, seen)
            if taken == _PREFIX_TO:
                break
    return count


@njit(cache=True, nogil=True, _nrt=False)
def row_features(data: Array, start: int, end: int, marks: Array, found: Array, places: Array, seen: Array) -> int:
    """Fill ``found`` with the distinct keys of one core and its marks; leaves ``seen`` as it was; returns how many."""
    end = min(end, start + MAX_BYTES)
    count = _prefixes(data, start, end, 0, found, places, seen)
    before = np.uint64(0)
    words = 0
    place = start
    while place < end:
        while place < end and data[place] == _SPACE:
            place += 1
        if place == end:
            break
        word = place
        state = _SEED
        while place < end and data[place] != _SPACE:
            state = _step(state, np.uint64(data[place]))
            place += 1
        count = _add(key_of(state, _WORD), count, found, places, seen)
        if words == 0:
            count = _add(key_of(state, _FIRST), count, found, places, seen)
        else:
            count = _add(key_of(before * _PRIME + state, _PAIR), count, found, places, seen)
        count = _pieces(data, word, place, count, found, places, seen)
        before = state
        words += 1
    if words:
        for mark in marks:
            if mark >= 0:
                count = _add(np.int64(mark), count, found, places, seen)
    for index in range(count):
        seen[places[index]] = -1
    return count


@njit(cache=True, nogil=True)
def _feature_lists(data: Array, offsets: Array, marks: Array, keys: Array, ends: Array) -> None:
    """Fill ``keys`` (room for ``MAX_FEATURES`` per row, packed) and ``ends`` with the features of every row."""
    seen = np.full(SLOTS, -1, np.int32)
    places = np.empty(MAX_FEATURES, np.int32)
    total = 0
    for row in range(len(offsets) - 1):
        total += row_features(data, offsets[row], offsets[row + 1], marks[row], keys[total:], places, seen)
        ends[row] = total


def features(texts: Sequence[bytes], marks: Array | None = None) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Give the distinct keys of each core, packed, and their offsets (n + 1); a mark of -1 is none.

    Training calls this, so that it sees the very features of run time.
    """
    data = np.frombuffer(b"".join(texts), np.uint8)
    offsets = np.zeros(len(texts) + 1, np.int64)
    np.cumsum([len(text) for text in texts], out=offsets[1:])
    found = np.empty((len(texts) + 1) * MAX_FEATURES, np.int32)
    ends = np.zeros(len(texts) + 1, np.int64)
    _feature_lists(data, offsets, no_marks(len(texts)) if marks is None else marks, found, ends[1:])
    return found[: ends[-1]].copy(), ends


def no_marks(rows: int) -> npt.NDArray[np.int32]:
    """Give the marks of rows that have none."""
    return np.empty((rows, 0), np.int32)
