"""The core of a descriptor: the merchant's own words, and the facts that banks print around them.

Rail wording, processor prefixes, numbers, dates, references, places at the end and legal forms are peeled off; aliases found on the way
are noted and their words stay. Peeling goes on until nothing more comes off, so that the core of a core is itself.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from rayapp.scoring.phrases import (
    ALIAS,
    GENERIC,
    GLUE,
    HEAD,
    LEGAL,
    MONTH,
    NEUTRAL,
    NOISE,
    NOISE_END,
    NOISE_START,
    PROCESSOR,
    ROOT,
    STAR_NEEDED,
    TAIL,
    TAIL_COLON,
    Trie,
    entry_of,
    find,
    has_bit,
    look,
    may_follow,
    step,
)
from rayapp.scoring.tokens import (
    APOSTROPHE,
    CODE,
    COLON,
    HASH,
    JOINED,
    JUMBLE,
    MAX_TOKENS,
    NUMBER,
    STAR,
    Tokens,
    char_class,
    hash_bytes,
    new_tokens,
    tokenise,
    write_token,
)

MAX_HITS = 6
"""Alias hits kept of one descriptor; leftmost first."""

CITY, REGION, COUNTRY, COMMON = 1, 2, 4, 8
"""What a place name can be; a common word is a place only before a region or a country."""

PEELABLE = NOISE | NOISE_START | NOISE_END | TAIL | TAIL_COLON | HEAD | PROCESSOR
_LONGEST_PLACE = 4
_NOWHERE, _UNKNOWN = np.uint64(0), np.uint64(0xFFFFFFFFFFFFFFFF)
"""No cells of places, whose entries are far fewer."""
_LEAST_FUSED = 7
"""Letters of a city of one word and its region, printed as one: shorter ones are words (DIRECT is no place in Connecticut)."""


class Lexicon(NamedTuple):
    """The pack's phrases and places as arrays."""

    phrases: Trie
    kind: NDArray[np.uint16]
    processor: NDArray[np.int16]
    channel: NDArray[np.int8]
    places: Trie
    place_kind: NDArray[np.uint8]
    place_country: NDArray[np.int16]
    place_region: NDArray[np.int32]
    learned: Trie


class Facts(NamedTuple):
    """What is known of each row beside its core; -1 where nothing is. Spans are places in the clean view, shape (n, 2)."""

    processor: NDArray[np.int16]
    channel: NDArray[np.int8]
    country: NDArray[np.int16]
    region: NDArray[np.int32]
    city: NDArray[np.int32]
    store: NDArray[np.int32]
    phone: NDArray[np.int32]
    weight: NDArray[np.int32]
    """Letters of the core that say something: legal and generic words left out."""
    words: NDArray[np.int32]
    """Letters of the core, those of legal and neutral words alone left out."""
    learned: NDArray[np.int32]
    """Learned merchant whose core is exactly this one."""


class Hits(NamedTuple):
    """Aliases found: hit ``h`` of row ``r`` has ``offset[r] <= h < offset[r + 1]``."""

    offset: NDArray[np.int64]
    entry: NDArray[np.int32]
    start: NDArray[np.int32]
    end: NDArray[np.int32]
    first: NDArray[np.uint8]
    """1 where the alias opens the core."""
    letters: NDArray[np.int32]
    """Letters of the alias that say something."""


