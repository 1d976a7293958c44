"""Confidence: how often a decision on such evidence is right, as measured on merchants that nothing had seen.

Every decision has a basis (the evidence that carries it) and a standing: its score less half the next category's score. Each basis has a
monotone piecewise-linear map from standing to probability, shipped in the pack (``confidence.json``, fitted by tools/fit_confidence.py).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from rayapp.errors import InvalidPack
from rayapp.scoring.evidence import ONE
from rayapp.scoring.pack import LevelBounds
from rayapp.scoring.transaction import Level

BASES = ("curated", "gazetteer", "learned", "near", "movement", "rule", "mcc", "semantic")
"""By the number that the judgement gives."""

LEVELS: tuple[Level, ...] = ("LOW", "MEDIUM", "HIGH", "VERY_HIGH")

PRIOR: Mapping[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "curated": ((0.0, 0.2, 0.35, 0.5, 0.57, 0.77), (0.3, 0.5, 0.75, 0.9, 0.95, 0.99)),
    "gazetteer": ((0.0, 0.2, 0.35, 0.5, 0.57, 0.77), (0.2, 0.4, 0.65, 0.82, 0.9, 0.98)),
    "learned": ((0.0, 0.3, 0.5, 0.57, 0.77), (0.3, 0.6, 0.85, 0.93, 0.99)),
    "near": ((0.0, 0.2, 0.35, 0.5, 0.57), (0.2, 0.35, 0.6, 0.8, 0.9)),
    "movement": ((0.0, 0.1, 0.14, 0.18, 0.2, 0.36), (0.2, 0.5, 0.7, 0.9, 0.95, 0.99)),
    "rule": ((0.0, 0.1, 0.14, 0.18, 0.2, 0.36), (0.15, 0.45, 0.65, 0.85, 0.92, 0.98)),
    "mcc": ((0.0, 0.08, 0.16, 0.2, 0.36), (0.15, 0.4, 0.75, 0.85, 0.97)),
    "semantic": ((0.0, 0.05, 0.1, 0.15, 0.2), (0.05, 0.2, 0.45, 0.7, 0.9)),
}
"""What is assumed of a basis that the pack does not measure: a rule is as right as its weight says."""


class Curves(NamedTuple):
    """The maps of all bases, one after the other: that of basis ``b`` has the points ``begin[b]`` to ``begin[b + 1]``."""

    begin: NDArray[np.int64]
    standing: NDArray[np.float64]
    probability: NDArray[np.float64]


@njit(nogil=True, cache=True, _nrt=False)
def confident_rows(
    basis: NDArray[np.int8], score: NDArray[np.int32], runner_up: NDArray[np.int32], curves: Curves, out: NDArray[np.float64]
) -> None:
    """Write the probability that each decision is right, rounded to four decimals, 0 for none; by the formula of ``np.interp``."""
    x, y = curves.standing, curves.probability
    for row in range(basis.size):
        out[row] = 0.0
        if basis[row] < 0:
            continue
        standing = (score[row] - 0.5 * runner_up[row]) / ONE
        first, last = curves.begin[basis[row]], curves.begin[basis[row] + 1] - 1
        at = first - 1
        for point in range(first, last + 1):
            at += x[point] <= standing
        if at < first:
            value = y[first]
        elif at == last or x[at] == standing:
            value = y[at]
        else:
            value = (y[at + 1] - y[at]) / (x[at + 1] - x[at]) * (standing - x[at]) + y[at]
        out[row] = np.rint(value * 1e4) / 1e4


class Calibration:
    """The maps from standing to probability, by basis."""

    def __init__(self, fitted: Mapping[str, Any]) -> None:
        """Take the fitted maps of a pack (``{"bases": {name: {"x": [...], "y": [...]}}}``) over the assumed ones."""
        measured = fitted.get("bases", {})
        if not isinstance(measured, Mapping):
            raise InvalidPack("confidence.json: bases is no object")
        maps = [self._curve(name, measured.get(name)) for name in BASES]
        begin = np.cumsum([0, *(len(x) for x, _ in maps)], dtype=np.int64)
        self.curves = Curves(begin, np.concatenate([x for x, _ in maps]), np.concatenate([y for _, y in maps]))

    @staticmethod
    def _curve(name: str, fitted: Mapping[str, Any] | None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        try:
            x, y = (fitted["x"], fitted["y"]) if fitted else PRIOR[name]
            standing, probability = np.array(x, np.float64), np.array(y, np.float64)
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidPack(f"confidence.json: the map of {name!r} is no two lists of numbers") from error
        paired = standing.ndim == probability.ndim == 1 and len(standing) == len(probability) > 0
        rises = paired and bool((np.diff(standing) > 0).all() and (np.diff(probability) >= 0).all())
        if not rises or probability[0] < 0 or probability[-1] > 1:
            raise InvalidPack(f"confidence.json: the map of {name!r} does not rise within 0 and 1")
        return standing, probability

    def confidence(self, basis: NDArray[np.int8], score: NDArray[np.int32], runner_up: NDArray[np.int32]) -> NDArray[np.float64]:
        """Give the probability that each decision is right, rounded to four decimals; 0 where there is none."""
        result = np.empty(len(basis))
        confident_rows(basis, score, runner_up, self.curves, result)
        return result


def level_numbers(confidence: NDArray[np.float64], bounds: LevelBounds) -> NDArray[np.int32]:
    """Number the level of each confidence, as in ``LEVELS``."""
    level = np.zeros(len(confidence), np.int32)
    for bound in (bounds.medium, bounds.high, bounds.very_high):
        level += confidence >= bound
    return level
