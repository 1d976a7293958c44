"""The core of a descriptor: the merchant's own words, and the facts that banks print around them.

Rail wording, processor prefixes, numbers, dates, references, places at the end and legal forms are peeled off; aliases found on the way
are noted and their words stay. Peeling goes on until nothing more comes off, so that the core of a core is itself.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from rayapp.scoring.lexicon import MAX_HITS, NOWHERE, UNKNOWN, Facts, Hits, Lexicon, Scan
from rayapp.scoring.phrases import (
    ALIAS,
    DATED,
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
    entry_of,
    find,
    has_bit,
    look,
    may_follow,
    step,
)
from rayapp.scoring.places import is_land_code, peel_end, token_size
from rayapp.scoring.runs import APOSTROPHE, char_class
from rayapp.scoring.tokens import CODE, COLON, HASH, JOINED, JUMBLE, NUMBER, STAR, tokenise, write_token

PEELABLE = NOISE | NOISE_START | NOISE_END | TAIL | TAIL_COLON | HEAD | PROCESSOR


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _acts(kind: int, flags: int, opened: bool, at_end: bool, number_next: bool) -> int:
    """Give what of an entry can act here: by the flags of its last token and its place in the row; 0 for nothing."""
    found = kind & (ALIAS | NOISE | LEGAL | GENERIC | GLUE | MONTH | NEUTRAL)
    if kind & PROCESSOR and not opened and not at_end and (flags & STAR or not (kind & STAR_NEEDED or number_next)):
        found |= PROCESSOR
    if not opened:
        found |= kind & NOISE_START
        found |= NOISE if kind & TAIL or (kind & TAIL_COLON and flags & COLON) else 0
    if at_end:
        found |= kind & NOISE_END
    elif not kind & TAIL_COLON or flags & COLON:
        found |= kind & HEAD
    if opened and not kind & HEAD:
        found |= kind & (TAIL | TAIL_COLON if flags & COLON else TAIL)
    return found


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _number_at(scan: Scan, at: int, n: int) -> bool:
    """Tell whether kept token ``at`` is a number."""
    return at < n and scan.tokens.flags[scan.kept[at]] & NUMBER != 0


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _dates(scan: Scan, at: int, n: int) -> bool:
    """Tell whether a month beside kept token ``at`` is one: beside a number, or wording of wages and rents."""
    return 0 <= at < n and (scan.tokens.flags[scan.kept[at]] & NUMBER != 0 or scan.kind[scan.kept[at]] & DATED != 0)


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _is_stray(lexicon: Lexicon, scan: Scan, at: int, last: bool) -> bool:
    """Tell whether kept token ``at``, a brand by itself, is none within a line: a number, or the code of a land at the line's end."""
    return scan.tokens.flags[scan.kept[at]] & NUMBER != 0 or (last and is_land_code(lexicon, scan, at))


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _longest(lexicon: Lexicon, scan: Scan, at: int, n: int, opened: bool) -> tuple[int, int, int]:
    """Walk the trie from kept token ``at``: the longest entry that applies, the token after it, what of it acts; else (-1, at + 1, 0)."""
    tokens = scan.tokens
    best, best_end, best_kind = -1, at + 1, 0
    token = scan.kept[at]
    node, cell = scan.node[token], scan.cell[token]
    if cell == NOWHERE:
        return best, best_end, best_kind
    if scan.single[token] >= 0:
        best_kind = _acts(scan.kind[token], tokens.flags[token], opened, at + 1 == n, _number_at(scan, at + 1, n))
        best = scan.single[token] if best_kind else -1
    for t in range(at + 1, n):
        node = step(node, tokens.hash[scan.kept[t]])
        if not may_follow(cell, node):
            break
        cell = look(lexicon.phrases, node)
        if cell == NOWHERE:
            break
        entry = entry_of(cell)
        if entry >= 0:
            acting = _acts(lexicon.kind[entry], tokens.flags[scan.kept[t]], opened, t + 1 == n, _number_at(scan, t + 1, n))
            if acting:
                best, best_end, best_kind = entry, t + 1, acting
    return best, best_end, best_kind


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _phone_end(scan: Scan, at: int, n: int) -> int:
    """Give the last token of the telephone number that begins with the number at ``at``, or -1."""
    tokens = scan.tokens
    t = scan.kept[at]
    length = token_size(tokens, t)
    if length == 10 or length == 11:
        return t
    if length != 3 or at + 1 >= n or not tokens.flags[scan.kept[at + 1]] & JOINED:
        return -1
    second = scan.kept[at + 1]
    if token_size(tokens, second) == 7 and tokens.flags[second] & NUMBER:
        return second
    if at + 2 < n and token_size(tokens, second) == 3:
        third = scan.kept[at + 2]
        if tokens.flags[third] & NUMBER and tokens.flags[third] & JOINED and token_size(tokens, third) == 4:
            return third
    return -1


