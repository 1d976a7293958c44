"""Rules files: each ``[[rule]]`` becomes a message with its values checked one by one; what rules mean together is linted later."""

import re
from typing import get_args

from rayapp.packs.faults import quoted
from rayapp.packs.record import MAX_DESCRIPTOR, Table
from rayapp.packs.source import Conditions, Example, FlowDirection, Pattern, Place, RuleSource
from rayapp.scoring.codes import COUNTRIES, CURRENCIES

DIRECTIONS: tuple[FlowDirection, ...] = get_args(FlowDirection)
MAX_PATTERN = 1_000
MAX_PATTERNS = 500
"""Of one rule; what ``unless`` holds is counted apart."""
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_KEYS = tuple(field for field in RuleSource.__struct_fields__ if field != "place")
_CONDITION_KEYS = ("direction", "direction_told", "amount", "mcc", "country", "currency", "date")
_EXAMPLE_KEYS = ("descriptor", "direction", "amount", "currency", "mcc", "country", "booked_at")


def read_rules(document: Table) -> list[RuleSource]:
    """Read every ``[[rule]]`` of a rules file."""
    document.refuse_others(("rule",))
    return [read_rule(table) for table in document.tables("rule")]


def read_rule(table: Table) -> RuleSource:
    """Read one rule."""
    table.refuse_others(_KEYS)
    rule_id = table.text("id", needed=True)
    if rule_id and not _ID.fullmatch(rule_id):
        table.wrong("id", f"{quoted(rule_id)} is not an id", "letters, digits, dot, dash and underscore, at most 128")
    patterns = _patterns(table, "patterns")
    if "patterns" not in table.values or table.values["patterns"] == []:
        table.wrong("patterns", "is missing", "a rule needs at least one pattern")
    return RuleSource(
        id=rule_id,
        category=table.text("category", needed=True),
        patterns=patterns,
        place=table.place,
        unless=_patterns(table, "unless"),
        weight=table.number("weight", RuleSource.__struct_defaults__[1]),
        priority=table.whole("priority", 50, 0, 100),
        overrides_merchant=table.flag("overrides_merchant"),
        when=_conditions(table.table("when")),
        examples=_examples(table, "examples"),
        counterexamples=_examples(table, "counterexamples"),
        why=table.text("why"),
    )


def _patterns(table: Table, name: str) -> tuple[Pattern, ...]:
    """Read patterns, whose meaning is checked later."""
    found = table.texts(name)
    if len(found) > MAX_PATTERNS:
        table.wrong(name, f"{len(found):,} patterns, and the most is {MAX_PATTERNS}", "make several rules of it")
        return ()
    for text, place in found:
        if len(text) > MAX_PATTERN:
            table.faults.error(place, f"{name}: a pattern of {len(text):,} characters, and the most is {MAX_PATTERN:,}")
    return tuple(Pattern(text, place.line) for text, place in found if len(text) <= MAX_PATTERN)


def _conditions(table: Table) -> Conditions:
    """Read ``when``."""
    table.refuse_others(_CONDITION_KEYS)
    if "direction_told" in table.values and "direction" not in table.values:
        table.wrong("direction_told", "says that a direction must be told, and none stands beside it")
    amount, dates = table.table("amount"), table.table("date")
    amount.refuse_others(("min", "max"))
    dates.refuse_others(("from", "to"))
    ranges = [table.mcc(item, "mcc", index) for index, item in enumerate(table.items("mcc"))]
    return Conditions(
        direction=table.choice("direction", DIRECTIONS) if table.has("direction") else None,
        direction_told=table.flag("direction_told"),
        amount_min=amount.amount("min"),
        amount_max=amount.amount("max"),
        mcc=tuple(found for found in ranges if found),
        country=_codes(table, "country", COUNTRIES),
        currency=_codes(table, "currency", CURRENCIES),
        date_from=dates.day("from"),
        date_to=dates.day("to"),
    )


def _codes(table: Table, name: str, known: frozenset[str]) -> tuple[str, ...]:
    """Read a list of country or currency codes."""
    codes = table.texts(name)
    for code, place in codes:
        if code not in known:
            table.faults.error(place, f"{name}: unknown code {quoted(code)}", table.faults.code(code, known))
    return tuple(code for code, _ in codes if code in known)


def _examples(table: Table, name: str) -> tuple[Example, ...]:
    """Read examples, each a descriptor or a table with one."""
    found: list[Example] = []
    for index, item in enumerate(table.items(name)):
        line = table.place_of(name, index).line
        example = Example(item, plain=True, line=line) if isinstance(item, str) else _example(table.item(name, index), line)
        if example and not 1 <= len(example.descriptor) <= MAX_DESCRIPTOR:
            table.faults.error(Place(table.file, line), f"{name}: a descriptor has 1 to {MAX_DESCRIPTOR} characters")
        elif example:
            found.append(example)
    return tuple(found)


def _example(table: Table, line: int) -> Example | None:
    """Read an example that gives more than a descriptor; ``None`` where it lacks that."""
    table.refuse_others(_EXAMPLE_KEYS)
    mcc = table.mcc(table.values["mcc"], "mcc") if "mcc" in table.values else None
    descriptor = table.values.get("descriptor")
    if not isinstance(descriptor, str):
        table.wrong("descriptor", "is missing" if descriptor is None else "must be text")
        return None
    return Example(
        descriptor=descriptor,
        direction=table.choice("direction", DIRECTIONS) if table.has("direction") else None,
        amount=table.amount("amount"),
        currency=table.code("currency", CURRENCIES),
        mcc=mcc[0] if mcc else None,
        country=table.code("country", COUNTRIES),
        booked_at=table.day("booked_at"),
        line=line,
    )
