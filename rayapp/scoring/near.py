"""Near aliases: names printed without their spaces, cut off at the end, or with one letter wrong.

Asked only for cores in which no alias was found. Aliases and cores are compared without spaces. Names one letter apart (a letter more,
less, other, or two swapped) share a form with one letter deleted (Garbe's symmetric deletion), so that a table of such forms finds them
with one probe for each letter; names cut off are found by bisection. What the tables propose is compared letter by letter before it
counts.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

LEAST, MOST = 6, 28
"""Letters of a squashed name that is looked for."""

LEAST_CUT = 8
"""Letters that a name cut off must keep."""

LEAST_WRONG = 7
"""Letters of a name that may have one wrong."""

MAX_WORDS = 4
_APART = 2
"""The distance of names that have nothing to do with each other."""
_NINE = 57
"""The last digit: a digit of a name is not left out (SQUARE is not 4 SQUARE)."""

SQUASHED, SQUASHED_START, CUT, CUT_SHORT, WRONG, WRONG_SHORT, WRONG_START = 950_000, 850_000, 850_000, 700_000, 800_000, 650_000, 600_000
"""How much of the merchant weight each kind of likeness keeps: the whole core or only its first words, long or short names."""

_PRIME = np.uint64(0x100000001B3)
_POWERS = np.array([pow(0x100000001B3, exponent, 1 << 64) for exponent in range(MOST + 1)], np.uint64)
FORM_WORDS, OPENING_WORDS = 16, 13
"""Words of 64 bits of the filters of forms and of openings, as powers of two."""


class NearIndex(NamedTuple):
    """Squashed names in order: ``text[offset[i]:offset[i + 1]]`` is that of alias ``alias[i]``; ``forms`` has names by deleted forms.

    Alias -1 is an everyday word that is one letter from a name (INTEREST, PINTEREST): found as it is, it is no name misspelt.
    """

    text: NDArray[np.uint8]
    offset: NDArray[np.int32]
    alias: NDArray[np.int32]
    merchant: NDArray[np.int32]
    forms: NDArray[np.uint64]
    """Open addressing: a form's name plus one, above the upper half of its hash; 0 where the slot is free."""
    seen: NDArray[np.uint64]
    """Two bits in one word for each form."""
    openings: NDArray[np.uint64]
    """The same for the first LEAST_CUT letters of each name."""


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _finish(h: np.uint64) -> np.uint64:
    """Spread a polynomial hash over all bits."""
    h ^= h >> np.uint64(29)
    h *= np.uint64(0xBF58476D1CE4E5B9)
    return h ^ (h >> np.uint64(32))


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def word_hash(text: NDArray[np.uint8], start: int, end: int) -> np.uint64:
    """Hash a name: its letters as the digits of a number to the base _PRIME, modulo 2^64, not yet finished."""
    h = np.uint64(0)
    for i in range(start, end):
        h = h * _PRIME + np.uint64(text[i])
    return h


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _bits(h: np.uint64) -> np.uint64:
    """Give the two bits of a hash in its word of a filter."""
    return np.uint64(1) << ((h >> np.uint64(36)) & np.uint64(63)) | np.uint64(1) << ((h >> np.uint64(30)) & np.uint64(63))


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _may_have(words: NDArray[np.uint64], power: int, h: np.uint64) -> bool:
    """Tell quickly that a filter of ``2 ** power`` words lacks a hash; a few yeses are wrong."""
    bits = _bits(h)
    return words[h >> np.uint64(64 - power)] & bits == bits


@njit(nogil=True, cache=True, _nrt=False)
def _enter(h: np.uint64, n: int, index: NearIndex) -> None:
    """Enter a form of name ``n``."""
    index.seen[h >> np.uint64(64 - FORM_WORDS)] |= _bits(h)
    mask = np.uint64(index.forms.size - 1)
    slot = h & mask
    while index.forms[slot] != np.uint64(0):
        slot = (slot + np.uint64(1)) & mask
    index.forms[slot] = np.uint64(n + 1) << np.uint64(32) | h >> np.uint64(32)