@njit(nogil=True, cache=True, _nrt=False)
def _note_number(scan: Scan, at: int, n: int, opened: bool, facts: Facts, row: int) -> None:
    """Keep a number that is dropped as the phone or the store number, where it looks like one."""
    tokens = scan.tokens
    t = scan.kept[at]
    length = token_size(tokens, t)
    last = _phone_end(scan, at, n)
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
    gap = after_dated = seen_dated = False
    at = 0
    while at < n:
        t = scan.kept[at]
        entry, after, kind = _longest(lexicon, scan, at, n, kept > 0)
        if entry >= 0 and kept > 0 and tokens.flags[t] & NUMBER and _phone_end(scan, at, n) >= 0:
            entry, after, kind = -1, at + 1, 0
        if kind & ALIAS and kept > 0 and after == at + 1 and _is_stray(lexicon, scan, at, after == n):
            kind &= ~ALIAS
        hit = -1
        star = after < n and tokens.flags[scan.kept[after - 1]] & STAR != 0
        if (
            kind & ALIAS
            and not kind & (NOISE | TAIL_COLON)
            and not (kind & LEGAL and kept > 0)
            and not (kind & PROCESSOR and kept == 0 and star)
            and not (kind & NOISE_START and _number_at(scan, after, n))
        ):
            if hits < MAX_HITS:
                scan.entry[hits], scan.first[hits], scan.last[hits] = entry, kept, kept + after - at
                hit = hits
                hits += 1
        elif kind & PEELABLE or (kind & LEGAL and kept > 0 and at + 1 < after == n):
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
            after_dated = lexicon.kind[entry] & DATED != 0
            seen_dated |= after_dated
            continue
        elif kind & GLUE and after == at + 1 and after < n and tokens.flags[scan.kept[after]] & NUMBER:
            gap = kept > 0
            at = after
            continue
        elif entry < 0 or not kind & (LEGAL | GENERIC | GLUE):
            flags = tokens.flags[t]
            dated = kind & MONTH and (after_dated or (seen_dated and after == n) or _dates(scan, at - 1, n) or _dates(scan, at + 1, n))
            if flags & (NUMBER | CODE) or dated or (hits > 0 and flags & JUMBLE):
                if flags & NUMBER or (flags & CODE and token_size(tokens, t) <= 7):
                    _note_number(scan, at, n, kept > 0, facts, row)
                gap = kept > 0
                at += 1
                continue
        after_dated = False
        for k in range(at, after):
            scan.kept[kept] = scan.kept[k]
            scan.hit_of[kept] = hit
            kept += 1
        at = after
    return kept, hits, gap


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _look_up(lexicon: Lexicon, scan: Scan, t: int) -> None:
    """Find the node and the entry of a token alone."""
    scan.cell[t] = NOWHERE
    scan.place_cell[t] = UNKNOWN
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
        left = peel_end(data, lexicon, scan, kept, facts, row) if kept > 1 else kept
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
