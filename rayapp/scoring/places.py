"""Places at the end of a line: cities, regions and countries are peeled off it, and kept as facts."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from rayapp.scoring.lexicon import CITY, COMMON, COUNTRY, NOWHERE, REGION, UNKNOWN, Facts, Lexicon, Scan
from rayapp.scoring.phrases import (
    ALIAS,
    FAINT,
    GENERIC,
    GLUE,
    LEGAL,
    NOISE_END,
    ROOT,
    Trie,
    entry_of,
    find,
    has_bit,
    look,
    may_follow,
    step,
)
from rayapp.scoring.runs import hash_bytes
from rayapp.scoring.tokens import JOINED, NUMBER, Tokens

_LONGEST_PLACE = 4
_PHONE_DIGITS, _LAND_CODE = 10, 2
"""Digits of a telephone number; letters of the code of a region or a country."""
_LEAST_FUSED = 7
"""Letters of a city of one word and its region, printed as one: shorter ones are words (DIRECT is no place in Connecticut)."""


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def token_size(tokens: Tokens, t: int) -> int:
    """Give the bytes of a token."""
    return tokens.end[t] - tokens.start[t]


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _place_of(places: Trie, scan: Scan, first: int, last: int) -> int:
    """Give the place whose tokens are the kept ones ``first`` to ``last``, or -1; what begins with a token is looked up once."""
    t = scan.kept[first]
    if scan.place_cell[t] == UNKNOWN:
        scan.place_node[t] = step(ROOT, scan.tokens.hash[t])
        scan.place_cell[t] = look(places, scan.place_node[t]) if has_bit(places.first, scan.tokens.hash[t]) else NOWHERE
    node, cell = scan.place_node[t], scan.place_cell[t]
    for k in range(first + 1, last):
        node = step(node, scan.tokens.hash[scan.kept[k]])
        if not may_follow(cell, node):
            return -1
        cell = look(places, node)
    return entry_of(cell)


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def is_land_code(lexicon: Lexicon, scan: Scan, at: int) -> bool:
    """Tell whether kept token ``at`` is the code of a region or a country, oftener the end of a line than a brand."""
    if token_size(scan.tokens, scan.kept[at]) != _LAND_CODE:
        return False
    place = _place_of(lexicon.places, scan, at, at + 1)
    return place >= 0 and lexicon.place_kind[place] & (REGION | COUNTRY) != 0


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _is_free(lexicon: Lexicon, scan: Scan, first: int, kept: int, yielding: int) -> bool:
    """Tell whether the kept tokens from ``first`` on can be a place: no brand reaches out of it, or is all of it but for yielding kinds."""
    for k in range(first, kept):
        hit = scan.hit_of[k]
        if hit < 0:
            continue
        whole = scan.last[hit] - scan.first[hit] == kept - first
        if scan.first[hit] < first or (whole and not lexicon.kind[scan.entry[hit]] & yielding):
            return False
    return True


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _place_at_end(lexicon: Lexicon, scan: Scan, kept: int, country: int, other: int) -> tuple[int, int]:
    """Find the longest place that ends the kept tokens: its entry and first token, or (-1, kept).

    A brand of a city's name (PHOENIX, PARIS) is the city before a region or a country that it lies in: ``country``, or as its code can
    also be read ``other``; -1 where neither is known. One that is a common word is the city anyway (LE PETIT BISTROT PARIS).
    """
    if not has_bit(lexicon.places.last, scan.tokens.hash[scan.kept[kept - 1]]):
        return -1, kept
    for first in range(max(1, kept - _LONGEST_PLACE), kept):
        place = _place_of(lexicon.places, scan, first, kept)
        if place >= 0:
            land = lexicon.place_country[place]
            known = land == country
            sure = land >= 0 and (known or land == other)
            yielding = ALIAS if sure else 0 if lexicon.place_kind[place] & COMMON else FAINT
            if _is_free(lexicon, scan, first, kept, yielding):
                return place, first
    return -1, kept


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _fused_place(data: NDArray[np.uint8], lexicon: Lexicon, scan: Scan, kept: int) -> tuple[int, int, int]:
    """Find a city printed with its region's two letters and no space (OAKLANDCA): city, region, first token."""
    tokens = scan.tokens
    t = scan.kept[kept - 1]
    start, end = tokens.start[t], tokens.end[t]
    if scan.hit_of[kept - 1] >= 0 or end - start < 6 or tokens.flags[t] & NUMBER or scan.single[t] >= 0:
        return -1, -1, kept
    region_hash = hash_bytes(data, end - 2, end)
    if not has_bit(lexicon.places.last, region_hash):
        return -1, -1, kept
    scan.hashes[0] = region_hash
    region = find(lexicon.places, scan.hashes, 0, 1)
    if region < 0 or not lexicon.place_kind[region] & REGION:
        return -1, -1, kept
    for first in range(max(1, kept - 3), kept):
        free = True
        for k in range(first, kept):
            scan.hashes[k - first] = tokens.hash[scan.kept[k]]
            free = free and scan.hit_of[k] < 0
        scan.hashes[kept - 1 - first] = hash_bytes(data, start, end - 2)
        city = find(lexicon.places, scan.hashes, 0, kept - first) if free else -1
        if city < 0 or lexicon.place_kind[city] & (CITY | COMMON) != CITY:
            continue
        if lexicon.place_country[city] == lexicon.place_country[region] and (first < kept - 1 or end - start >= _LEAST_FUSED):
            return city, region, first
    return -1, -1, kept


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _after_long_number(scan: Scan, first: int) -> bool:
    """Tell whether kept token ``first`` stands right after a telephone number or another of as many digits, as online shops print it."""
    tokens = scan.tokens
    t = scan.kept[first] - 1
    digits = 0
    while t >= 0 and tokens.flags[t] & NUMBER:
        digits += token_size(tokens, t)
        if not tokens.flags[t] & JOINED:
            break
        t -= 1
    return digits >= _PHONE_DIGITS


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _country_reading(data: NDArray[np.uint8], lexicon: Lexicon, scan: Scan, place: int, first: int, kept: int) -> int:
    """Give the country whose code is also that of a region (CA, DE), or -1."""
    t = scan.kept[first]
    if kept - first != 1 or lexicon.place_kind[place] & (REGION | COUNTRY) != REGION | COUNTRY or token_size(scan.tokens, t) != _LAND_CODE:
        return -1
    return (int(data[scan.tokens.start[t]]) - 65) * 26 + int(data[scan.tokens.start[t] + 1]) - 65


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _needs_city(data: NDArray[np.uint8], lexicon: Lexicon, scan: Scan, place: int, first: int, kept: int) -> bool:
    """Tell whether a region or country that is also a common word (ON, DE, IN) has neither a city before it nor a telephone number.

    A country's code that is no region's (EG, SO, TO, AM) needs a city of its own.
    """
    kind = lexicon.place_kind[place]
    if not kind & COMMON or not kind & (REGION | COUNTRY) or _after_long_number(scan, first):
        return False
    if first <= 1:
        return True
    other = _country_reading(data, lexicon, scan, place, first, kept)
    city, _ = _place_at_end(lexicon, scan, first, lexicon.place_country[place], other)
    if city < 0 or not lexicon.place_kind[city] & CITY:
        return True
    return kind & REGION == 0 and lexicon.place_country[city] != lexicon.place_country[place]


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def peel_end(data: NDArray[np.uint8], lexicon: Lexicon, scan: Scan, kept: int, facts: Facts, row: int) -> int:
    """Take places and legal forms off the end; returns the tokens kept."""
    located = city_seen = False
    other = -1
    while kept > 1:
        place, first = _place_at_end(lexicon, scan, kept, facts.country[row], other)
        region = -1
        if place < 0 and not city_seen:
            place, region, first = _fused_place(data, lexicon, scan, kept)
        if place >= 0 and scan.kind[scan.kept[first - 1]] & GLUE:
            place = -1
        if place >= 0 and region < 0 and not located and _needs_city(data, lexicon, scan, place, first, kept):
            place = -1
        kind = lexicon.place_kind[place] if place >= 0 else 0
        if region >= 0:
            facts.country[row], facts.region[row] = lexicon.place_country[region], lexicon.place_region[region]
            facts.city[row] = place
            located = city_seen = True
        elif kind & (REGION | COUNTRY) and not city_seen and not (kind & CITY and facts.region[row] >= 0):
            if facts.country[row] < 0:
                facts.country[row], facts.region[row] = lexicon.place_country[place], lexicon.place_region[place]
                other = _country_reading(data, lexicon, scan, place, first, kept)
            elif lexicon.place_country[place] == facts.country[row]:
                facts.region[row] = lexicon.place_region[place]
            located = True
        elif kind & CITY and not city_seen and (located or not kind & COMMON):
            if facts.city[row] < 0:
                facts.city[row] = place
            if facts.country[row] < 0:
                facts.country[row] = lexicon.place_country[place]
            elif other >= 0 and lexicon.place_country[place] == other:
                facts.country[row], facts.region[row] = other, -1
            city_seen = True
            if not located and first == 1 and scan.hit_of[0] < 0 and scan.kind[scan.kept[0]] & GENERIC:
                break
        elif scan.hit_of[kept - 1] < 0 and scan.kind[scan.kept[kept - 1]] & (LEGAL | NOISE_END):
            first = kept - 1
        else:
            break
        kept = first
    return kept
