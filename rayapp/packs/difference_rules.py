"""Rules that differ between two packs, and the rows on which that can be seen.

A rule acts on a row where one of its patterns matches and its conditions hold, and on no other. Of patterns the fixed texts are known of
which one is in every match. Rules and patterns are told apart by id and text; where some changed places with others, those count as
differing, since ties are decided by order.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from rayapp.packs.touched import Clause, When
from rayapp.scoring.evidence import NO_DATE, TOLD
from rayapp.scoring.geography import country_code
from rayapp.scoring.pack import CompiledPack
from rayapp.scoring.patterns.program import compile_pattern
from rayapp.scoring.values import DIRECTIONS

DIRECTION_NAMES = tuple(DIRECTIONS)
MOST_COMPARED = 1_000
"""Texts of which those that hold another one are left out; comparing more takes longer than it saves."""

Texts = tuple[tuple[str, ...], ...]


class Rule(msgspec.Struct, frozen=True):
    """A rule as the engine has it, by names."""

    standing: tuple[str, int, int, int]
    """Category, weight in millionths, priority, and whether it overrides the merchant."""
    when: When
    patterns: frozenset[str]
    unless: frozenset[str]


def rule_clauses(old: CompiledPack, new: CompiledPack) -> Iterator[Clause]:
    """Give clauses for the rules and patterns that differ."""
    before, after = _rules(old), _rules(new)
    moved = moved_items(list(before), list(after))
    for name in dict.fromkeys([*before, *after]):
        one, two = before.get(name), after.get(name)
        if one is None or two is None or name in moved:
            yield from (_may_fire(f"rule {name}", rule) for rule in dict.fromkeys((one, two)) if rule is not None)
        elif one != two:
            yield from _changed(f"rule {name}", one, two)
    for pattern in sorted(moved_items(old.strings["pattern"].to_pylist(), new.strings["pattern"].to_pylist())):
        yield Clause(why=f"order of the pattern {pattern}", texts=_texts([pattern]))


def changed_rules(old: CompiledPack, new: CompiledPack) -> dict[int, tuple[str, str]]:
    """Give the rules of the new pack that the old one does not have just so: id and category by number."""
    before = _rules(old)
    found = enumerate(_rules(new).items())
    return {number: (name, rule.standing[0]) for number, (name, rule) in found if before.get(name) != rule}


def _changed(why: str, one: Rule, two: Rule) -> Iterator[Clause]:
    """Give the rows on which two versions of a rule can differ."""
    same_words = one.patterns == two.patterns and one.unless == two.unless
    if one.standing != two.standing or (one.when != two.when and not same_words):
        yield from (_may_fire(why, rule) for rule in dict.fromkeys((one, two)))
    elif same_words:
        yield Clause(why=f"{why}, conditions", texts=_texts(one.patterns), flips=(one.when, two.when))
    else:
        if one.patterns != two.patterns:
            yield Clause(why=f"{why}, patterns", texts=_texts(one.patterns ^ two.patterns), within=one.when)
        if one.unless != two.unless:
            every = _texts(one.patterns | two.patterns)
            yield Clause(why=f"{why}, unless", texts=(*_texts(one.unless ^ two.unless), *every), within=one.when)


def _may_fire(why: str, rule: Rule) -> Clause:
    return Clause(why=why, texts=_texts(rule.patterns), within=rule.when)


def _texts(patterns: Iterable[str]) -> Texts:
    """Give one group of texts of which one is in each row that any of the patterns matches; none where a pattern has no fixed text."""
    found: dict[str, None] = {}
    for pattern in sorted(patterns):
        literals = compile_pattern(pattern).literals
        texts = [literal.text.decode("utf-8", "ignore") for literal in literals]
        if not all(texts) or not texts:
            return ()
        found.update(dict.fromkeys(texts))
    kept: list[str] = []
    for text in sorted(found, key=lambda text: (len(text), text)):
        if len(found) > MOST_COMPARED or not any(other in text for other in kept):
            kept.append(text)
    return (tuple(kept),)


def moved_items(old: Sequence[str], new: Sequence[str]) -> set[str]:
    """Give a least set of items of both lists without which the rest stand in the same order (patience sorting)."""
    place = {item: number for number, item in enumerate(new)}
    common = [item for item in old if item in place]
    tails: list[int] = []
    at: list[int] = []
    before: list[int] = []
    for number, item in enumerate(common):
        slot = bisect_left(tails, place[item])
        before.append(at[slot - 1] if slot else -1)
        tails[slot : slot + 1] = [place[item]]
        at[slot : slot + 1] = [number]
    kept: set[str] = set()
    number = at[-1] if at else -1
    while number >= 0:
        kept.add(common[number])
        number = before[number]
    return set(common) - kept


def _rules(pack: CompiledPack) -> dict[str, Rule]:
    """Read the rules back from their arrays, in order."""
    arrays, strings = pack.arrays, pack.strings
    categories = strings["category"].to_pylist()
    patterns = strings["pattern"].to_pylist()
    spoken: dict[tuple[int, int], set[str]] = {}
    uses = np.diff(arrays["rule/use_offset"])
    owners = np.repeat(np.arange(len(uses)), uses).tolist()
    for pattern, rule, unless in zip(owners, arrays["rule/use_rule"].tolist(), arrays["rule/use_unless"].tolist(), strict=True):
        spoken.setdefault((rule, unless), set()).add(patterns[pattern])
    return {
        name: Rule(
            (
                categories[arrays["rule/category"][number]],
                int(arrays["rule/weight"][number]),
                int(arrays["rule/priority"][number]),
                int(arrays["rule/overrides"][number]),
            ),
            _when(pack, number),
            frozenset(spoken.get((number, 0), ())),
            frozenset(spoken.get((number, 1), ())),
        )
        for number, name in enumerate(strings["rule_id"].to_pylist())
    }


def _when(pack: CompiledPack, rule: int) -> When:
    """Read a rule's conditions back."""
    arrays = pack.arrays
    direction = int(arrays["rule/direction"][rule])
    least, greatest = arrays["rule/amount"][rule].tolist()
    first, last = arrays["rule/dates"][rule].tolist()
    return When(
        direction=DIRECTION_NAMES[direction % TOLD] if direction >= 0 else "",
        told=direction >= TOLD,
        least=None if np.isnan(least) else least,
        greatest=None if np.isnan(greatest) else greatest,
        first_day=None if first == NO_DATE else first,
        last_day=None if last == NO_DATE else last,
        mcc=tuple((int(first), int(last)) for first, last in _part(pack, "mcc", rule)),
        country=tuple(country_code(int(land)) for land in _part(pack, "country", rule)),
        currency=tuple(_currency_code(int(money)) for money in _part(pack, "currency", rule)),
    )


def _part(pack: CompiledPack, name: str, rule: int) -> NDArray[Any]:
    offset = pack.arrays[f"rule/{name}_offset"]
    return pack.arrays[f"rule/{name}"][offset[rule] : offset[rule + 1]]


def _currency_code(number: int) -> str:
    return chr(65 + number // 676) + chr(65 + number // 26 % 26) + chr(65 + number % 26)
