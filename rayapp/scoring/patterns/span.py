"""Where a pattern matches one text: the leftmost match, and of those that begin there the longest.

For explanations. All automaton states advance together over the text, each with the smallest begin that led to it, so that the
time is linear in the text for any pattern (as in Pike's virtual machine).
"""

from functools import lru_cache

from rayapp.scoring.patterns.nfa import Nfa, Side, build_nfa, holds, side_of
from rayapp.scoring.patterns.pattern_set import PatternSet
from rayapp.scoring.patterns.syntax import RejectedPattern, parse

Threads = dict[int, int]
"""Automaton state to the smallest byte position at which a match that leads to it begins."""


def spans(pattern_set: PatternSet, pattern: int, text: str) -> tuple[int, int] | None:
    """Give the begin and end, in characters of ``text`` (a clean view), of a pattern's match.

    None if there is no match, or the pattern's source (of a pack from elsewhere) is none.
    """
    data = text.encode().upper()
    try:
        found = _longest(_nfa(pattern_set.patterns[pattern]), data)
    except RejectedPattern:
        return None
    if found is None:
        return None
    begin, end = (len(data[:place].decode()) for place in found)
    return begin, end


@lru_cache(maxsize=512)
def _nfa(pattern: str) -> Nfa:
    return build_nfa(parse(pattern))


def _longest(nfa: Nfa, data: bytes) -> tuple[int, int] | None:
    """The leftmost-longest match in bytes."""
    threads: Threads = {}
    best: tuple[int, int] | None = None
    before = Side.EDGE
    for place in range(len(data) + 1):
        after = side_of(data[place]) if place < len(data) else Side.EDGE
        if best is None:
            threads.setdefault(nfa.begin, place)
        threads = _spread(nfa, threads, before, after)
        begin = threads.get(nfa.accept)
        if begin is not None and after != Side.INSIDE and (best is None or begin <= best[0]):
            best = (begin, place)
        if place < len(data):
            threads = _advance(nfa, threads, data[place], best[0] if best else place)
            before = Side.WORD if after == Side.INSIDE else after
        if best and not threads:
            break
    return best


def _spread(nfa: Nfa, threads: Threads, before: Side, after: Side) -> Threads:
    """Follow empty edges whose conditions hold, earliest begins first, so that each state is visited once."""
    reached: Threads = {}
    for state, begin in sorted(threads.items(), key=lambda thread: thread[1]):
        pending = [state]
        while pending:
            at = pending.pop()
            if at not in reached:
                reached[at] = begin
                pending += [target for place, target in nfa.free[at] if place is None or holds(place, before, after)]
    return reached


def _advance(nfa: Nfa, threads: Threads, byte: int, latest: int) -> Threads:
    """Read one byte with every thread that began no later than ``latest``."""
    moved: Threads = {}
    for state, begin in threads.items():
        if begin > latest:
            continue
        for byte_set, target in nfa.steps[state]:
            if byte_set >> byte & 1:
                moved[target] = min(begin, moved.get(target, begin))
    return moved