class Scan(NamedTuple):
    """Scratch of one row: the tokens kept, and which alias hit each belongs to (-1 for none)."""

    tokens: Tokens
    kept: NDArray[np.int32]
    hit_of: NDArray[np.int32]
    entry: NDArray[np.int32]
    first: NDArray[np.int32]
    last: NDArray[np.int32]
    hashes: NDArray[np.uint64]
    node: NDArray[np.uint64]
    """Node of each token as the first of a phrase."""
    cell: NDArray[np.uint64]
    """Its cell, 0 where no phrase begins with the token."""
    single: NDArray[np.int32]
    """Entry of each token alone, -1 for none."""
    kind: NDArray[np.int32]
    """What that entry is good for."""
    place_node: NDArray[np.uint64]
    """Node of each token as the first of a place."""
    place_cell: NDArray[np.uint64]
    """Its cell, 0 where no place begins with the token, _UNKNOWN before that was asked."""


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _acts(kind: int, flags: int, opened: bool, at_end: bool, number_next: bool) -> int:
    """Give what of an entry can act here: by the flags of its last token and its place in the row; 0 for nothing."""
    found = kind & (ALIAS | NOISE | LEGAL | GENERIC | GLUE | MONTH | NEUTRAL)
    if kind & PROCESSOR and not opened and not at_end and (flags & STAR or not (kind & STAR_NEEDED or number_next)):
        found |= PROCESSOR
    if not opened:
        found |= kind & NOISE_START
    if at_end:
        found |= kind & NOISE_END
    else:
        found |= kind & HEAD
    if opened:
        found |= kind & (TAIL | TAIL_COLON if flags & COLON else TAIL)
    return found


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _number_at(scan: Scan, at: int, n: int) -> bool:
    """Tell whether kept token ``at`` is a number."""
    return at < n and scan.tokens.flags[scan.kept[at]] & NUMBER != 0


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _longest(lexicon: Lexicon, scan: Scan, at: int, n: int, opened: bool) -> tuple[int, int]:
    """Walk the trie from kept token ``at``: the longest entry that applies and the token after it, or (-1, at + 1)."""
    tokens = scan.tokens
    best, best_end = -1, at + 1
    token = scan.kept[at]
    node, cell = scan.node[token], scan.cell[token]
    if cell == _NOWHERE:
        return best, best_end
    if scan.single[token] >= 0 and _acts(scan.kind[token], tokens.flags[token], opened, at + 1 == n, _number_at(scan, at + 1, n)):
        best = scan.single[token]
    for t in range(at + 1, n):
        node = step(node, tokens.hash[scan.kept[t]])
        if not may_follow(cell, node):
            break
        cell = look(lexicon.phrases, node)
        if cell == _NOWHERE:
            break
        entry = entry_of(cell)
        if entry >= 0 and _acts(lexicon.kind[entry], tokens.flags[scan.kept[t]], opened, t + 1 == n, _number_at(scan, t + 1, n)):
            best, best_end = entry, t + 1
    return best, best_end


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _digits(tokens: Tokens, t: int) -> int:
    return tokens.end[t] - tokens.start[t]


