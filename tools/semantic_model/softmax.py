"""A multinomial softmax over hashed features, learnt by AdaGrad one text at a time; one thread, one order, so always the same."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from rayapp.scoring.semantic import LANES, MAX_FEATURES, features

Array = npt.NDArray[Any]

FARTHEST = 255
"""Importance of the rarest bucket."""


class Plan(NamedTuple):
    """How to learn; chosen by grouped cross-validation."""

    buckets: int = 1 << 16
    epochs: int = 15
    rate: float = 0.5
    dropped: float = 0.5
    """Share of a text's features that is hidden in each pass, so that no single one decides."""
    smoothing: float = 0.02
    """Probability spread over all classes."""
    kinship: float = 0.05
    """Probability spread over the classes of the same primary category."""
    seed: int = 1


class Learnt(NamedTuple):
    """Float weights [buckets, lanes], bias [lanes] and the uint8 importance of each bucket."""

    weights: Array
    bias: Array
    importance: Array


@njit(cache=True, nogil=True)
def _epoch(  # noqa: PLR0913, PLR0917 - a kernel takes arrays, not objects
    weights: Array,
    bias: Array,
    speed: Array,
    bias_speed: Array,
    buckets: Array,
    offsets: Array,
    value: Array,
    target: Array,
    weight: Array,
    order: Array,
    family: Array,
    rate: np.float32,
    dropped: float,
    smoothing: np.float32,
    kinship: np.float32,
    seed: int,
) -> float:
    """Learn from every text once; returns the mean loss."""
    np.random.seed(seed)  # noqa: NPY002 - kernels have no Generator of their own seed
    lanes = weights.shape[1]
    kin = np.bincount(family).astype(np.float32)
    error = np.empty(lanes, np.float32)
    kept = np.empty(MAX_FEATURES, np.int64)
    strength = np.empty(MAX_FEATURES, np.float32)
    loss = 0.0
    for place in order:
        count = 0
        squares = np.float32(0)
        for position in range(offsets[place], offsets[place + 1]):
            if np.random.random() >= dropped:  # noqa: NPY002 - as above
                kept[count] = buckets[position]
                strength[count] = value[buckets[position]]
                squares += strength[count] * strength[count]
                count += 1
        if count == 0:
            continue
        strength[:count] /= np.sqrt(squares)
        error[:] = bias
        for index in range(count):
            error += strength[index] * weights[kept[index]]
        error -= error.max()
        error[:] = np.exp(error)
        error /= error.sum()
        loss -= weight[place] * np.log(max(error[target[place]], np.float32(1e-9)))
        own = family[target[place]]
        for lane in range(lanes):
            expected = smoothing / lanes + (kinship / kin[own] if family[lane] == own else np.float32(0))
            expected += (np.float32(1) - smoothing - kinship) if lane == target[place] else np.float32(0)
            error[lane] = weight[place] * (error[lane] - expected)
        total = np.float32(0)
        for lane in range(lanes):
            square = error[lane] * error[lane]
            total += square
            bias_speed[lane] += square
            bias[lane] -= np.float32(0.1) * rate * error[lane] / np.sqrt(bias_speed[lane])
        for index in range(count):
            bucket = kept[index]
            speed[bucket] += strength[index] * strength[index] * total
            step = rate * strength[index] / np.sqrt(speed[bucket])
            for lane in range(lanes):
                weights[bucket, lane] -= step * error[lane]
    return loss / max(weight.sum(), 1e-9)


def importance_of(buckets: Array, texts: int, size: int) -> Array:
    """Give each bucket's importance, 1..255: its inverse document frequency, log-scaled, the rarest 255."""
    frequency = np.bincount(buckets, minlength=size)
    rarity = np.log((1 + texts) / (1 + frequency)) + 1
    return np.maximum(1, np.rint(rarity / (np.log(1 + texts) + 1) * FARTHEST)).astype(np.uint8)


def learn(texts: list[bytes], target: Array, weight: Array, family: Array, plan: Plan) -> Learnt:
    """Learn classes ``target`` (numbers below ``len(family)``) from cores; ``family`` is the primary category of each class."""
    buckets, offsets = features(texts, plan.buckets)
    importance = importance_of(buckets, len(texts), plan.buckets)
    classes = len(family)
    lanes = -(-classes // LANES) * LANES
    families = np.concatenate([family, np.full(lanes - classes, family.max() + 1)]).astype(np.int64)
    weights = np.zeros((plan.buckets, lanes), np.float32)
    bias = np.zeros(lanes, np.float32)
    bias[classes:] = -30
    speed, bias_speed = np.full(plan.buckets, 0.01, np.float32), np.ones(lanes, np.float32)
    shuffle = np.random.default_rng(plan.seed)
    for epoch in range(plan.epochs):
        order = shuffle.permutation(len(texts))
        _epoch(
            weights,
            bias,
            speed,
            bias_speed,
            buckets,
            offsets,
            importance.astype(np.float32),
            target.astype(np.int64),
            weight.astype(np.float32),
            order,
            families,
            np.float32(plan.rate),
            plan.dropped,
            np.float32(plan.smoothing),
            np.float32(plan.kinship),
            plan.seed * 1000 + epoch,
        )
    return Learnt(weights[:, :classes], bias[:classes], importance)
