"""Tokens: the alphanumeric runs of a clean view, as the phrase lexicon and the core see them.

Apostrophes vanish (MCDONALD'S is MCDONALDS), ``&`` is the word AND, ``+`` after a letter is the word PLUS. Letters part from digits where
three or more letters meet the two or more digits that end a run (SHELL5742), where digits meet three or more letters (0123DOMINOS), and
where the letters after an ``&`` meet digits or masked digits (H&M1234); what ``runs`` tells is parted or kept together.
Aliases of a pack pass through the same function, so both sides always agree.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from rayapp.scoring.runs import (
    CLASS,
    LAST_GLUED,
    LEAST_GLUED,
    MASK,
    PRIME,
    QUOTE,
    SEED,
    account_end,
    char_class,
    glued_at,
    hash_bytes,
    may_be_account,
)

MAX_TOKENS = 96
"""Tokens of one descriptor that are looked at; what follows is left out of the core."""

NUMBER, CODE, STAR, HASH, JOINED, LETTERS, COLON, JUMBLE = 1, 2, 4, 8, 16, 32, 64, 128
"""Token flags: digits or masked digits only; letters and digits as in references; an asterisk follows; a ``#`` precedes;
joined to the token before by ``-``, ``/``, ``.`` or ``:``; has a letter; a colon follows, or a ``+`` and more (SVWZ+MIETE), or it stands
between slashes; letters and digits in a jumble, which is a reference where a name went before it (FACEBK SHVDSQD2) and may be a name
elsewhere."""

AND, PLUS = -1, -2
"""Ends of the tokens that stand for a sign and have no letters of their own in the clean view."""

_AMPERSAND, _PLUS_SIGN, _STAR_SIGN, _HASH_SIGN, _COLON_SIGN, _SLASH, _SPACE = 38, 43, 42, 35, 58, 47, 32
_LEAST_NUMBER = 3
"""Digits or masked digits that part from the letters before them after an ``&``."""
_LEAST_JUMBLE = 5


class Tokens(NamedTuple):
    """Scratch for the tokens of one row: place in the clean view, hash and flags. Each of shape (MAX_TOKENS,)."""

    start: NDArray[np.int32]
    end: NDArray[np.int32]
    hash: NDArray[np.uint64]
    flags: NDArray[np.uint8]


def new_tokens() -> Tokens:
    """Make scratch for one row; one for each thread."""
    return Tokens(
        np.empty(MAX_TOKENS, np.int32), np.empty(MAX_TOKENS, np.int32), np.empty(MAX_TOKENS, np.uint64), np.empty(MAX_TOKENS, np.uint8)
    )


@njit(nogil=True, cache=True, _nrt=False)
def _sign_hash(sign: int) -> np.uint64:
    """Hash the word a sign stands for."""
    h = SEED
    word = (65, 78, 68, 0) if sign == AND else (80, 76, 85, 83)
    for letter in word:
        if letter:
            h = (h ^ np.uint64(letter)) * PRIME
    return h ^ (h >> np.uint64(32))


@njit(nogil=True, cache=True, _nrt=False)
def _flags(data: NDArray[np.uint8], start: int, end: int) -> int:
    """Classify one token by its letters, digits and masked digits (runs of X)."""
    letters = digits = masked = run = vowels = 0
    for i in range(start, end):
        kind = char_class(data[i])
        if kind == 1:
            letters += 1
            vowels += data[i] == 65 or data[i] == 69 or data[i] == 73 or data[i] == 79 or data[i] == 85
            run = run + 1 if data[i] == 88 else 0
            if run == 2:
                masked += 2
            elif run > 2:
                masked += 1
        elif kind == 2:
            digits += 1
            run = 0
    plain = letters - masked
    if plain == 0 and digits + masked > 0:
        return NUMBER
    numbers = digits + masked
    first_is_letter = char_class(data[start]) == 1
    flags = LETTERS if letters else 0
    if numbers >= 2 and ((plain == 1 and first_is_letter and numbers >= 3) or numbers >= 4 or (numbers >= 3 and numbers + plain >= 8)):
        flags |= CODE
    if digits and plain and end - start >= _LEAST_JUMBLE and (digits >= 2 or vowels == 0):
        flags |= JUMBLE
    return flags


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _read_run(data: NDArray[np.uint8], start: int, end: int) -> tuple[int, int, np.uint64]:
    """Read an alphanumeric run: its end, what it is made of (1 letters, 2 digits, 3 both, 4 and more masked digits too), and its hash."""
    h = SEED
    seen = 0
    last = np.uint8(0)
    i = start
    while i < end:
        byte = data[i]
        kind = CLASS[byte]
        if kind == 0:
            break
        if kind != 3:
            seen |= kind
            if byte == MASK and last == MASK:
                seen |= 4
            last = byte
            h = (h ^ np.uint64(byte)) * PRIME
        i += 1
    return i, seen, h ^ (h >> np.uint64(32))


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _append(start: int, end: int, h: np.uint64, flags: int, tokens: Tokens, n: int) -> int:
    """Append a token; past the capacity nothing is added."""
    if n >= MAX_TOKENS:
        return n
    tokens.start[n], tokens.end[n], tokens.hash[n], tokens.flags[n] = start, end, h, flags
    return n + 1


@njit(nogil=True, cache=True, _nrt=False)
def _add(data: NDArray[np.uint8], start: int, end: int, extra: int, tokens: Tokens, n: int) -> int:
    """Append the token at a place, hashed and classified."""
    return _append(start, end, hash_bytes(data, start, end), _flags(data, start, end) | extra, tokens, n)


@njit(nogil=True, cache=True, _nrt=False)
def _add_sign(at: int, sign: int, tokens: Tokens, n: int) -> int:
    """Append the word that a sign stands for."""
    return _append(at, sign, _sign_hash(sign), LETTERS, tokens, n)


@njit(nogil=True, cache=True, _nrt=False)
def _add_run(data: NDArray[np.uint8], start: int, end: int, extra: int, tokens: Tokens, n: int) -> int:
    """Append an alphanumeric run, parted where letters meet digits."""
    first = start
    i = start
    previous_kind = 0
    previous_start = start
    while i < end:
        kind = char_class(data[i])
        segment = i
        while i < end and (char_class(data[i]) == kind or data[i] == QUOTE):
            i += 1
        parts = (previous_kind == 1 and kind == 2 and i == end and i - segment >= 2 and segment - previous_start >= 3) or (
            previous_kind == 2 and kind == 1 and i - segment >= 3
        )
        if parts:
            n = _add(data, first, segment, extra, tokens, n)
            extra = extra & ~HASH
            first = segment
        previous_kind = kind
        previous_start = segment
    return _add(data, first, end, extra, tokens, n)


@njit(nogil=True, cache=True, _nrt=False)
def _letters_after_sign(data: NDArray[np.uint8], start: int, end: int) -> int:
    """Give the end of the letters of a run after ``&`` if all that follows is a number, plain or masked; else its start."""
    i = start
    while i < end and char_class(data[i]) != 2 and not (data[i] == MASK and i + 1 < end and data[i + 1] == MASK):
        i += 1
    for k in range(i, end):
        if char_class(data[k]) != 2 and data[k] != MASK:
            return start
    return i if end - i >= _LEAST_NUMBER else start


@njit(nogil=True, cache=True, _nrt=False)
def _add_glued(data: NDArray[np.uint8], start: int, end: int, extra: int, tokens: Tokens, n: int) -> int:
    """Append a run of letters, parted before a bank's word that is glued to its end."""
    cut = glued_at(data, start, end)
    n = _append(start, cut, hash_bytes(data, start, cut), LETTERS | extra, tokens, n)
    return n if cut == end else _append(cut, end, hash_bytes(data, cut, end), LETTERS, tokens, n)


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def tokenise(data: NDArray[np.uint8], start: int, end: int, tokens: Tokens) -> int:
    """Write the tokens of the clean view ``data[start:end]``; returns how many."""
    n = 0
    i = start
    extra = 0
    while i < end:
        kind = char_class(data[i])
        if kind == 1 or kind == 2:
            run = i
            i, seen, h = _read_run(data, i, end)
            account = account_end(data, run, i, end) if seen > 2 and may_be_account(data, run, i) else -1
            if seen == 2:
                n = _append(run, i, h, NUMBER | extra, tokens, n)
            elif seen == 1:
                if i - run >= LEAST_GLUED and (data[i - 1] == LAST_GLUED[0] or data[i - 1] == LAST_GLUED[1]):
                    n = _add_glued(data, run, i, extra, tokens, n)
                else:
                    n = _append(run, i, h, LETTERS | extra, tokens, n)
            elif account >= 0:
                i = account
                n = _add(data, run, i, CODE | extra, tokens, n)
            else:
                if run > start and data[run - 1] == _AMPERSAND:
                    cut = _letters_after_sign(data, run, i)
                    if cut > run:
                        n = _add(data, run, cut, extra, tokens, n)
                        run, extra = cut, 0
                n = _add_run(data, run, i, extra, tokens, n)
            extra = JOINED
            continue
        byte = data[i]
        if byte == _HASH_SIGN:
            extra |= HASH
        elif byte == _AMPERSAND:
            n = _add_sign(i, AND, tokens, n)
            extra = 0
        elif byte == _PLUS_SIGN and n > 0 and i > start and char_class(data[i - 1]) == 1 and (i + 1 == end or char_class(data[i + 1]) == 0):
            n = _add_sign(i, PLUS, tokens, n)
            extra = 0
        elif byte == _PLUS_SIGN and n > 0 and tokens.end[n - 1] == i:
            tokens.flags[n - 1] |= COLON
            extra &= ~JOINED
        elif byte == _STAR_SIGN:
            if n > 0:
                tokens.flags[n - 1] |= STAR
            extra &= ~JOINED
        elif byte == _COLON_SIGN and n > 0 and data[i - 1] != _SPACE:
            tokens.flags[n - 1] |= COLON
        elif byte == _SLASH and n > 0 and tokens.end[n - 1] == i and tokens.start[n - 1] > start:
            if data[tokens.start[n - 1] - 1] == _SLASH:
                tokens.flags[n - 1] |= COLON
        elif byte != 45 and byte != 46 and byte != 47 and byte != 58:
            extra &= ~JOINED
        i += 1
    _mask_single(data, tokens, n)
    return n


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _mask_single(data: NDArray[np.uint8], tokens: Tokens, n: int) -> None:
    """Read a lone X beside a masked or plain number that it is joined to (X/XX, $X.XX) as a masked digit too."""
    for t in range(n):
        if tokens.end[t] - tokens.start[t] != 1 or data[tokens.start[t]] != MASK:
            continue
        before = t > 0 and tokens.flags[t] & JOINED and (tokens.flags[t - 1] & NUMBER or data[tokens.start[t - 1]] == MASK)
        after = t + 1 < n and tokens.flags[t + 1] & JOINED and (tokens.flags[t + 1] & NUMBER or data[tokens.start[t + 1]] == MASK)
        if before or after:
            tokens.flags[t] = (tokens.flags[t] & ~LETTERS) | NUMBER


