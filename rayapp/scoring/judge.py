"""The judgement: from what was found in a row to its category and score, as whole millionths so that no order of adding matters.

Every reason is one ``Reason``: a signal gives a category a contribution. Of one part's reasons for one category the strongest counts (or
they add up, if the pack says so); a category's score is the sum over the parts, clipped to one. Three things set reasons aside: a rule that
fires sets aside rules of lower priority, a rule that overrides the merchant sets aside merchant evidence for other categories, and
where the pack says that its own book comes first, so does a merchant learned from it. And a rule that tells a trade weakens brands of
another family whose name is but a part of the core.
"""

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

CURATED, GAZETTEER, LEARNED, NEAR = 0, 1, 2, 3
"""Where merchant evidence comes from."""

ASIDE, COUNTED, WEAKER = 0, 1, 2
"""What became of a reason: set aside, counted, or weaker than another of its part for its category."""

MAX_REASONS = 48
MAX_CATEGORIES = 32
SUGGESTIONS = 3
"""Categories that the semantic signal proposes for one row."""

WEAK, EXACT = 1, 2
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


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _has(values: NDArray[np.int16], first: int, last: int, value: int) -> bool:
    for i in range(first, last):
        if values[i] == value:
            return True
    return False


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _place_share(merchants: Merchants, merchant: int, known: int, hinted: int) -> int:
    """Weigh a merchant by country: ``known`` from the transaction, ``hinted`` from its descriptor or currency; -1 unknown."""
    first, last = merchants.country_offset[merchant], merchants.country_offset[merchant + 1]
    if first == last:
        return ONE
    if known >= 0:
        return ONE if _has(merchants.country, first, last, known) else 500_000
    if hinted >= 0:
        return ONE if _has(merchants.country, first, last, hinted) else 800_000
    return 980_000


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _text_share(match: int, letters: int, weight: int, words: int, first: bool, agrees: bool, local: bool) -> int:
    """Weigh an alias by how much of the core it is; 0 where it does not count."""
    if letters >= (weight if match == 0 else words):
        return ONE
    if match == EXACT:
        return 0
    cover = letters * 100 // max(weight, 1)
    if match == WEAK:
        if agrees:
            return 950_000
        return 700_000 if local and first and cover >= 60 else 0
    if first:
        return ONE if cover >= 45 else 900_000 if cover >= 25 else 750_000
    if cover >= 45 or agrees:
        return 900_000
    return 600_000 if letters >= 6 else 350_000


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _add(reasons: Reasons, n: int, part: int, origin: int, category: int, ref: int, value: int, hit: int) -> int:
    """Append a reason; past the capacity nothing is added."""
    if n >= MAX_REASONS:
        return n
    reasons.part[n], reasons.origin[n], reasons.category[n] = part, origin, category
    reasons.ref[n], reasons.value[n], reasons.counted[n], reasons.hit[n] = ref, value, 1, hit
    return n + 1


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _merchant_reasons(row: int, inputs: Inputs, found: Findings, merchants: Merchants, scales: Scales, reasons: Reasons, n: int) -> int:
    """Add the best reading of each alias hit, the learned merchant and the near alias of one row."""
    text = inputs.text[row]
    mcc = inputs.mcc[row]
    expected = scales.mcc_category[mcc] if mcc >= 0 else -1
    known = inputs.country[row]
    hinted = found.facts.country[text]
    if hinted < 0 and inputs.currency[row] >= 0:
        hinted = merchants.currency_country[inputs.currency[row]]
    weight, words = found.facts.weight[text], found.facts.words[text]
    for hit in range(found.hits.offset[text], found.hits.offset[text + 1]):
        entry = found.hits.entry[hit]
        best, best_value, best_rank = -1, 0, -1
        for alias in range(merchants.offset[entry], merchants.offset[entry + 1]):
            merchant = merchants.merchant[alias]
            category = merchants.category[merchant]
            agrees = expected >= 0 and category >= 0 and scales.primary[expected] == scales.primary[category]
            place = _place_share(merchants, merchant, known, hinted)
            value = _text_share(
                merchants.match[alias],
                found.hits.letters[hit],
                weight,
                words,
                found.hits.first[hit] == 1,
                agrees,
                place == ONE and (known >= 0 or hinted >= 0),
            )
            value = share(share(value, place), merchants.weight[alias])
            rank = (4 if category >= 0 and category == expected else 2 if agrees else 0) + (
                1 if merchants.origin[merchant] == CURATED else 0
            )
            if value > 0 and (value > best_value or (value == best_value and rank > best_rank)):
                best, best_value, best_rank = alias, value, rank
        if best >= 0:
            merchant = merchants.merchant[best]
            n = _add(
                reasons,
                n,
                MERCHANT,
                merchants.origin[merchant],
                merchants.category[merchant],
                best,
                share(scales.weight[MERCHANT], best_value),
                hit,
            )
    if found.facts.learned[text] >= 0:
        learned = found.facts.learned[text]
        home = known if known >= 0 or inputs.currency[row] < 0 else merchants.currency_country[inputs.currency[row]]
        abroad = home >= 0 and merchants.learned_country[learned] >= 0 and home != merchants.learned_country[learned]
        value = share(share(scales.weight[MERCHANT], ABROAD if abroad else ONE), merchants.learned_weight[learned])
        n = _add(reasons, n, MERCHANT, LEARNED, merchants.learned_category[learned], learned, value, -2 if abroad else -1)
    if found.near[text] >= 0:
        alias = found.near[text]
        merchant = merchants.merchant[alias]
        value = share(share(found.near_weight[text], _place_share(merchants, merchant, known, hinted)), merchants.weight[alias])
        n = _add(reasons, n, MERCHANT, NEAR, merchants.category[merchant], alias, share(scales.weight[MERCHANT], value), -1)
    return n


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _holds(rule: int, row: int, inputs: Inputs, rules: Rules) -> bool:
    """Check a rule's conditions; one on a missing value does not hold, but an unknown direction passes."""
    direction = inputs.direction[row]
    if rules.direction[rule] >= 0 and direction >= 0 and direction != rules.direction[rule]:
        return False
    least, greatest = rules.amount[rule, 0], rules.amount[rule, 1]
    amount = inputs.amount[row]
    if not np.isnan(least) and not amount >= least:
        return False
    if not np.isnan(greatest) and not amount <= greatest:
        return False
    day = inputs.day[row]
    if rules.dates[rule, 0] != NO_DATE and not day >= rules.dates[rule, 0]:
        return False
    if rules.dates[rule, 1] != NO_DATE and (day == NO_DATE or day > rules.dates[rule, 1]):
        return False
    first, last = rules.country_offset[rule], rules.country_offset[rule + 1]
    if first < last and not _has(rules.country, first, last, inputs.country[row]):
        return False
    first, last = rules.currency_offset[rule], rules.currency_offset[rule + 1]
    if first < last and not _has(rules.currency, first, last, inputs.currency[row]):
        return False
    first, last = rules.mcc_offset[rule], rules.mcc_offset[rule + 1]
    if first == last:
        return True
    for i in range(first, last):
        if rules.mcc[i, 0] <= inputs.mcc[row] <= rules.mcc[i, 1]:
            return True
    return False


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _rule_reasons(row: int, stamp: int, inputs: Inputs, found: Findings, rules: Rules, scales: Scales, reasons: Reasons, n: int) -> int:
    """Add every rule that fires; ``stamp`` must differ between rows."""
    text = inputs.text[row]
    first, last = found.pattern_offset[text], found.pattern_offset[text + 1]
    for i in range(first, last):
        pattern = found.pattern[i]
        for use in range(rules.use_offset[pattern], rules.use_offset[pattern + 1]):
            if rules.use_unless[use]:
                reasons.barred[rules.use_rule[use]] = stamp
    for i in range(first, last):
        pattern = found.pattern[i]
        for use in range(rules.use_offset[pattern], rules.use_offset[pattern + 1]):
            rule = rules.use_rule[use]
            if rules.use_unless[use] or reasons.barred[rule] == stamp or reasons.fired[rule] == stamp:
                continue
            if _holds(rule, row, inputs, rules):
                reasons.fired[rule] = stamp
                n = _add(reasons, n, RULE, 0, rules.category[rule], rule, share(scales.weight[RULE], rules.weight[rule]), -1)
    return n


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _set_aside(reasons: Reasons, n: int, rules: Rules, learned_first: int) -> int:
    """Set aside rules below the highest priority, and merchant evidence against an overriding rule, else against the book.

    Returns the overriding rule or -1.
    """
    highest = -1
    for i in range(n):
        if reasons.part[i] == RULE:
            highest = max(highest, int(rules.priority[reasons.ref[i]]))
    overriding, strongest = -1, -1
    for i in range(n):
        if reasons.part[i] != RULE:
            continue
        rule = reasons.ref[i]
        if rules.priority[rule] < highest:
            reasons.counted[i] = 0
        elif rules.overrides[rule] and (reasons.value[i] > strongest or (reasons.value[i] == strongest and rule < overriding)):
            overriding, strongest = rule, reasons.value[i]
    wanted = -1
    if overriding >= 0:
        wanted = rules.category[overriding]
    elif learned_first:
        wanted = _learned_category(reasons, n)
    if wanted >= 0:
        for i in range(n):
            if reasons.part[i] == MERCHANT and reasons.category[i] != wanted:
                reasons.counted[i] = 0
    return overriding


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _contradict(row: int, inputs: Inputs, found: Findings, scales: Scales, reasons: Reasons, n: int) -> None:
    """Weaken brands that are a part of the core where the best rule that counts tells a trade of another family."""
    strongest, trade = share(scales.weight[RULE], TRADE) - 1, -1
    for i in range(n):
        if reasons.part[i] == RULE and reasons.counted[i] and reasons.value[i] > strongest:
            strongest, trade = reasons.value[i], reasons.category[i]
    if trade < 0 or not scales.has_merchant[trade]:
        return
    weight = found.facts.weight[inputs.text[row]]
    for i in range(n):
        if reasons.part[i] != MERCHANT or reasons.hit[i] < 0 or reasons.category[i] < 0 or not reasons.counted[i]:
            continue
        if scales.primary[reasons.category[i]] != scales.primary[trade] and found.hits.letters[reasons.hit[i]] * 100 < COVER * weight:
            reasons.value[i] = share(reasons.value[i], CONTRADICTED)


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _learned_category(reasons: Reasons, n: int) -> int:
    """Give the category of the merchant learned from the book, -1 where there is none, or its lines were of another country."""
    for i in range(n):
        if reasons.part[i] == MERCHANT and reasons.origin[i] == LEARNED and reasons.hit[i] == -1:
            return reasons.category[i]
    return -1


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _total(reasons: Reasons, n: int, adds_up: int) -> int:
    """Sum the reasons that count by category and part, marking those that are not the strongest; returns the categories."""
    categories = 0
    for i in range(n):
        if not reasons.counted[i] or reasons.category[i] < 0:
            reasons.counted[i] = 0
            continue
        slot = 0
        while slot < categories and reasons.totalled[slot] != reasons.category[i]:
            slot += 1
        if slot == categories:
            if categories == MAX_CATEGORIES:
                reasons.counted[i] = 0
                continue
            categories += 1
            reasons.totalled[slot] = reasons.category[i]
            for part in range(PARTS):
                reasons.total[slot, part] = 0
        part = reasons.part[i]
        if adds_up:
            reasons.total[slot, part] = min(ONE, reasons.total[slot, part] + reasons.value[i])
        elif reasons.value[i] > reasons.total[slot, part]:
            reasons.total[slot, part] = reasons.value[i]
    if not adds_up:
        for i in range(n):
            if reasons.counted[i] == COUNTED:
                _keep_strongest(reasons, i, n)
    return categories


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _keep_strongest(reasons: Reasons, i: int, n: int) -> None:
    """Mark reason ``i`` as not counted where another of its part and category is stronger, or as strong and before it."""
    for k in range(n):
        rival = k != i and reasons.counted[k] == COUNTED and reasons.part[k] == reasons.part[i]
        stronger = reasons.value[k] > reasons.value[i] or (reasons.value[k] == reasons.value[i] and k < i)
        if rival and stronger and reasons.category[k] == reasons.category[i]:
            reasons.counted[i] = WEAKER
            return


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def slot_score(reasons: Reasons, slot: int) -> int:
    """Give a category's score: the sum of its parts, clipped to one."""
    total = 0
    for part in range(PARTS):
        total += reasons.total[slot, part]
    return min(ONE, total)


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def gather(
    row: int,
    stamp: int,
    inputs: Inputs,
    found: Findings,
    merchants: Merchants,
    rules: Rules,
    scales: Scales,
    reasons: Reasons,
) -> tuple[int, int, int]:
    """Collect and total the reasons of one row; returns how many, how many categories, and the overriding rule or -1."""
    n = _merchant_reasons(row, inputs, found, merchants, scales, reasons, 0)
    n = _rule_reasons(row, stamp, inputs, found, rules, scales, reasons, n)
    mcc = inputs.mcc[row]
    if mcc >= 0 and scales.mcc_category[mcc] >= 0:
        n = _add(reasons, n, MCC, 0, scales.mcc_category[mcc], mcc, share(scales.weight[MCC], scales.mcc_weight[mcc]), -1)
    suggestion = found.suggestion[row] if found.suggestion.size else -1
    if suggestion >= 0:
        for rank in range(SUGGESTIONS):
            value = share(scales.weight[SEMANTIC], found.probability[suggestion, rank])
            if value > 0:
                n = _add(reasons, n, SEMANTIC, 0, found.suggested[suggestion, rank], rank, value, -1)
    overriding = _set_aside(reasons, n, rules, scales.learned_first)
    if overriding < 0:
        _contradict(row, inputs, found, scales, reasons, n)
    return n, _total(reasons, n, scales.adds_up), overriding


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _choose(reasons: Reasons, categories: int) -> tuple[int, int]:
    """Pick the best category's slot and the score of the next; ties go to the lower category number."""
    best, best_score, next_score = -1, -1, 0
    for slot in range(categories):
        score = slot_score(reasons, slot)
        if score > best_score or (score == best_score and reasons.totalled[slot] < reasons.totalled[best]):
            next_score = max(best_score, 0)
            best, best_score = slot, score
        elif score > next_score:
            next_score = score
    return best, next_score


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _name_merchant(reasons: Reasons, n: int, category: int, learned_first: int, merchants: Merchants, row: int, out: Verdicts) -> None:
    """Name the merchant: the strongest evidence for the chosen category, else the strongest of all; learned ones last.

    A book that comes first says what a payment is for; who was paid, an alias at least as strong says better.
    """
    strongest, best, book = -1, -1, ONE + 1
    for i in range(n):
        if reasons.part[i] == MERCHANT and reasons.origin[i] == LEARNED and reasons.category[i] == category:
            book = reasons.value[i]
    for i in range(n):
        if reasons.part[i] != MERCHANT:
            continue
        same = category >= 0 and (reasons.category[i] == category or (learned_first and reasons.value[i] >= book))
        rank = (4 * ONE if same else 0) + (0 if reasons.origin[i] == LEARNED else 2 * ONE) + reasons.value[i]
        if rank > best:
            strongest, best = i, rank
    if strongest < 0:
        return
    if reasons.origin[strongest] == LEARNED:
        out.learned[row] = reasons.ref[strongest]
        return
    out.alias[row] = reasons.ref[strongest]
    out.merchant[row] = merchants.merchant[reasons.ref[strongest]]


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _list_rules(reasons: Reasons, n: int, category: int, row: int, out: Verdicts) -> None:
    """List the rules that fired for the category and were not set aside, the strongest first."""
    count = 0
    last_value, last = ONE + 1, -1
    for _ in range(MAX_RULES):
        best = -1
        for i in range(n):
            if reasons.part[i] != RULE or reasons.category[i] != category or reasons.counted[i] == ASIDE:
                continue
            after = reasons.value[i] < last_value or (reasons.value[i] == last_value and i > last)
            if after and (best < 0 or reasons.value[i] > reasons.value[best]):
                best = i
        if best < 0:
            break
        out.rule[row, count] = reasons.ref[best]
        last_value, last = reasons.value[best], best
        count += 1
    out.rule_count[row] = count


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _basis(reasons: Reasons, n: int, slot: int, scales: Scales) -> int:
    """Number the evidence that carries the category, as ``confidence.BASES`` names it.

    A merchant by its origin (0 to 3), a rule on movements of money (4) or on purchases (5), the MCC (6), the semantic signal (7).
    A book that comes first carries what it agrees with.
    """
    if scales.learned_first and _learned_category(reasons, n) == reasons.totalled[slot]:
        return LEARNED
    merchant, semantic = reasons.total[slot, MERCHANT], reasons.total[slot, SEMANTIC]
    rule, mcc = reasons.total[slot, RULE], reasons.total[slot, MCC]
    if merchant >= max(rule, mcc, semantic) and merchant > 0:
        for i in range(n):
            if reasons.part[i] == MERCHANT and reasons.counted[i] == COUNTED and reasons.category[i] == reasons.totalled[slot]:
                return reasons.origin[i]
    if rule >= max(mcc, semantic):
        return 5 if scales.has_merchant[reasons.totalled[slot]] else 4
    return 6 if mcc >= semantic else 7


