"""Which patterns match which descriptors, found by the engine itself: one linear pass, however hostile a pattern is."""

from collections.abc import Iterable, Iterator, Sequence

from rayapp.packs.phrase_index import clean_texts
from rayapp.packs.source import Pattern, RuleSource
from rayapp.scoring.patterns import compile_patterns, match

CHUNK = 256
"""Descriptors matched at a time, so that patterns which all match each other do not fill the memory."""
MAX_PAIRS = 5_000_000
"""Matches that are looked at; the default pack has some ten thousand."""


def matches(patterns: Iterable[str], descriptors: Sequence[str]) -> Iterator[set[str]]:
    """Give for each descriptor in turn the patterns that match its clean view; ends early after ``MAX_PAIRS`` matches.

    The patterns must all be supported.
    """
    known = list(dict.fromkeys(patterns))
    if not known:
        yield from (set() for _ in descriptors)
        return
    compiled = compile_patterns(known, most_unfiltered=len(known))
    pairs = 0
    for start in range(0, len(descriptors), CHUNK):
        if pairs > MAX_PAIRS:
            return
        chunk = descriptors[start : start + CHUNK]
        rows, found = match(compiled, *clean_texts(chunk))
        pairs += len(rows)
        matched: list[set[str]] = [set() for _ in chunk]
        for row, pattern in zip(rows.tolist(), found.tolist(), strict=True):
            matched[row].add(known[pattern])
        yield from matched


def fires(rule: RuleSource, matched: set[str]) -> bool:
    """Say whether a rule's patterns let it fire where ``matched`` match, conditions aside."""
    return not matched.isdisjoint(texts(rule.patterns)) and matched.isdisjoint(texts(rule.unless))


def texts(patterns: Iterable[Pattern]) -> list[str]:
    """Give the patterns without their lines."""
    return [pattern.text for pattern in patterns]
