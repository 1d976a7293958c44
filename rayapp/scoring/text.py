"""The clean view of descriptors: ASCII-folded upper case, single spaces, trimmed. Rules are matched against it.

What ACH lines print after ``INDN:`` or ``IND NAME:`` is the account holder's own name, which says nothing of the payment however much it
sounds like a trade (LEE HY SALON): it is left out, up to the field that follows.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from rayapp.scoring.fold import DROP, KEEP, PART, fold_table

SPACE = 32
ASCII = 128
COLON = 58
SURROGATE_BYTES = 3
_INDN, _IND_NAME, _CO_ID, _TRN = (np.frombuffer(word, np.uint8).copy() for word in (b"INDN", b"IND NAME", b" CO ID", b" TRN"))


@njit(nogil=True, cache=True, _nrt=False)
def code_point(data: NDArray[np.uint8], at: int, end: int) -> tuple[int, int]:
    """Decode one UTF-8 character: its code point and length in bytes; (-1, 1) where the bytes are not UTF-8."""
    lead = np.int64(data[at])
    if lead < 0x80:
        return int(lead), 1
    length = 2 if 0xC2 <= lead < 0xE0 else 3 if 0xE0 <= lead < 0xF0 else 4 if 0xF0 <= lead < 0xF5 else 1
    if length == 1 or at + length > end:
        return -1, 1
    code = lead & (0x7F >> length)
    for i in range(at + 1, at + length):
        if data[i] & 0xC0 != 0x80:
            return -1, 1
        code = code << 6 | np.int64(data[i]) & 0x3F
    return int(code), length


@njit(nogil=True, cache=True, _nrt=False)
def _spells(data: NDArray[np.uint8], at: int, end: int, word: NDArray[np.uint8]) -> bool:
    """Tell whether ``word`` (capitals, digits, signs) stands at a place, in letters of either case."""
    if at < 0 or at + word.size > end:
        return False
    for i in range(word.size):
        byte = data[at + i]
        if byte != word[i] and not (97 <= byte <= 122 and byte - 32 == word[i]):
            return False
    return True


@njit(nogil=True, cache=True, _nrt=False)
def _after_holder(data: NDArray[np.uint8], at: int, end: int, out: NDArray[np.uint8], first: int, w: int) -> int:
    """Give where to read on: past the account holder's name where the view ends in its label (a colon stands at ``at``), else ``at``."""
    if not (_spells(out, w - 4, w, _INDN) or _spells(out, w - 8, w, _IND_NAME)):
        return at
    long = not _spells(out, w - 4, w, _INDN)
    start = w - (8 if long else 4)
    if start < first or (start > first and out[start - 1] != SPACE):
        return at
    while at < end and not (_spells(data, at, end, _CO_ID) or _spells(data, at, end, _TRN)):
        at += 1
    return at


@njit(nogil=True, cache=True, _nrt=False)
def _fill_plain(table: NDArray[np.uint32], plain: NDArray[np.uint8]) -> None:
    """Write what each ASCII character becomes: one character, a space where it parts words."""
    for code in range(ASCII):
        plain[code] = table[code] >> np.uint32(8) if table[code] & 0xFF == 1 else SPACE


@njit(nogil=True, cache=True, _nrt=False)
def clean_rows(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    table: NDArray[np.uint32],
    plain: NDArray[np.uint8],
    out: NDArray[np.uint8],
    out_offsets: NDArray[np.int64],
) -> int:
    """Write the clean view of each row; ``out`` needs twice the bytes of ``data`` and one, ``plain`` is scratch of ASCII bytes.

    Returns the bytes written.

    An ASCII character is always written, and written over by the next where it is a second space, for that costs no branch.
    """
    _fill_plain(table, plain)
    w = 0
    out_offsets[0] = 0
    for row in range(offsets.size - 1):
        first = w
        parted = 1
        i = offsets[row]
        end = offsets[row + 1]
        while i < end:
            byte = data[i]
            if byte < ASCII:
                out[w] = plain[byte]
                space = int(plain[byte] == SPACE)
                w += 1 - (space & parted)
                parted = space
                i += 1
                if byte == COLON:
                    i = _after_holder(data, i, end, out, first, w - 1)
                continue
            code, length = code_point(data, i, end)
            entry = table[code] if 0 <= code < table.size else np.uint32(0)
            kind = entry & 0xFF
            if kind == PART and not parted:
                out[w] = SPACE
                w += 1
            for k in range(length if kind == KEEP else 0):
                out[w] = data[i + k]
                w += 1
            for _ in range(kind if kind < KEEP else 0):
                entry >>= np.uint32(8)
                out[w] = entry & 0xFF
                w += 1
            if kind != DROP:
                parted = int(kind == PART)
            i += length
        if parted and w > first:
            w -= 1
        out_offsets[row + 1] = w
    return w


def clean_bytes(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], table: NDArray[np.uint32]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Give the clean view of ``n`` rows of UTF-8 as bytes and ``n + 1`` offsets."""
    span = int(offsets[-1] - offsets[0])
    out = np.empty(2 * span + 1, np.uint8)
    out_offsets = np.empty(offsets.size, np.int64)
    written = clean_rows(data, offsets, table, np.empty(ASCII, np.uint8), out, out_offsets)
    return out[:written], out_offsets


def clean(descriptor: str) -> str:
    """Give the clean view of one descriptor."""
    data = np.frombuffer(descriptor.encode("utf-8", "replace"), np.uint8)
    view, _ = clean_bytes(data, np.array([0, data.size], np.int64), fold_table())
    return view.tobytes().decode()
