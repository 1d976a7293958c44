"""Checks of rules one by one: ids, categories, conditions, and the examples that they must and must not fire on."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from rayapp.packs.check_tables import check_category, check_too_many, check_unique
from rayapp.packs.conditions import allows, impossible, unmet
from rayapp.packs.faults import Faults, quoted, shortened
from rayapp.packs.firing import fires, matches, texts
from rayapp.packs.source import CategorySource, Example, Place, RuleSource
from rayapp.scoring.text import clean

MAX_RULES = 20_000

Row = tuple[RuleSource, Example, bool]
"""An example, the rule that it is of, and whether the rule must fire on it."""


def check_rules(rules: tuple[RuleSource, ...], categories: Iterable[CategorySource], faults: Faults) -> bool:
    """Check ids, categories and conditions; say whether there are few enough rules to go on."""
    if rules and check_too_many(len(rules), MAX_RULES, "rules", rules[-1].place, faults):
        return False
    check_unique(((rule.id, rule.place) for rule in rules), "rule id", faults)
    known = {category.detailed: category for category in categories}
    for rule in rules:
        check_category(rule.category, rule.place, known, faults)
        never = impossible(rule.when)
        if never:
            faults.error(rule.place, f"the conditions can never hold: {never}")
        if rule.category in known:
            _check_direction(rule, known[rule.category], faults)
    return True


def strength(rule: RuleSource) -> tuple[int, float]:
    """Give what decides between rules that fire together: a higher priority sets the others aside, then the weight counts."""
    return rule.priority, rule.weight


def _check_direction(rule: RuleSource, category: CategorySource, faults: Faults) -> None:
    if category.direction != "both" and rule.when.direction not in (None, category.direction):
        message = f"fires on {rule.when.direction}s alone, and {category.detailed} is for {category.direction}s"
        faults.warn(rule.place, message)


def check_examples(rules: tuple[RuleSource, ...], usable: set[str], faults: Faults) -> None:
    """Add a fault for each example that does not hold, and a warning for each on which another rule outweighs its own.

    Rules with a pattern that is not ``usable`` are left alone: they have their fault already.
    """
    sound = [rule for rule in rules if usable.issuperset(texts((*rule.patterns, *rule.unless)))]
    rows = [row for rule in sound for row in _rows(rule)]
    patterns = (text for rule in sound for text in texts((*rule.patterns, *rule.unless)))
    users = _users(sound)
    tried = 0
    for row, matched in zip(rows, matches(patterns, [example.descriptor for _, example, _ in rows]), strict=False):
        tried += 1
        if _holds(row, matched, faults):
            rivals = {rule.id: rule for text in matched for rule in users[text]}
            _check_rivals(row, (rule for rule in rivals.values() if fires(rule, matched)), faults)
    if tried < len(rows):
        faults.error(rows[tried][0].place, f"{len(rows) - tried:,} examples cannot be tried: too many patterns match them")


def _rows(rule: RuleSource) -> Iterator[Row]:
    yield from ((rule, example, True) for example in rule.examples)
    yield from ((rule, example, False) for example in rule.counterexamples)


def _users(rules: Iterable[RuleSource]) -> defaultdict[str, list[RuleSource]]:
    """Give the rules that have a pattern among those that make them fire."""
    users: defaultdict[str, list[RuleSource]] = defaultdict(list)
    for rule in rules:
        for text in set(texts(rule.patterns)):
            users[text].append(rule)
    return users


def _holds(row: Row, matched: set[str], faults: Faults) -> bool:
    """Check one example; say whether it is one that the rule fires on, as it should."""
    rule, example, must_fire = row
    missing = [] if example.plain else unmet(rule.when, example)
    fired = fires(rule, matched) and not missing
    place = Place(rule.place.file, example.line)
    if must_fire and not fired:
        faults.error(place, f"example: {rule.id} does not fire on {quoted(example.descriptor)}", _reason(row, matched, missing))
    if fired and not must_fire:
        found = next(text for text in texts(rule.patterns) if text in matched)
        faults.error(place, f"counterexample: {rule.id} fires on {quoted(example.descriptor)}", f"through {shortened(found)}")
    return must_fire and fired


def _reason(row: Row, matched: set[str], missing: list[str]) -> str:
    """Say why a rule does not fire."""
    rule, example, _ = row
    stopped = [text for text in texts(rule.unless) if text in matched]
    if matched.isdisjoint(texts(rule.patterns)):
        return f"no pattern matches {quoted(clean(example.descriptor))}"
    return f"unless {shortened(stopped[0])}" if stopped else "not met: " + ", ".join(missing)


def _check_rivals(row: Row, rivals: Iterable[RuleSource], faults: Faults) -> None:
    """Warn of the strongest rule of another category that fires on an example too, if it outweighs the example's own rule."""
    rule, example, _ = row
    stronger = [
        rival
        for rival in rivals
        if rival.category != rule.category
        and strength(rival) > strength(rule)
        and (allows(rival.when, rule.when) if example.plain else not unmet(rival.when, example))
    ]
    if stronger:
        top = max(stronger, key=strength)
        how = "sets aside" if top.priority > rule.priority else "outweighs"
        message = f"example: {top.id} ({top.category}) {how} {rule.id} on {quoted(example.descriptor)}"
        faults.warn(Place(rule.place.file, example.line), message, f"{top.place.file}:{top.place.line}")