@njit(nogil=True, cache=True, _nrt=False)
def _note_number(scan: Scan, at: int, n: int, opened: bool, facts: Facts, row: int) -> None:
    """Keep a number that is dropped as the phone or the store number, where it looks like one."""
    tokens = scan.tokens
    t = scan.kept[at]
    length = _digits(tokens, t)
    last = -1
    if length == 10 or length == 11:
        last = t
    elif length == 3 and at + 1 < n and tokens.flags[scan.kept[at + 1]] & JOINED:
        second = scan.kept[at + 1]
        if _digits(tokens, second) == 7 and tokens.flags[second] & NUMBER:
            last = second
        elif at + 2 < n and _digits(tokens, second) == 3:
            third = scan.kept[at + 2]
            if tokens.flags[third] & NUMBER and tokens.flags[third] & JOINED and _digits(tokens, third) == 4:
                last = third
    if last >= 0 and facts.phone[row, 0] < 0:
        facts.phone[row, 0] = tokens.start[t]
        facts.phone[row, 1] = tokens.end[last]
    elif last < 0 and facts.store[row, 0] < 0 and opened and not tokens.flags[t] & JOINED and 1 < length <= 6:
        joined_next = at + 1 < n and tokens.flags[scan.kept[at + 1]] & JOINED and tokens.flags[scan.kept[at + 1]] & NUMBER
        if not joined_next or tokens.flags[t] & HASH:
            facts.store[row, 0] = tokens.start[t]
            facts.store[row, 1] = tokens.end[t]


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _scan(lexicon: Lexicon, scan: Scan, n: int, facts: Facts, row: int) -> tuple[int, int, bool]:
    """Go once over the kept tokens from left to right; returns the tokens kept, the alias hits, and whether one after a kept one went."""
    tokens = scan.tokens
    kept = hits = 0
    gap = False
    at = 0
    while at < n:
        t = scan.kept[at]
        entry, after = _longest(lexicon, scan, at, n, kept > 0)
        kind = 0
        if entry >= 0:
            last = tokens.flags[scan.kept[after - 1]]
            kind = _acts(lexicon.kind[entry], last, kept > 0, after == n, _number_at(scan, after, n))
        hit = -1
        star = after < n and tokens.flags[scan.kept[after - 1]] & STAR != 0
        if kind & ALIAS and not kind & NOISE and not (kind & LEGAL and kept > 0) and not (kind & PROCESSOR and kept == 0 and star):
            if hits < MAX_HITS:
                scan.entry[hits], scan.first[hits], scan.last[hits] = entry, kept, kept + after - at
                hit = hits
                hits += 1
        elif kind & PEELABLE:
            if kind & (TAIL | TAIL_COLON) and kept > 0:
                gap = True
                break
            if kind & HEAD and kept > 0:
                kept = hits = 0
            if kind & PROCESSOR and facts.processor[row] < 0 and kept == 0:
                facts.processor[row] = lexicon.processor[entry]
            if facts.channel[row] < 0:
                facts.channel[row] = lexicon.channel[entry]
            gap = kept > 0
            at = after
            continue
        elif kind & GLUE and after == at + 1 and after < n and tokens.flags[scan.kept[after]] & NUMBER:
            gap = kept > 0
            at = after
            continue
        elif entry < 0 or not kind & (LEGAL | GENERIC | GLUE):
            flags = tokens.flags[t]
            dated = kind & MONTH and (
                (at > 0 and tokens.flags[scan.kept[at - 1]] & NUMBER) or (at + 1 < n and tokens.flags[scan.kept[at + 1]] & NUMBER)
            )
            if flags & (NUMBER | CODE) or dated or (hits > 0 and flags & JUMBLE):
                if flags & NUMBER or (flags & CODE and _digits(tokens, t) <= 7):
                    _note_number(scan, at, n, kept > 0, facts, row)
                gap = kept > 0
                at += 1
                continue
        for k in range(at, after):
            scan.kept[kept] = scan.kept[k]
            scan.hit_of[kept] = hit
            kept += 1
        at = after
    return kept, hits, gap


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _place_of(places: Trie, scan: Scan, first: int, last: int) -> int:
    """Give the place whose tokens are the kept ones ``first`` to ``last``, or -1; what begins with a token is looked up once."""
    t = scan.kept[first]
    if scan.place_cell[t] == _UNKNOWN:
        scan.place_node[t] = step(ROOT, scan.tokens.hash[t])
        scan.place_cell[t] = look(places, scan.place_node[t]) if has_bit(places.first, scan.tokens.hash[t]) else _NOWHERE
    node, cell = scan.place_node[t], scan.place_cell[t]
    for k in range(first + 1, last):
        node = step(node, scan.tokens.hash[scan.kept[k]])
        if not may_follow(cell, node):
            return -1
        cell = look(places, node)
    return entry_of(cell)


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _place_at_end(lexicon: Lexicon, scan: Scan, kept: int) -> tuple[int, int]:
    """Find the longest place that ends the kept tokens: its entry and first token, or (-1, kept)."""
    tokens = scan.tokens
    if not has_bit(lexicon.places.last, tokens.hash[scan.kept[kept - 1]]):
        return -1, kept
    least = max(1, kept - _LONGEST_PLACE)
    free = kept
    while free > least and scan.hit_of[free - 1] < 0:
        free -= 1
    for first in range(free, kept):
        place = _place_of(lexicon.places, scan, first, kept)
        if place >= 0:
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
def _needs_city(lexicon: Lexicon, scan: Scan, place: int, first: int) -> bool:
    """Tell whether a region or country that is also a common word (ON, DE, IN) stands without a city before it."""
    kind = lexicon.place_kind[place]
    if not kind & COMMON or not kind & (REGION | COUNTRY):
        return False
    if first <= 1:
        return True
    city, _ = _place_at_end(lexicon, scan, first)
    return city < 0 or not lexicon.place_kind[city] & CITY


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _country_reading(data: NDArray[np.uint8], lexicon: Lexicon, scan: Scan, place: int, first: int, kept: int) -> int:
    """Give the country whose code is also that of a region (CA, DE), or -1."""
    t = scan.kept[first]
    if (
        kept - first != 1
        or lexicon.place_kind[place] & (REGION | COUNTRY) != REGION | COUNTRY
        or scan.tokens.end[t] - scan.tokens.start[t] != 2
    ):
        return -1
    return (int(data[scan.tokens.start[t]]) - 65) * 26 + int(data[scan.tokens.start[t] + 1]) - 65


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _peel_end(data: NDArray[np.uint8], lexicon: Lexicon, scan: Scan, kept: int, facts: Facts, row: int) -> int:
    """Take places and legal forms off the end; returns the tokens kept."""
    located = city_seen = False
    other = -1
    while kept > 1:
        place, first = _place_at_end(lexicon, scan, kept)
        region = -1
        if place < 0 and not city_seen:
            place, region, first = _fused_place(data, lexicon, scan, kept)
        if place >= 0 and scan.kind[scan.kept[first - 1]] & GLUE:
            place = -1
        if place >= 0 and region < 0 and not located and _needs_city(lexicon, scan, place, first):
            place = -1
        kind = lexicon.place_kind[place] if place >= 0 else 0
        if region >= 0:
            facts.country[row], facts.region[row] = lexicon.place_country[region], lexicon.place_region[region]
            facts.city[row] = place
            located = city_seen = True
        elif kind & (REGION | COUNTRY) and not city_seen:
            if facts.country[row] < 0:
                facts.country[row], facts.region[row] = lexicon.place_country[place], lexicon.place_region[place]
                other = _country_reading(data, lexicon, scan, place, first, kept)
            elif lexicon.place_country[place] == facts.country[row]:
                facts.region[row] = lexicon.place_region[place]
            located = True
        elif kind & CITY and not city_seen and (located or not kind & COMMON):
            facts.city[row] = place
            if facts.country[row] < 0:
                facts.country[row] = lexicon.place_country[place]
            elif other >= 0 and lexicon.place_country[place] == other:
                facts.country[row], facts.region[row] = other, -1
            city_seen = True
        elif scan.hit_of[kept - 1] < 0 and scan.kind[scan.kept[kept - 1]] & (LEGAL | NOISE_END):
            first = kept - 1
        else:
            break
        kept = first
    return kept


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _look_up(lexicon: Lexicon, scan: Scan, t: int) -> None:
    """Find the node and the entry of a token alone."""
    scan.cell[t] = _NOWHERE
    scan.place_cell[t] = _UNKNOWN
    scan.single[t] = -1
    scan.kind[t] = 0
    if has_bit(lexicon.phrases.first, scan.tokens.hash[t]):
        node = step(ROOT, scan.tokens.hash[t])
        cell = look(lexicon.phrases, node)
        scan.node[t], scan.cell[t] = node, cell
        entry = entry_of(cell)
        if entry >= 0:
            scan.single[t] = entry
            scan.kind[t] = lexicon.kind[entry]


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def analyse_row(data: NDArray[np.uint8], start: int, end: int, lexicon: Lexicon, scan: Scan, facts: Facts, row: int) -> tuple[int, int]:
    """Find one row's core tokens, aliases and facts; returns the tokens kept and the alias hits.

    Where only tokens before the first kept one went, the kept ones stand as they stood: going over them again would find the same.
    """
    n = tokenise(data, start, end, scan.tokens)
    for t in range(n):
        scan.kept[t] = t
        _look_up(lexicon, scan, t)
    facts.processor[row] = facts.channel[row] = facts.country[row] = facts.region[row] = facts.city[row] = -1
    facts.store[row, 0] = facts.phone[row, 0] = -1
    while True:
        kept, hits, gap = _scan(lexicon, scan, n, facts, row)
        left = _peel_end(data, lexicon, scan, kept, facts, row) if kept > 1 else kept
        if left == n or (left == kept and not gap):
            return left, hits
        n = left


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _letters(scan: Scan, first: int, last: int) -> int:
    """Count the bytes of kept tokens; signs have none."""
    total = 0
    for k in range(first, last):
        t = scan.kept[k]
        total += max(scan.tokens.end[t] - scan.tokens.start[t], 0)
    return total


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _telling_letters(scan: Scan, kept: int) -> tuple[int, int]:
    """Count the bytes of the core for ``Facts.weight`` and ``Facts.words``: words that say nothing count as parts of aliases only."""
    weight = words = 0
    for k in range(kept):
        t = scan.kept[k]
        size = max(scan.tokens.end[t] - scan.tokens.start[t], 0)
        named = scan.hit_of[k] >= 0
        weight += size * int(named or scan.kind[t] & (LEGAL | GENERIC | GLUE) == 0)
        words += size * int(named or scan.kind[t] & (LEGAL | NEUTRAL | GLUE) == 0)
    return weight, words


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _token_end(scan: Scan, k: int) -> int:
    """Give the end of kept token ``k`` in the clean view."""
    t = scan.kept[k]
    end = scan.tokens.end[t]
    return end if end >= 0 else scan.tokens.start[t] + 1


