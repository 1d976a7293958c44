"""Checks of patterns one by one: supported, and able to match the clean view of some descriptor."""

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from string import printable

import numpy as np
from numpy.typing import NDArray

from rayapp.packs import source
from rayapp.packs.faults import Faults, shortened
from rayapp.packs.source import Pattern, RuleSource
from rayapp.scoring.fold import KEEP, fold_table
from rayapp.scoring.patterns import PatternFault, find_faults
from rayapp.scoring.patterns.automaton import Dfa
from rayapp.scoring.patterns.program import Program, compile_pattern
from rayapp.scoring.patterns.syntax import SPACE, Chars, Choice, Node, Place, RejectedPattern, Repeat, Sequence, parse
from rayapp.scoring.text import clean

MAX_PATTERNS = 100_000
MAX_USERS = 100
"""Rules that may share a pattern: they are compared pair by pair."""
MAX_COST = 20_000_000
"""Cells of all automata together, at 3 microseconds and two bytes a cell; the default pack has 6 million."""
COST_OF_POSITIONS = 5_000
COST_OF_BYTE = 8
"""Of a literal: texts share their beginnings."""
MAX_REJECTED = 500
CHUNK = 100
"""Patterns between two looks at the cost."""


def check_patterns(rules: tuple[RuleSource, ...], faults: Faults) -> set[str]:
    """Add a fault for each pattern that cannot be used; give the texts of those that can."""
    written = [(rule, name, pattern) for rule in rules for name, pattern in _named(rule)]
    if len(written) > MAX_PATTERNS:
        faults.error(written[-1][0].place, f"{len(written):,} patterns, and the most is {MAX_PATTERNS:,}")
        return set()
    crowded = _check_users(rules, faults)
    distinct = list(dict.fromkeys(pattern.text for *_, pattern in written))
    rejected, seen = _rejected(distinct)
    if len(seen) < len(distinct):
        message = f"patterns are too costly: after {len(seen):,} of {len(distinct):,} the rest is left unread"
        faults.error(next(rule.place for rule, _, pattern in written if pattern.text not in seen), message, "shorten .{m,n} between words")
    for rule, name, pattern in written:
        place = source.Place(rule.place.file, pattern.line)
        if pattern.text not in seen:
            continue
        if pattern.text in rejected:
            fault = rejected[pattern.text]
            faults.error(place, f"{name}: {fault.message}: {shortened(pattern.text)}", fault.suggestion)
        else:
            _check_view(pattern.text, name, place, faults)
        _check_repeats(pattern.text, name, place, faults)
    return seen - set(rejected) - crowded


def _check_users(rules: tuple[RuleSource, ...], faults: Faults) -> set[str]:
    """Add a fault at the first rule too many of a pattern that many rules fire on; give such patterns."""
    users: Counter[str] = Counter()
    for rule in rules:
        for text in {pattern.text for pattern in rule.patterns}:
            users[text] += 1
            if users[text] == MAX_USERS + 1:
                faults.error(rule.place, f"more than {MAX_USERS} rules share the pattern {shortened(text)}", "say it in one rule")
    return {text for text, count in users.items() if count > MAX_USERS}


def _rejected(patterns: list[str]) -> tuple[dict[str, PatternFault], set[str]]:
    """Give the patterns that the engine refuses, and all that were looked at before they cost too much."""
    rejected: dict[str, PatternFault] = {}
    cost = seen = 0
    while seen < len(patterns) and cost <= MAX_COST and len(rejected) <= MAX_REJECTED:
        chunk = patterns[seen : seen + CHUNK]
        seen += len(chunk)
        rejected.update((chunk[fault.index], fault) for fault in find_faults(chunk))
        cost += sum(_cost(compile_pattern(pattern)) for pattern in chunk if pattern not in rejected)
    return rejected, set(patterns[:seen])


def _cost(program: Program) -> int:
    """Give the cells of a pattern's automaton, or what it costs to find that it has too many, and those of its literals."""
    cells = COST_OF_BYTE * sum(len(literal.text) for literal in program.literals)
    if program.automaton is None:
        return cells
    return cells + (program.automaton.table.size if isinstance(program.automaton, Dfa) else COST_OF_POSITIONS)