@njit(nogil=True, cache=True, _nrt=False)
def write_token(data: NDArray[np.uint8], start: int, end: int, out: NDArray[np.uint8], w: int) -> int:
    """Write a token's letters at ``out[w]``; returns the place after them. A sign's word has up to four letters."""
    if end == AND:
        out[w], out[w + 1], out[w + 2] = 65, 78, 68
        return w + 3
    if end == PLUS:
        out[w], out[w + 1], out[w + 2], out[w + 3] = 80, 76, 85, 83
        return w + 4
    for i in range(start, end):
        if data[i] != QUOTE:
            out[w] = data[i]
            w += 1
    return w


@njit(nogil=True, cache=True, _nrt=False)
def hash_rows(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], tokens: Tokens, out: NDArray[np.uint64], out_offsets: NDArray[np.int64]
) -> int:
    """Write the token hashes of each clean row; ``out`` needs one place for each byte of ``data``. Returns how many were written."""
    w = 0
    out_offsets[0] = 0
    for row in range(offsets.size - 1):
        n = tokenise(data, offsets[row], offsets[row + 1], tokens)
        for t in range(n):
            out[w] = tokens.hash[t]
            w += 1
        out_offsets[row + 1] = w
    return w


@njit(nogil=True, cache=True, _nrt=False)
def token_rows(
    data: NDArray[np.uint8], offsets: NDArray[np.int64], tokens: Tokens, out: NDArray[np.uint8], out_offsets: NDArray[np.int64]
) -> int:
    """Write each clean row as its tokens with single spaces between; ``out`` needs five bytes for each byte of ``data`` and row."""
    w = 0
    out_offsets[0] = 0
    for row in range(offsets.size - 1):
        n = tokenise(data, offsets[row], offsets[row + 1], tokens)
        for t in range(n):
            if t:
                out[w] = 32
                w += 1
            w = write_token(data, tokens.start[t], tokens.end[t], out, w)
        out_offsets[row + 1] = w
    return w