@njit(nogil=True, cache=True, _nrt=False)
def analyse_rows(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    lexicon: Lexicon,
    scan: Scan,
    core: NDArray[np.uint8],
    core_offsets: NDArray[np.int64],
    facts: Facts,
    hits: Hits,
) -> None:
    """Analyse every clean row; ``core`` needs five bytes for each byte of ``data``, the arrays of ``hits`` MAX_HITS for each row."""
    w = h = 0
    core_offsets[0] = hits.offset[0] = 0
    for row in range(offsets.size - 1):
        kept, found = analyse_row(data, offsets[row], offsets[row + 1], lexicon, scan, facts, row)
        w = _write_core(data, scan, kept, core, w)
        core_offsets[row + 1] = w
        facts.weight[row], facts.words[row] = _telling_letters(scan, kept)
        facts.learned[row] = _learned(lexicon, scan, kept)
        h = _write_hits(scan, found, offsets[row], hits, h)
        hits.offset[row + 1] = h


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _write_core(data: NDArray[np.uint8], scan: Scan, kept: int, core: NDArray[np.uint8], w: int) -> int:
    """Write the kept tokens with single spaces between; those that stand one byte apart in the clean view go in one stretch."""
    tokens = scan.tokens
    k = 0
    while k < kept:
        if k:
            core[w] = 32
            w += 1
        t = scan.kept[k]
        k += 1
        start, end = tokens.start[t], tokens.end[t]
        if end < 0:
            w = write_token(data, start, end, core, w)
            continue
        while k < kept and scan.kept[k] == t + 1 and tokens.start[t + 1] == end + 1 and tokens.end[t + 1] >= 0:
            t += 1
            k += 1
            end = tokens.end[t]
        for i in range(start, end):
            kind = char_class(data[i])
            core[w] = data[i] if kind else 32
            w += kind != APOSTROPHE
    return w


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _learned(lexicon: Lexicon, scan: Scan, kept: int) -> int:
    """Find the learned merchant whose core is exactly the kept tokens, or -1."""
    hashes = scan.tokens.hash
    if kept == 0 or not has_bit(lexicon.learned.first, hashes[scan.kept[0]]):
        return -1
    for k in range(kept):
        scan.hashes[k] = hashes[scan.kept[k]]
    return find(lexicon.learned, scan.hashes, 0, kept)


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _write_hits(scan: Scan, found: int, begin: int, hits: Hits, h: int) -> int:
    """Write a row's alias hits, whose places count from the row's ``begin``; returns the place after them."""
    for k in range(found):
        first, last = scan.first[k], scan.last[k]
        hits.entry[h] = scan.entry[k]
        hits.start[h] = scan.tokens.start[scan.kept[first]] - begin
        hits.end[h] = _token_end(scan, last - 1) - begin
        hits.first[h] = first == 0
        hits.letters[h] = _letters(scan, first, last)
        h += 1
    return h


