"""Fitting confidence: for each basis a rising piecewise-linear map from standing to the share of decisions that were right."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.isotonic import IsotonicRegression

from rayapp.scoring.confidence import BASES, PRIOR

Array = npt.NDArray[Any]

KNOTS = 9
LEAST = 10
"""Decisions from which on a basis is measured; below, what is assumed stands."""
PSEUDO = 20
"""Decisions' worth of what was assumed, mixed in at every knot."""
CEILING = 0.99
"""The most that is promised: lines that are looked at while rules are mended come out better than others will."""


def fit_curve(standing: Array, right: Array, assumed: tuple[Sequence[float], Sequence[float]]) -> dict[str, list[float]]:
    """Fit one map: isotonic over the decisions and a little of what was assumed, then straight lines between quantiles."""
    knots = np.unique(np.round(np.quantile(standing, np.linspace(0, 1, KNOTS)), 4))
    prior = np.interp(knots, *assumed)
    x = np.concatenate([standing, knots])
    y = np.concatenate([right.astype(float), prior])
    weight = np.concatenate([np.ones(len(standing)), np.full(len(knots), PSEUDO / len(knots))])
    smooth = IsotonicRegression(y_min=0.01, y_max=CEILING, out_of_bounds="clip").fit(x, y, sample_weight=weight)
    return {"x": knots.tolist(), "y": np.round(_through(knots, standing, smooth.predict(standing)), 4).tolist()}


def _through(knots: Array, standing: Array, level: Array) -> Array:
    """Give the heights at the knots whose straight lines come nearest to ``level``, made to rise."""
    if len(knots) == 1:
        return np.array([level.mean()])
    place = np.clip(np.searchsorted(knots, standing, side="right") - 1, 0, len(knots) - 2)
    share = np.clip((standing - knots[place]) / (knots[place + 1] - knots[place]), 0, 1)
    design = np.zeros((len(standing), len(knots)))
    rows = np.arange(len(standing))
    design[rows, place], design[rows, place + 1] = 1 - share, share
    heights = np.linalg.solve(design.T @ design + 1e-3 * np.eye(len(knots)), design.T @ level + 1e-3 * level.mean())
    count = design.sum(axis=0) + 1e-6
    return IsotonicRegression(y_min=0.0, y_max=CEILING).fit_transform(knots, heights, sample_weight=count)


class Judged(NamedTuple):
    """Decisions that nothing was fitted to: what carried each (a number of ``BASES``, or -1), its standing, whether it is right."""

    basis: Array
    standing: Array
    right: Array


def fit_bases(decided: Sequence[Judged]) -> dict[str, Any]:
    """Fit every basis that decided often enough, as ``confidence.json`` holds it."""
    basis, standing, right = (np.concatenate(columns) for columns in zip(*decided, strict=True))
    maps: dict[str, Any] = {}
    for number, name in enumerate(BASES):
        rows = basis == number
        if rows.sum() >= LEAST:
            maps[name] = fit_curve(standing[rows], right[rows], PRIOR[name])
    return {"bases": maps}
