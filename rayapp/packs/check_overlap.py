"""Rules beside each other: one that adds nothing because another always fires too, and one that can never win.

Where every match of a pattern is one of a few texts, those texts are written out between harmless neighbours, and the engine says which
other patterns match them all: these match wherever the pattern does. Other patterns are compared as they are written.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rayapp.packs.check_patterns import tree_of
from rayapp.packs.check_rules import strength
from rayapp.packs.conditions import allows
from rayapp.packs.faults import Faults
from rayapp.packs.firing import matches, texts
from rayapp.packs.source import BASE, Combine, RuleSource
from rayapp.scoring.patterns.literals import AT_EDGE, AT_GAP, AT_WORD, Literal, deciding, trim

MAX_TEXTS = 16
"""A pattern that matches more texts than this is compared as it is written."""
MAX_WITNESSES = 200_000

_FAR = "中" * 60
"""A long word of letters that no pattern asks for: it keeps what a pattern wants nearby, such as the end, far away."""
_BEFORE = {AT_EDGE: "", AT_GAP: f"{_FAR}~", AT_WORD: _FAR}
_AFTER = {AT_EDGE: "", AT_GAP: f"~{_FAR}", AT_WORD: _FAR}


class _Rules(NamedTuple):
    """Rules by the patterns that make them fire, and for each pattern those that match wherever it does."""

    users: dict[str, list[int]]
    covers: dict[str, set[str]]


def check_overlap(rules: tuple[RuleSource, ...], usable: set[str], combine: Combine, faults: Faults) -> None:
    """Add faults for rules that can never win, and warnings for those that add nothing or are always outweighed.

    A rule of the extended pack has none: it is what the pack's own rules are there to outdo.
    """
    sound = [rule for rule in rules if rule.patterns and usable.issuperset(texts((*rule.patterns, *rule.unless)))]
    users: defaultdict[str, list[int]] = defaultdict(list)
    for number, rule in enumerate(sound):
        for text in set(texts(rule.patterns)):
            users[text].append(number)
    known = _Rules(users, _covers(list(users)))
    for number, rule in enumerate(sound):
        if rule.place.file.startswith(BASE):
            continue
        others = [(other, sound[other]) for other in sorted(_covering(rule, known) - {number})]
        _check_rule((number, rule), [pair for pair in others if _fires_wherever(pair[1], rule)], combine, faults)


def _covers(patterns: list[str]) -> dict[str, set[str]]:
    """Give for each pattern the patterns that match wherever it does, itself among them."""
    witnesses: list[tuple[str, str]] = []
    for pattern in patterns:
        found = [(pattern, witness) for witness in _witnesses(pattern)]
        if len(witnesses) + len(found) <= MAX_WITNESSES:
            witnesses.extend(found)
    covers: dict[str, set[str]] = {}
    for (pattern, _), matched in zip(witnesses, matches(patterns, [witness for _, witness in witnesses]), strict=False):
        covers[pattern] = covers[pattern] & matched if pattern in covers else matched
    return {pattern: covers.get(pattern, set()) | {pattern} for pattern in patterns}


def _witnesses(pattern: str) -> Iterator[str]:
    """Write out what a pattern matches, in each kind of surroundings; nothing where that is too much."""
    literals = deciding(trim(tree_of(pattern))) or ()
    if len(literals) <= MAX_TEXTS:
        for literal in literals:
            yield from _surrounded(literal)


def _surrounded(literal: Literal) -> Iterator[str]:
    text = literal.text.decode(errors="replace")
    for before, left in _BEFORE.items():
        for after, right in _AFTER.items():
            if literal.before & before and literal.after & after:
                yield f"{left}{text}{right}"


def _covering(rule: RuleSource, known: _Rules) -> set[int]:
    """Give the rules of which for each pattern of ``rule`` some pattern matches wherever it does."""
    found: set[int] | None = None
    for text in texts(rule.patterns):
        here = {user for cover in known.covers[text] for user in known.users[cover]}
        found = here if found is None else found & here
    return found or set()


def _fires_wherever(other: RuleSource, rule: RuleSource) -> bool:
    """Say whether ``other``, whose patterns match wherever those of ``rule`` do, fires there too."""
    return set(texts(other.unless)) <= set(texts(rule.unless)) and allows(other.when, rule.when)


def _check_rule(numbered: tuple[int, RuleSource], others: Iterable[tuple[int, RuleSource]], combine: Combine, faults: Faults) -> None:
    """Add the first fault that the rules firing wherever this one does give it."""
    number, rule = numbered
    for other_number, other in others:
        before = strength(other) > strength(rule) or (strength(other) == strength(rule) and other_number < number)
        where = f"{other.place.file}:{other.place.line}"
        if before and other.category != rule.category and _same(other, rule):
            message = f"{rule.id} can never win: {other.id} has the same patterns and conditions, and gives {other.category}"
            faults.error(rule.place, message, where)
            return
        complaint = _complaint(other, rule, combine) if before else ""
        if complaint:
            faults.warn(rule.place, f"{rule.id} {complaint} {other.id}, which fires wherever it does", where)
            return


def _complaint(other: RuleSource, rule: RuleSource, combine: Combine) -> str:
    """Say what a rule that is not weaker, and always fires too, does to a rule; empty where both have a use."""
    if other.priority > rule.priority:
        return "is always set aside by"
    if other.category != rule.category:
        return "is always outweighed by" if other.weight > rule.weight else ""
    return "adds nothing to" if combine == "strongest" and other.overrides_merchant >= rule.overrides_merchant else ""


def _same(one: RuleSource, other: RuleSource) -> bool:
    """Say whether two rules fire on the same transactions because they are written alike."""
    alike = all(set(texts(mine)) == set(texts(yours)) for mine, yours in ((one.patterns, other.patterns), (one.unless, other.unless)))
    return alike and one.when == other.when
