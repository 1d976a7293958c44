"""Confidence: how often a decision on such evidence is right, as measured on merchants that nothing had seen.

Every decision has a basis (the evidence that carries it) and a standing: its score less half the next category's score. Each basis has a
monotone piecewise-linear map from standing to probability, shipped in the pack (``confidence.json``, fitted by tools/fit_confidence.py).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rayapp.errors import InvalidPack
from rayapp.scoring.judge import ONE
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


class Calibration:
    """The maps from standing to probability, by basis."""

    def __init__(self, fitted: Mapping[str, Any]) -> None:
        """Take the fitted maps of a pack (``{"bases": {name: {"x": [...], "y": [...]}}}``) over the assumed ones."""
        measured = fitted.get("bases", {})
        self._maps = [self._curve(name, measured.get(name)) for name in BASES]

    @staticmethod
    def _curve(name: str, fitted: Mapping[str, Any] | None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        x, y = (fitted["x"], fitted["y"]) if fitted else PRIOR[name]
        standing, probability = np.array(x, np.float64), np.array(y, np.float64)
        rises = len(standing) == len(probability) > 0 and bool((np.diff(standing) > 0).all() and (np.diff(probability) >= 0).all())
        if not rises or probability[0] < 0 or probability[-1] > 1:
            raise InvalidPack(f"confidence.json: the map of {name!r} does not rise within 0 and 1")
        return standing, probability

    def confidence(self, basis: NDArray[np.int8], score: NDArray[np.int32], runner_up: NDArray[np.int32]) -> NDArray[np.float64]:
        """Give the probability that each decision is right, rounded to four decimals; 0 where there is none."""
        standing = (score - 0.5 * runner_up) / ONE
        result = np.zeros(len(basis))
        for number, (x, y) in enumerate(self._maps):
            rows = basis == number
            if rows.any():
                result[rows] = np.interp(standing[rows], x, y)
        return np.round(result, 4)

    def confidence_one(self, basis: int, score: int, runner_up: int) -> float:
        """Give the same for one decision."""
        if basis < 0:
            return 0.0
        x, y = self._maps[basis]
        return round(float(np.interp((score - 0.5 * runner_up) / ONE, x, y)), 4)


def level_numbers(confidence: NDArray[np.float64], bounds: LevelBounds) -> NDArray[np.int8]:
    """Number the level of each confidence, as in ``LEVELS``."""
    return np.searchsorted([bounds.medium, bounds.high, bounds.very_high], confidence, side="right").astype(np.int8)
