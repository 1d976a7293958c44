"""What a judgement rests on: the pack's merchants, rules and scales as arrays, what was found in each row, and the reasons and verdicts."""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from rayapp.scoring.lexicon import Facts, Hits

ONE = 1_000_000
"""A score of one, in millionths."""

MERCHANT, SEMANTIC, RULE, MCC = 0, 1, 2, 3
"""The parts of a score."""

PARTS = 4

TOLD = 2
"""Added to a rule's direction that a row must tell."""

CURATED, GAZETTEER, LEARNED, NEAR = 0, 1, 2, 3
"""Where merchant evidence comes from."""

ASIDE, COUNTED, WEAKER = 0, 1, 2
"""What became of a reason: set aside, counted, or weaker than another of its part for its category."""

MAX_REASONS = 48
MAX_CATEGORIES = 32
SUGGESTIONS = 3
"""Categories that the semantic signal proposes for one row."""

FIRST, WEAK, EXACT = 1, 2, 3
"""Aliases that are common words; aliases that count only as the whole core."""


class Merchants(NamedTuple):
    """The gazetteer: phrase entry ``e`` stands for the aliases ``offset[e]:offset[e + 1]``; each merchant's countries are sorted."""

    offset: NDArray[np.int32]
    merchant: NDArray[np.int32]
    match: NDArray[np.int8]
    weight: NDArray[np.int32]
    category: NDArray[np.int16]
    origin: NDArray[np.int8]
    country_offset: NDArray[np.int32]
    country: NDArray[np.int16]
    learned_category: NDArray[np.int16]
    learned_weight: NDArray[np.int32]
    learned_country: NDArray[np.int16]
    """Country whose lines a merchant was learned from, -1 for none in particular."""
    currency_country: NDArray[np.int16]


class Rules(NamedTuple):
    """The rules: pattern ``p`` speaks for ``use_rule[use_offset[p]:use_offset[p + 1]]``, against it where ``use_unless`` is 1."""

    use_offset: NDArray[np.int32]
    use_rule: NDArray[np.int32]
    use_unless: NDArray[np.uint8]
    category: NDArray[np.int16]
    weight: NDArray[np.int32]
    priority: NDArray[np.int16]
    overrides: NDArray[np.uint8]
    direction: NDArray[np.int8]
    """-1 for any; TOLD is added where a row must tell it."""
    amount: NDArray[np.float64]
    """Shape (rules, 2): least and greatest amount; NaN where no condition stands."""
    dates: NDArray[np.int32]
    """Shape (rules, 2): first and last day since 1970; NO_DATE where no condition stands."""
    mcc_offset: NDArray[np.int32]
    mcc: NDArray[np.int16]
    """Shape (ranges, 2)."""
    country_offset: NDArray[np.int32]
    country: NDArray[np.int16]
    currency_offset: NDArray[np.int32]
    currency: NDArray[np.int16]


class Scales(NamedTuple):
    """The pack's weights and thresholds in millionths, and its MCC map for the codes 0 to 9999."""

    weight: NDArray[np.int32]
    """By part, shape (4,)."""
    decided: int
    unclassified: int
    adds_up: int
    learned_first: int
    """Whether a merchant learned from the book sets aside other merchant evidence."""
    mcc_category: NDArray[np.int16]
    mcc_weight: NDArray[np.int32]
    primary: NDArray[np.int16]
    """Primary of each category."""
    has_merchant: NDArray[np.uint8]
    """Whether payments of a category go to a merchant worth naming; transfers and fees do not."""


class Inputs(NamedTuple):
    """What each transaction says besides its descriptor; ``text`` is the row of the distinct descriptor."""

    text: NDArray[np.int32]
    amount: NDArray[np.float64]
    currency: NDArray[np.int16]
    direction: NDArray[np.int8]
    mcc: NDArray[np.int16]
    country: NDArray[np.int16]
    day: NDArray[np.int32]


class Findings(NamedTuple):
    """What was found in each distinct descriptor."""

    hits: Hits
    facts: Facts
    pattern_offset: NDArray[np.int64]
    pattern: NDArray[np.int32]
    near: NDArray[np.int32]
    """Alias that the core nearly is, or -1."""
    near_weight: NDArray[np.int32]
    suggestion: NDArray[np.int32]
    """Row of the suggestions for each row of the inputs, -1 where the semantic signal was not asked; empty before it is asked at all."""
    suggested: NDArray[np.int16]
    probability: NDArray[np.int32]


class Reasons(NamedTuple):
    """Scratch: the reasons of one row. ``ref`` is an alias, a learned merchant, a rule, an MCC or a rank, by part and origin."""

    part: NDArray[np.int8]
    origin: NDArray[np.int8]
    category: NDArray[np.int16]
    ref: NDArray[np.int32]
    value: NDArray[np.int32]
    counted: NDArray[np.uint8]
    hit: NDArray[np.int32]
    total: NDArray[np.int32]
    """Shape (MAX_CATEGORIES, 4): what counts for each category by part."""
    totalled: NDArray[np.int16]
    fired: NDArray[np.int64]
    barred: NDArray[np.int64]


class Verdicts(NamedTuple):
    """The outcome for each row; -1 where there is none."""

    category: NDArray[np.int16]
    score: NDArray[np.int32]
    parts: NDArray[np.int32]
    """Shape (n, 4)."""
    runner_up: NDArray[np.int32]
    alias: NDArray[np.int32]
    learned: NDArray[np.int32]
    merchant: NDArray[np.int32]
    basis: NDArray[np.int8]
    undecided: NDArray[np.uint8]
    rule_count: NDArray[np.int32]
    rule: NDArray[np.int32]
    """Shape (n, MAX_RULES): rules that fired for the chosen category, strongest first."""


MAX_RULES = 4
ABROAD = 800_000
"""How much a merchant learned from one country's lines keeps in another, where the same words can be somebody else's name (METRO)."""
TRADE = 800_000
"""Weight from which on a rule tells a trade well enough to contradict a brand."""
CONTRADICTED = 250_000
"""How much a brand keeps whose name is but a part of what stands beside a word of another trade (STAGECOACH DRAMA SCHOOL)."""
COVER = 70
"""Share of the core's letters, in percent, from which on a brand is not contradicted."""
NO_DATE = np.iinfo(np.int32).min


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def share(weight: int, part: int) -> int:
    """Multiply two numbers of millionths, rounding half up."""
    return int((np.int64(weight) * np.int64(part) + ONE // 2) // ONE)