@njit(nogil=True, cache=True, _nrt=False)
def fill_forms(index: NearIndex) -> None:
    """Enter every name and, where it is long enough and no everyday word, its forms with one letter deleted."""
    text, offset = index.text, index.offset
    for n in range(offset.size - 1):
        start, end = offset[n], offset[n + 1]
        whole = word_hash(text, start, end)
        _enter(_finish(whole), n, index)
        if end - start >= LEAST_CUT:
            opening = _finish(word_hash(text, start, start + LEAST_CUT))
            index.openings[opening >> np.uint64(64 - OPENING_WORDS)] |= _bits(opening)
        if end - start >= LEAST_WRONG and index.alias[n] >= 0:
            before = np.uint64(0)
            for i in range(start, end):
                after = before * _PRIME + np.uint64(text[i])
                if text[i] > _NINE:
                    _enter(_finish(whole + (before - after) * _POWERS[end - 1 - i]), n, index)
                before = after


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def alike(a: NDArray[np.uint8], a_start: int, a_end: int, b: NDArray[np.uint8], b_start: int, b_end: int) -> int:
    """Give 0 for equal names, 1 for names one letter or swap apart, 2 for others."""
    while a_start < a_end and b_start < b_end and a[a_start] == b[b_start]:
        a_start += 1
        b_start += 1
    while a_end > a_start and b_end > b_start and a[a_end - 1] == b[b_end - 1]:
        a_end -= 1
        b_end -= 1
    left, right = a_end - a_start, b_end - b_start
    if left == 0 and right == 0:
        return 0
    if left <= 1 and right <= 1:
        return 1
    if left == 2 and right == 2 and a[a_start] == b[b_start + 1] and a[a_start + 1] == b[b_start]:
        return 1
    return 2


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _look(index: NearIndex, h: np.uint64, word: NDArray[np.uint8], size: int, best: int, distance: int) -> tuple[int, int]:
    """Compare a word with the names that share a form, and keep the closest."""
    if not _may_have(index.seen, FORM_WORDS, h):
        return best, distance
    mask = np.uint64(index.forms.size - 1)
    slot = h & mask
    while index.forms[slot] != np.uint64(0):
        if np.uint32(index.forms[slot]) == np.uint32(h >> np.uint64(32)):
            name = int(np.int64(index.forms[slot] >> np.uint64(32)) - 1)
            apart = alike(word, 0, size, index.text, index.offset[name], index.offset[name + 1])
            if apart < distance or (apart == distance and apart < 2 and name < best):
                best, distance = name, apart
        slot = (slot + np.uint64(1)) & mask
    return best, distance


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _closest(index: NearIndex, word: NDArray[np.uint8], size: int, wrong: bool) -> tuple[int, int]:
    """Find the name equal to a word, else (where ``wrong``) the first that is one letter apart: the name and its distance, or (-1, 2)."""
    whole = word_hash(word, 0, size)
    best, distance = _look(index, _finish(whole), word, size, -1, 2)
    if distance > 0 and wrong:
        before = np.uint64(0)
        for i in range(size):
            after = before * _PRIME + np.uint64(word[i])
            form = _finish(whole + (before - after) * _POWERS[size - 1 - i])
            best, distance = _look(index, form, word, size, best, distance)
            before = after
    return best, distance


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _before(index: NearIndex, name: int, word: NDArray[np.uint8], size: int) -> bool:
    """Tell whether a name comes before a word."""
    start, end = index.offset[name], index.offset[name + 1]
    for i in range(min(end - start, size)):
        if index.text[start + i] != word[i]:
            return index.text[start + i] < word[i]
    return end - start < size


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _begins(index: NearIndex, name: int, word: NDArray[np.uint8], size: int) -> bool:
    """Tell whether a name begins with a word."""
    start = index.offset[name]
    if index.offset[name + 1] - start < size:
        return False
    for i in range(size):
        if index.text[start + i] != word[i]:
            return False
    return True


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _continued(index: NearIndex, word: NDArray[np.uint8], size: int) -> int:
    """Find the name that a word was cut from, or -1 where there is none or it could be of several merchants."""
    if not _may_have(index.openings, OPENING_WORDS, _finish(word_hash(word, 0, LEAST_CUT))):
        return -1
    low, high = 0, index.alias.size
    while low < high:
        middle = (low + high) // 2
        if _before(index, middle, word, size):
            low = middle + 1
        else:
            high = middle
    if low >= index.alias.size or not _begins(index, low, word, size):
        return -1
    other = low + 1
    while other < index.alias.size and other < low + 8 and _begins(index, other, word, size):
        if index.merchant[other] != index.merchant[low]:
            return -1
        other += 1
    return low


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _near(index: NearIndex, core: NDArray[np.uint8], start: int, end: int, word: NDArray[np.uint8]) -> tuple[int, int]:
    """Find the alias that a core nearly is or begins with, and how much that counts; (-1, 0) for none."""
    best, best_weight = -1, 0
    size = words = 0
    i = start
    while i < end and words < MAX_WORDS:
        while i < end and core[i] != 32:
            if size == MOST:
                return best, best_weight
            word[size] = core[i]
            size += 1
            i += 1
        words += 1
        whole = i >= end
        i += 1
        if size < LEAST:
            continue
        name, distance = _closest(index, word, size, size >= LEAST_WRONG and (whole or size >= LEAST_WRONG + 2))
        if distance < _APART and not whole and index.alias[name] < 0:
            continue
        if distance == 0:
            weight = SQUASHED if whole else SQUASHED_START
        elif distance == 1:
            weight = (WRONG if size > LEAST_CUT else WRONG_SHORT) if whole else WRONG_START
        else:
            weight = 0
        if weight == 0 and whole and size >= LEAST_CUT:
            name = _continued(index, word, size)
            weight = 0 if name < 0 else CUT if size >= LEAST_CUT + 2 else CUT_SHORT
        if weight > 0 and weight >= best_weight:
            best, best_weight = index.alias[name], weight
    return best, best_weight


