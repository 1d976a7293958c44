"""Sets of characters as ranges of code points, and their spelling in UTF-8 bytes."""

from collections.abc import Iterable, Iterator
from typing import TypeAlias

Range: TypeAlias = tuple[int, int]
Ranges: TypeAlias = tuple[Range, ...]

LAST_ASCII = 0x7F
LAST_CODE_POINT = 0x10FFFF
SURROGATES = (0xD800, 0xDFFF)
LOWER = (0x61, 0x7A)
LOWER_TO_UPPER = 0x20
MOST_CASED = 2048
"""Beyond this many non-ASCII characters a class is not completed with its other-case letters."""


def union(ranges: Iterable[Range]) -> Ranges:
    """Sort and merge; the result is disjoint and not adjacent."""
    merged: list[Range] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


def complement(ranges: Ranges) -> Ranges:
    """Every code point outside of ``ranges``."""
    gaps: list[Range] = []
    first = 0
    for low, high in ranges:
        if first < low:
            gaps.append((first, low - 1))
        first = high + 1
    if first <= LAST_CODE_POINT:
        gaps.append((first, LAST_CODE_POINT))
    return tuple(gaps)


def difference(ranges: Ranges, removed: Ranges) -> Ranges:
    """Every code point of ``ranges`` that is not in ``removed``."""
    outside = complement(removed)
    return union(
        (max(low, first), min(high, last)) for low, high in ranges for first, last in outside if max(low, first) <= min(high, last)
    )


def upper(ranges: Ranges) -> Ranges:
    """Replace ASCII small letters by capitals and add the other case of other letters, as the view is upper case."""
    small = [(max(low, LOWER[0]), min(high, LOWER[1])) for low, high in ranges if low <= LOWER[1] and high >= LOWER[0]]
    capitals = [(low - LOWER_TO_UPPER, high - LOWER_TO_UPPER) for low, high in small]
    return union([*difference(ranges, (LOWER,)), *capitals, *_other_cases(ranges)])


def _other_cases(ranges: Ranges) -> Iterator[Range]:
    """The other-case letters of a small non-ASCII set."""
    beyond = difference(ranges, ((0, LAST_ASCII),))
    if size(beyond) > MOST_CASED:
        return
    for character in map(chr, members(beyond)):
        for other in (character.upper(), character.lower()):
            if len(other) == 1 and ord(other) > LAST_ASCII:
                yield ord(other), ord(other)


def size(ranges: Ranges) -> int:
    """How many code points."""
    return sum(high - low + 1 for low, high in ranges)


def members(ranges: Ranges) -> Iterator[int]:
    """Each code point in order."""
    for low, high in ranges:
        yield from range(low, high + 1)


def has_all_beyond_ascii(ranges: Ranges) -> bool:
    """Whether every character beyond ASCII is a member, as in a dot, a word character or ``[^A]``."""
    return bool(ranges) and ranges[-1][0] <= LAST_ASCII + 1 and ranges[-1][1] == LAST_CODE_POINT


def utf8_sequences(ranges: Ranges) -> Iterator[tuple[Range, ...]]:
    """Byte ranges, one per position, that together spell exactly ``ranges``.

    The splitting rule is that of Russ Cox, "Regular Expression Matching in the Wild" (2010), as in the crate utf8-ranges.
    """
    for low, high in difference(ranges, (SURROGATES,)):
        pending = [(low, high)]
        while pending:
            first, last = pending.pop()
            cut = _cut(first, last)
            if cut is None:
                yield tuple(zip(chr(first).encode(), chr(last).encode(), strict=True))
            else:
                pending += [(cut + 1, last), (first, cut)]


def _cut(first: int, last: int) -> int | None:
    """Where to split so that every byte position becomes one independent range."""
    for limit in (0x7F, 0x7FF, 0xFFFF):
        if first <= limit < last:
            return limit
    if last <= LAST_ASCII:
        return None
    for bits in (6, 12, 18):
        mask = (1 << bits) - 1
        if first & ~mask != last & ~mask:
            if first & mask:
                return first | mask
            if last & mask != mask:
                return (last & ~mask) - 1
    return None