@njit(nogil=True, cache=True, _nrt=False)
def judge_rows(
    rows: NDArray[np.int32],
    inputs: Inputs,
    found: Findings,
    merchants: Merchants,
    rules: Rules,
    scales: Scales,
    reasons: Reasons,
    stamp: int,
    out: Verdicts,
) -> int:
    """Judge the given rows; ``stamp`` is the last stamp used with this scratch, the return value the new one."""
    for place in range(rows.size):
        row = rows[place]
        stamp += 1
        n, categories, overriding = gather(row, stamp, inputs, found, merchants, rules, scales, reasons)
        slot, next_score = _choose(reasons, categories)
        score = slot_score(reasons, slot) if slot >= 0 else 0
        out.alias[row] = out.learned[row] = out.merchant[row] = -1
        out.rule_count[row] = 0
        out.runner_up[row] = next_score
        told = overriding >= 0 or (scales.learned_first and _learned_category(reasons, n) >= 0)
        out.undecided[row] = score < scales.decided and not told
        if slot < 0 or score < scales.unclassified:
            out.category[row] = out.basis[row] = -1
            out.score[row] = 0
            for part in range(PARTS):
                out.parts[row, part] = 0
            _name_merchant(reasons, n, -1, scales.learned_first, merchants, row, out)
            continue
        category = reasons.totalled[slot]
        out.category[row] = category
        out.score[row] = score
        for part in range(PARTS):
            out.parts[row, part] = reasons.total[slot, part]
        out.basis[row] = _basis(reasons, n, slot, scales)
        _name_merchant(reasons, n, category, scales.learned_first, merchants, row, out)
        _list_rules(reasons, n, category, row, out)
    return stamp
