"""The judgement: from what was found in a row to its category and score, as whole millionths so that no order of adding matters.

Every reason is one ``Reason``: a signal gives a category a contribution. Of one part's reasons for one category the strongest counts (or
they add up, if the pack says so); a category's score is the sum over the parts, clipped to one. Four things set reasons aside: a rule that
fires sets aside rules of lower priority, a rule that overrides the merchant sets aside merchant evidence for other categories, where the
pack says that its own book comes first, so does a merchant learned from it, and where not, a hand-written merchant sets aside what was
learned. And a rule that tells a trade weakens brands of another family whose name is but a part of the core.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from rayapp.scoring.evidence import (
    ASIDE,
    CONTRADICTED,
    COUNTED,
    COVER,
    CURATED,
    LEARNED,
    MAX_CATEGORIES,
    MAX_RULES,
    MCC,
    MERCHANT,
    ONE,
    PARTS,
    RULE,
    SEMANTIC,
    TRADE,
    WEAKER,
    Findings,
    Inputs,
    Merchants,
    Reasons,
    Rules,
    Scales,
    Verdicts,
    share,
)
from rayapp.scoring.reasons import collect


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
def _prefer_known(reasons: Reasons, n: int) -> None:
    """Set aside what was learned from card lines where a hand-written merchant, at least as strong, is of another category.

    What was learned says what acquirers' MCCs said; beside an MCC it would count the same opinion twice.
    """
    known, category = -1, -1
    for i in range(n):
        if reasons.part[i] == MERCHANT and reasons.origin[i] == CURATED and reasons.counted[i] and reasons.value[i] > known:
            known, category = reasons.value[i], reasons.category[i]
    if category < 0:
        return
    for i in range(n):
        learned = reasons.part[i] == MERCHANT and reasons.origin[i] == LEARNED
        if learned and reasons.category[i] != category and reasons.value[i] <= known:
            reasons.counted[i] = 0


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
    n = collect(row, stamp, inputs, found, merchants, rules, scales, reasons)
    overriding = _set_aside(reasons, n, rules, scales.learned_first)
    if overriding < 0:
        _contradict(row, inputs, found, scales, reasons, n)
    if not scales.learned_first:
        _prefer_known(reasons, n)
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