@njit(nogil=True, cache=True, _nrt=False)
def near_rows(
    index: NearIndex,
    core: NDArray[np.uint8],
    core_offsets: NDArray[np.int64],
    hit_offset: NDArray[np.int64],
    word: NDArray[np.uint8],
    out_alias: NDArray[np.int32],
    out_weight: NDArray[np.int32],
) -> None:
    """Look for near aliases of the cores without a hit; ``word`` is scratch of MOST bytes."""
    for row in range(core_offsets.size - 1):
        out_alias[row], out_weight[row] = -1, 0
        if hit_offset[row] == hit_offset[row + 1] and core_offsets[row + 1] - core_offsets[row] >= LEAST:
            out_alias[row], out_weight[row] = _near(index, core, core_offsets[row], core_offsets[row + 1], word)


def build_near_index(names: list[bytes], aliases: NDArray[np.int32], merchants: NDArray[np.int32]) -> NearIndex:
    """Build the index of squashed names, each of an alias and its merchant, or of neither (-1) where it is an everyday word."""
    order = sorted(range(len(names)), key=lambda place: (names[place], place))
    kept = [names[place] for place in order]
    offset = np.concatenate([[0], np.cumsum([len(name) for name in kept])]).astype(np.int32)
    text = np.frombuffer(b"".join(kept) or b"\0", np.uint8).copy()
    forms = sum(len(name) + 1 if len(name) >= LEAST_WRONG and aliases[place] >= 0 else 1 for name, place in zip(kept, order, strict=True))
    size = 1 << max(4, int(forms * 4 // 3).bit_length())
    index = NearIndex(
        text,
        offset,
        aliases[order].astype(np.int32),
        merchants[order].astype(np.int32),
        np.zeros(size, np.uint64),
        np.zeros(1 << FORM_WORDS, np.uint64),
        np.zeros(1 << OPENING_WORDS, np.uint64),
    )
    fill_forms(index)
    return index