@lru_cache(maxsize=16_384)
def tree_of(pattern: str) -> Node:
    """Parse a pattern once for all the checks that look at it; raises ``RejectedPattern``."""
    return parse(pattern)


def _named(rule: RuleSource) -> Iterator[tuple[str, Pattern]]:
    yield from (("patterns", pattern) for pattern in rule.patterns)
    yield from (("unless", pattern) for pattern in rule.unless)


def _check_view(pattern: str, name: str, place: source.Place, faults: Faults) -> None:
    """Compare the pattern with what a clean view can hold."""
    folded = "".join(char if char.isascii() else clean(char) or char for char in pattern)
    hint = f"the clean view has {shortened(folded)}" if folded != pattern else ""
    if not _can_occur(tree_of(pattern)):
        faults.error(place, f"{name}: can never match a clean view: {shortened(pattern)}", hint or "upper case, accents off, single spaces")
    elif folded != pattern:
        faults.warn(place, f"{name}: has characters that a clean view never has: {shortened(pattern)}", hint)


def _check_repeats(pattern: str, name: str, place: source.Place, faults: Faults) -> None:
    try:
        nested = _repeats_itself(tree_of(pattern))
    except RejectedPattern:
        return
    if nested:
        faults.warn(place, f"{name}: an endless repeat of an endless repeat: {shortened(pattern)}", "one of the two is enough")


@lru_cache(maxsize=1)
def _occurring() -> NDArray[np.bool_]:
    """Say of each code point whether a clean view can hold it."""
    table = fold_table()
    occurs = (table & np.uint32(0xFF)) == KEEP
    occurs = np.concatenate([occurs, np.zeros(0x110000 - occurs.size, np.bool_)])
    occurs[[ord(char) for char in printable if char == " " or (char.isprintable() and not char.islower())]] = True
    return occurs


def _can_occur(node: Node) -> bool:
    """Say whether some clean view has what a node matches; places between characters are taken to hold."""
    if isinstance(node, Chars):
        return any(_occurring()[first : last + 1].any() for first, last in node.ranges)
    if isinstance(node, Repeat):
        doubled = node.least > 1 and _is_space(node.part)
        return node.least == 0 or (_can_occur(node.part) and not doubled)
    if isinstance(node, Sequence):
        pairs = zip(node.parts, node.parts[1:], strict=False)
        return not any(_is_no_space(*pair) for pair in pairs) and all(map(_can_occur, node.parts))
    return any(map(_can_occur, node.parts)) if isinstance(node, Choice) else True


def _is_no_space(one: Node, other: Node) -> bool:
    """Say whether two neighbours need a space where none can be: beside another, at the start or at the end."""
    if _is_space(one):
        return other is Place.END or _is_space(other)
    return one is Place.START and _is_space(other)


def _is_space(node: Node) -> bool:
    """Say whether a node is a space that must be there."""
    if isinstance(node, Repeat):
        return node.least > 0 and _is_space(node.part)
    return isinstance(node, Chars) and node.ranges == (SPACE,)


def _repeats_itself(node: Node) -> bool:
    """Say whether an endless repeat holds nothing but another: ``(A+)+`` has countless ways to match one text."""
    if isinstance(node, Repeat):
        return (node.most is None and _is_endless(node.part)) or _repeats_itself(node.part)
    return any(map(_repeats_itself, node.parts)) if isinstance(node, Sequence | Choice) else False


def _is_endless(node: Node) -> bool:
    """Say whether a node can be all taken up by an endless repeat."""
    if isinstance(node, Repeat):
        return node.most is None or _is_endless(node.part)
    if isinstance(node, Sequence):
        needed = [part for part in node.parts if not (isinstance(part, Repeat) and part.least == 0)]
        return any(map(_is_endless, needed)) if len(needed) == 1 else not needed and any(map(_is_endless, node.parts))
    return any(map(_is_endless, node.parts)) if isinstance(node, Choice) else False
