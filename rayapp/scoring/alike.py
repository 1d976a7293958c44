"""Rows that must get the same verdict: the same descriptor, and alike in all that a judgement on it asks for. One of them is judged.

In a bank's file most rows repeat an earlier one but for id, amount and date, and few rules ask for an amount or a date.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from rayapp.scoring.evidence import NO_DATE, Findings, Inputs, Rules


class Groups(NamedTuple):
    """Groups of rows that get the same verdict: the row of each group that is judged, and the group of each row."""

    judged: NDArray[np.int32]
    group: NDArray[np.int32]


def exact_patterns(rules: Rules) -> NDArray[np.bool_]:
    """Tell for each pattern whether it speaks for a rule that asks for an amount or a date."""
    exact = ~np.isnan(rules.amount).all(axis=1) | (rules.dates != NO_DATE).any(axis=1)
    found = np.zeros(rules.use_offset.size - 1, bool)
    pattern = np.repeat(np.arange(found.size), np.diff(rules.use_offset))
    found[pattern[exact[rules.use_rule]]] = True
    return found


def group_rows(inputs: Inputs, found: Findings, exact: NDArray[np.bool_], shade: NDArray[np.int16]) -> Groups:
    """Group rows; ``exact`` is from ``exact_patterns``, ``shade`` of each row's amount, or empty where no signal reads it."""
    judged, group = np.empty(inputs.text.size, np.int32), np.empty(inputs.text.size, np.int32)
    latest = np.full(found.near.size, -1, np.int32)
    count = _group(inputs, found.pattern_offset, found.pattern, exact, shade, latest, judged, group)
    return Groups(judged[:count], group)


@njit(nogil=True, cache=True, _nrt=False)
def _group(
    inputs: Inputs,
    pattern_offset: NDArray[np.int64],
    pattern: NDArray[np.int32],
    exact: NDArray[np.bool_],
    shade: NDArray[np.int16],
    latest: NDArray[np.int32],
    judged: NDArray[np.int32],
    group: NDArray[np.int32],
) -> int:
    """Compare each row with the one that was last judged of its descriptor, whose group is ``latest``; returns the groups."""
    count = 0
    for row in range(inputs.text.size):
        text = inputs.text[row]
        other = latest[text]
        joins = other >= 0 and _same_codes(inputs, row, judged[other])
        joins = joins and (not shade.size or shade[row] == shade[judged[other]])
        if joins and (inputs.amount[row] != inputs.amount[judged[other]] or inputs.day[row] != inputs.day[judged[other]]):
            for i in range(pattern_offset[text], pattern_offset[text + 1]):
                joins = joins and not exact[pattern[i]]
        if not joins:
            other = latest[text] = count
            judged[count] = row
            count += 1
        group[row] = other
    return count


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _same_codes(inputs: Inputs, row: int, other: int) -> bool:
    """Tell whether two rows agree in MCC, direction, currency and country."""
    return (
        inputs.mcc[row] == inputs.mcc[other]
        and inputs.direction[row] == inputs.direction[other]
        and inputs.currency[row] == inputs.currency[other]
        and inputs.country[row] == inputs.country[other]
    )
