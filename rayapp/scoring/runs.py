"""Runs of letters and digits: the classes of their bytes, their hash, and what banks print without a space before it or with spaces in it.

A bank's own word stands glued to a name (SPOTIFYDEBIT CARD PURCHASE); an IBAN is one run, or groups of four of which the first look like
words (GB29 NWBK 6016 ...).
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

APOSTROPHE = 3
"""Class of the bytes that vanish; see ``char_class``."""

PRIME = np.uint64(0x100000001B3)
SEED = np.uint64(0xCBF29CE484222325)
QUOTE, MASK = 39, 88
_SPACE = 32
LAST_GLUED = (84, 69)
"""The last letters of the words that stand glued to a name."""
_DEBIT, _PURCHASE = (np.frombuffer(word, np.uint8).copy() for word in (b"DEBIT", b"PURCHASE"))
_LEAST_BEFORE = 3
"""Letters of a name before a word glued to it."""
LEAST_GLUED = 8
"""Letters of a name and the shortest of those words."""
_GROUP, _LEAST_IBAN, _MOST_IBAN, _BANK_CODE = 4, 15, 34, 11
"""Letters and digits of a group of an IBAN, of a whole one, and of the code of a bank's branch."""
_NOUGHT = 48


def _classes() -> NDArray[np.uint8]:
    table = np.zeros(256, np.uint8)
    table[65:91] = table[128:] = 1
    table[48:58] = 2
    table[QUOTE] = APOSTROPHE
    return table


CLASS = _classes()


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def char_class(byte: int) -> int:
    """Tell letters (1), digits (2), apostrophes (3) and everything else (0) apart; bytes of other scripts are letters."""
    return CLASS[byte]


@njit(nogil=True, cache=True, _nrt=False)
def hash_bytes(data: NDArray[np.uint8], start: int, end: int) -> np.uint64:
    """Hash a token's bytes (FNV-1a, 64 bits, finalised), apostrophes left out."""
    h = SEED
    for i in range(start, end):
        if data[i] != QUOTE:
            h = (h ^ np.uint64(data[i])) * PRIME
    return h ^ (h >> np.uint64(32))


@njit(nogil=True, cache=True, _nrt=False)
def _ends_in(data: NDArray[np.uint8], start: int, end: int, word: NDArray[np.uint8]) -> bool:
    """Tell whether letters end in a word after others."""
    first = end - word.size
    if first < start + _LEAST_BEFORE:
        return False
    for i in range(word.size):
        if data[first + i] != word[i]:
            return False
    return True


@njit(nogil=True, cache=True, _nrt=False)
def glued_at(data: NDArray[np.uint8], start: int, end: int) -> int:
    """Give where a bank's word begins that is glued to the letters before it, or ``end``."""
    for word in (_DEBIT, _PURCHASE):
        if _ends_in(data, start, end, word):
            return end - word.size
    return end


@njit(nogil=True, cache=True, _nrt=False)
def _is_group(data: NDArray[np.uint8], start: int, end: int, kind: int) -> bool:
    """Tell whether a group of an IBAN stands at a place, of one class."""
    if start + _GROUP > end:
        return False
    for i in range(start, start + _GROUP):
        if char_class(data[i]) != kind:
            return False
    return start + _GROUP == end or char_class(data[start + _GROUP]) == 0


@njit(nogil=True, cache=True, _nrt=False)
def _is_bank_code(data: NDArray[np.uint8], start: int) -> bool:
    """Tell whether a run is the code of an Indian bank's branch (IFSC): four letters, a nought, six digits or letters."""
    for i in range(start, start + _GROUP):
        if char_class(data[i]) != 1:
            return False
    digits = 0
    for i in range(start + _GROUP, start + _BANK_CODE):
        digits += char_class(data[i]) == 2
    return data[start + _GROUP] == _NOUGHT and digits > _GROUP


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def may_be_account(data: NDArray[np.uint8], start: int, run: int) -> bool:
    """Tell whether a run of letters and digits can be an IBAN or a bank code; cheap, and true of some that are neither."""
    size = run - start
    return size >= _GROUP and CLASS[data[start + 1]] == 1 and (size == _BANK_CODE or CLASS[data[start + 3]] == CLASS[data[start + 2]])


@njit(nogil=True, cache=True, _nrt=False)
def account_end(data: NDArray[np.uint8], start: int, run: int, end: int) -> int:
    """Give the end of the IBAN or bank code that the run ``data[start:run]`` is, or of the groups that open it; -1 where it is none."""
    size = run - start
    if size == _BANK_CODE and _is_bank_code(data, start):
        return run
    if size < _GROUP or char_class(data[start]) != 1 or char_class(data[start + 1]) != 1:
        return -1
    if char_class(data[start + 2]) != 2 or char_class(data[start + 3]) != 2:
        return -1
    if size == _GROUP and run < end and data[run] == _SPACE:
        after = run + 1
        if _is_group(data, after, end, 2):
            return run
        bank = after + _GROUP
        return bank if _is_group(data, after, end, 1) and _is_group(data, bank + 1, end, 2) else -1
    digits = 0
    for i in range(start, run):
        digits += char_class(data[i]) == 2 or data[i] == MASK
    return run if _LEAST_IBAN <= size <= _MOST_IBAN and 2 * digits >= size else -1
