"""Marks: what a line shows beside its core, as features of the semantic model.

A payment company before the name, a store number or a telephone number, how many words the core has and how long the line is: each
tells something of the trade whatever the name is (a store number is a chain's). So do the words that the core leaves aside (INC, LTD,
CANADA; digits as zeros) and the signs between them, the amount (its ``shade``), and what brands and rules make of the line: they err, and
the model learns on what. A mark is a feature of the model, its key made of its kind and value. Marks are read only where a pack says that
its lines are those of the book that was learnt from (``learned_first``): elsewhere banks print otherwise, and they mislead.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from rayapp.scoring.confidence import BASES
from rayapp.scoring.money import BANDS, KINDS
from rayapp.scoring.ngrams import KEY_BITS, key_of
from rayapp.scoring.runs import APOSTROPHE, char_class

PRINTED: Final = 5
"""Marks of a descriptor: payment company, store number, telephone number, words of the core, length of the line."""

TOLD: Final = PRINTED + 4
"""Marks of a row before the words left aside: also the amount's band and hundredths, what was made of it, and by which evidence."""

MOST_ASIDE: Final = 6
"""Words outside the core that are marks."""

SIGNS: Final = b"#*&'.-/"

MARKS: Final = TOLD + MOST_ASIDE + len(SIGNS)
"""All marks of a row."""

MOST_WORDS: Final = 5
LENGTH_STEP: Final = 3
MOST_LENGTH: Final = 25
"""Banks cut lines at 22 or 25 characters: beyond, length says nothing."""

_STORE: Final = 0
_PHONE: Final = 2
_WORDS: Final = 4
_LENGTH: Final = _WORDS + MOST_WORDS + 1
_BAND: Final = _LENGTH + MOST_LENGTH // LENGTH_STEP + 1
_KIND: Final = _BAND + BANDS
_SIGN: Final = _KIND + KINDS
_PROCESSOR: Final = _SIGN + len(SIGNS)
"""Where the values of each kind begin in the table; those of payment companies are last, none the first of them."""

_UNTOLD: Final = (BASES.index("learned"), BASES.index("mcc"))
"""Evidence that is no mark: it decides by itself, and the model has not seen it while it learnt."""
_LEARNED, _MCC = _UNTOLD

_ASIDE = np.uint64(0xE5)
_FNV_SEED, _FNV_PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
_SIGN_BYTES = np.frombuffer(SIGNS, np.uint8).copy()
_DIGIT: Final = 2
_ZERO: Final = 48
_SEED, _PRIME, _SPREAD, _ALL = 0xCBF29CE484222325, 0x100000001B3, 0x9E3779B97F4A7C15, (1 << 64) - 1


def mark_table(processors: Sequence[str]) -> NDArray[np.int32]:
    """Give the key of each mark: fixed ones by their number, payment companies by name, so that no renumbering moves them."""
    names = [f"mark {number}" for number in range(_PROCESSOR)] + ["no processor", *(f"processor {name}" for name in processors)]
    return np.array([_key(name) for name in names], np.int32)


def _key(name: str) -> int:
    """Give the key of a name (FNV-1a, finished by a multiplication)."""
    state = _SEED
    for byte in name.encode():
        state = (state ^ byte) * _PRIME & _ALL
    state = (state ^ (state >> 32)) * _SPREAD & _ALL
    return state >> (64 - KEY_BITS)


def verdict_table(categories: Sequence[str]) -> NDArray[np.int32]:
    """Give the key of each category, and of each with each evidence, by code; shape (categories, evidence + 1)."""
    names = [[f"told {code}", *(f"{basis} tells {code}" for basis in BASES)] for code in categories]
    return np.array([[_key(name) for name in row] for row in names], np.int32)


