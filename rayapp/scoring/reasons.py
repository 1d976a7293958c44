"""The reasons of a row: what its brands, rules, MCC and model say for which category, before any of it is weighed against another."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from rayapp.scoring.evidence import (
    ABROAD,
    CURATED,
    EXACT,
    FIRST,
    LEARNED,
    MAX_REASONS,
    MCC,
    MERCHANT,
    NEAR,
    NO_DATE,
    ONE,
    RULE,
    SEMANTIC,
    SUGGESTIONS,
    TOLD,
    WEAK,
    Findings,
    Inputs,
    Merchants,
    Reasons,
    Rules,
    Scales,
    share,
)

UNTOLD = 980_000
"""What a merchant of some countries keeps where nothing tells the row's country."""


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
    return UNTOLD


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _text_share(match: int, letters: int, weight: int, words: int, first: bool, agrees: bool, local: bool) -> int:
    """Weigh an alias by how much of the core it is; 0 where it does not count."""
    if letters >= (words if match >= WEAK else weight):
        return ONE
    if match == EXACT or (match == FIRST and not first and not agrees):
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
        place = ABROAD if abroad else UNTOLD if home < 0 and merchants.learned_country[learned] >= 0 else ONE
        value = share(share(scales.weight[MERCHANT], place), merchants.learned_weight[learned])
        n = _add(reasons, n, MERCHANT, LEARNED, merchants.learned_category[learned], learned, value, -2 if abroad else -1)
    if found.near[text] >= 0:
        alias = found.near[text]
        merchant = merchants.merchant[alias]
        value = share(share(found.near_weight[text], _place_share(merchants, merchant, known, hinted)), merchants.weight[alias])
        n = _add(reasons, n, MERCHANT, NEAR, merchants.category[merchant], alias, share(scales.weight[MERCHANT], value), -1)
    return n


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def holds(rule: int, row: int, inputs: Inputs, rules: Rules) -> bool:
    """Check a rule's conditions; one on a missing value does not hold, but an unknown direction passes where it need not be told."""
    direction, wanted = inputs.direction[row], rules.direction[rule]
    if wanted >= TOLD and direction != wanted - TOLD:
        return False
    if 0 <= wanted < TOLD and direction >= 0 and direction != wanted:
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
            if holds(rule, row, inputs, rules):
                reasons.fired[rule] = stamp
                n = _add(reasons, n, RULE, 0, rules.category[rule], rule, share(scales.weight[RULE], rules.weight[rule]), -1)
    return n


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def collect(
    row: int,
    stamp: int,
    inputs: Inputs,
    found: Findings,
    merchants: Merchants,
    rules: Rules,
    scales: Scales,
    reasons: Reasons,
) -> int:
    """Collect the reasons of one row, from merchants, rules, MCC and model; returns how many."""
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
    return n
