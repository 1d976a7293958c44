"""Compiling rules: patterns into one matcher, conditions into columns."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rayapp.packs.compile_lexicon import Arrays, Strings, offsets_of
from rayapp.packs.source import Conditions, RuleSource
from rayapp.scoring.evidence import NO_DATE, ONE, TOLD
from rayapp.scoring.geography import country_number, currency_number
from rayapp.scoring.pack import string_array
from rayapp.scoring.patterns import compile_patterns
from rayapp.scoring.values import DIRECTIONS

_EPOCH = date(1970, 1, 1)


def compile_rules(rules: Sequence[RuleSource], categories: dict[str, int]) -> tuple[Arrays, Strings]:
    """Compile rules in their order; equal patterns of several rules are matched once."""
    number: dict[str, int] = {}
    uses: list[list[tuple[int, int]]] = []
    for rule, item in enumerate(rules):
        for unless, patterns in enumerate((item.patterns, item.unless)):
            for pattern in patterns:
                place = number.setdefault(pattern.text, len(uses))
                if place == len(uses):
                    uses.append([])
                uses[place].append((rule, unless))
    flat = [use for group in uses for use in group]
    arrays: Arrays = {
        "rule/use_offset": offsets_of(uses),
        "rule/use_rule": np.array([rule for rule, _ in flat], np.int32),
        "rule/use_unless": np.array([unless for _, unless in flat], np.uint8),
        "rule/category": np.array([categories[item.category] for item in rules], np.int16),
        "rule/weight": np.array([round(item.weight * ONE) for item in rules], np.int32),
        "rule/priority": np.array([item.priority for item in rules], np.int16),
        "rule/overrides": np.array([item.overrides_merchant for item in rules], np.uint8),
        **_conditions(rules),
    }
    arrays.update({f"pattern/{name}": array for name, array in compile_patterns(list(number)).arrays().items()})
    strings = {
        "rule_id": string_array([item.id for item in rules]),
        "rule_why": string_array([item.why for item in rules]),
        "pattern": string_array(list(number)),
    }
    return arrays, strings


def _conditions(rules: Sequence[RuleSource]) -> Arrays:
    """Lay the conditions out as columns."""
    when = [item.when for item in rules]
    lands = [[country_number(code) for code in item.country] for item in when]
    monies = [[currency_number(code) for code in item.currency] for item in when]
    ranges = [list(item.mcc) for item in when]
    return {
        "rule/direction": np.array([_direction(item) for item in when], np.int8),
        "rule/amount": _pairs([(_number(item.amount_min), _number(item.amount_max)) for item in when], np.float64),
        "rule/dates": _pairs([(_day(item.date_from), _day(item.date_to)) for item in when], np.int32),
        "rule/mcc_offset": offsets_of(ranges),
        "rule/mcc": _pairs([pair for group in ranges for pair in group], np.int16),
        "rule/country_offset": offsets_of(lands),
        "rule/country": np.array([land for group in lands for land in group], np.int16),
        "rule/currency_offset": offsets_of(monies),
        "rule/currency": np.array([money for group in monies for money in group], np.int16),
    }


def _direction(when: Conditions) -> int:
    """Give the direction that a rule asks for, TOLD more where it must be told, -1 for any."""
    return -1 if when.direction is None else DIRECTIONS[when.direction] + TOLD * when.direction_told


def _pairs(values: Sequence[tuple[Any, Any]], kind: type) -> NDArray[Any]:
    return np.array(values, kind).reshape(-1, 2)


def _number(value: Any) -> float:  # noqa: ANN401 - a decimal or nothing
    return float("nan") if value is None else float(value)


def _day(value: date | None) -> int:
    return NO_DATE if value is None else (value - _EPOCH).days