@njit(nogil=True, cache=True, _nrt=False)
def mark_verdicts(
    rows: NDArray[np.int32],
    shade: NDArray[np.int16],
    category: NDArray[np.int16],
    basis: NDArray[np.int8],
    table: NDArray[np.int32],
    told: NDArray[np.int32],
    out: NDArray[np.int32],
) -> None:
    """Write the marks of the given rows beside those of their descriptors; ``shade`` is of these rows, the verdicts of all."""
    for place in range(rows.size):
        row = rows[place]
        band = shade[place] // KINDS
        out[place, PRINTED] = table[_BAND + band] if shade[place] >= 0 else -1
        out[place, PRINTED + 1] = table[_KIND + shade[place] - band * KINDS] if shade[place] >= 0 else -1
        known = category[row] >= 0 and basis[row] != _LEARNED and basis[row] != _MCC
        out[place, PRINTED + 2] = told[category[row], 0] if known else -1
        out[place, PRINTED + 3] = told[category[row], 1 + basis[row]] if known else -1


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _word(data: NDArray[np.uint8], at: int, end: int) -> tuple[np.uint64, int, int]:
    """Read the next word from a place on: its hash, with digits as zeros and without apostrophes, its letters and digits, and its end."""
    while at < end and char_class(data[at]) in (0, APOSTROPHE):
        at += 1
    state, size = _FNV_SEED, 0
    while at < end and char_class(data[at]) != 0:
        kind = char_class(data[at])
        if kind != APOSTROPHE:
            state = (state ^ np.uint64(_ZERO if kind == _DIGIT else data[at])) * _FNV_PRIME
            size += 1
        at += 1
    return state, size, at


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _holds(core: NDArray[np.uint8], at: int, end: int, wanted: np.uint64) -> bool:
    """Tell whether a word of this hash stands in a core."""
    while at < end:
        state, size, at = _word(core, at, end)
        if size and state == wanted:
            return True
    return False


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _mark_aside(
    clean: NDArray[np.uint8],
    at: int,
    end: int,
    core: NDArray[np.uint8],
    first: int,
    last: int,
    table: NDArray[np.int32],
    out: NDArray[np.int32],
) -> None:
    """Write the marks of the words of a clean view that its core lacks, and of its signs; -1 where there are no more."""
    out[:] = -1
    for place in range(at, end):
        for sign in range(_SIGN_BYTES.size):
            if clean[place] == _SIGN_BYTES[sign]:
                out[MOST_ASIDE + sign] = table[_SIGN + sign]
    count = 0
    while at < end and count < MOST_ASIDE:
        state, size, at = _word(clean, at, end)
        if size and not _holds(core, first, last, state):
            out[count] = key_of(state, _ASIDE)
            count += 1


@njit(nogil=True, cache=True, _nrt=False)
def mark_rows(
    rows: NDArray[np.int32],
    processor: NDArray[np.int16],
    store: NDArray[np.int32],
    phone: NDArray[np.int32],
    clean: NDArray[np.uint8],
    clean_offsets: NDArray[np.int64],
    core: NDArray[np.uint8],
    core_offsets: NDArray[np.int64],
    table: NDArray[np.int32],
    out: NDArray[np.int32],
) -> None:
    """Write the marks of the descriptors numbered ``rows`` into the first and last columns of ``out``, shape (rows, MARKS)."""
    for place in range(rows.size):
        row = rows[place]
        words = 1
        for i in range(core_offsets[row], core_offsets[row + 1]):
            words += core[i] == 32
        length = min(MOST_LENGTH, clean_offsets[row + 1] - clean_offsets[row])
        out[place, 0] = table[_PROCESSOR + 1 + processor[row]]
        out[place, 1] = table[_STORE + (store[row, 0] >= 0)]
        out[place, 2] = table[_PHONE + (phone[row, 0] >= 0)]
        out[place, 3] = table[_WORDS + min(MOST_WORDS, words)]
        out[place, 4] = table[_LENGTH + length // LENGTH_STEP]
        beside = clean_offsets[row], clean_offsets[row + 1], core, core_offsets[row], core_offsets[row + 1]
        _mark_aside(clean, *beside, table, out[place, TOLD:])