def new_scan() -> Scan:
    """Make scratch for one thread."""

    def integers() -> NDArray[np.int32]:
        return np.empty(MAX_TOKENS + 1, np.int32)

    def hashes() -> NDArray[np.uint64]:
        return np.empty(MAX_TOKENS + 1, np.uint64)

    return Scan(
        new_tokens(),
        integers(),
        integers(),
        integers(),
        integers(),
        integers(),
        hashes(),
        hashes(),
        hashes(),
        integers(),
        integers(),
        hashes(),
        hashes(),
    )


def new_facts(rows: int) -> Facts:
    """Make room for the facts of ``rows`` rows."""
    return Facts(
        np.empty(rows, np.int16),
        np.empty(rows, np.int8),
        np.empty(rows, np.int16),
        np.empty(rows, np.int32),
        np.empty(rows, np.int32),
        np.empty((rows, 2), np.int32),
        np.empty((rows, 2), np.int32),
        np.empty(rows, np.int32),
        np.empty(rows, np.int32),
        np.empty(rows, np.int32),
    )


def new_hits(rows: int) -> Hits:
    """Make room for the hits of ``rows`` rows."""
    room = rows * MAX_HITS
    return Hits(
        np.empty(rows + 1, np.int64),
        np.empty(room, np.int32),
        np.empty(room, np.int32),
        np.empty(room, np.int32),
        np.empty(room, np.uint8),
        np.empty(room, np.int32),
    )
