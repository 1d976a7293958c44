"""A multinomial softmax over hashed features, learnt by AdaGrad one text at a time; one thread, one order, so always the same."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from rayapp.scoring.marks import PRINTED
from rayapp.scoring.ngrams import MAX_FEATURES, features
from rayapp.scoring.semantic import LANES

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
    seeds: int = 3
    """Models, each with its own order of the texts, whose weights are averaged."""


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
    wanted: Array,
    weight: Array,
    order: Array,
    rate: np.float32,
    dropped: float,
    seed: int,
) -> None:
    """Learn from every text once."""
    np.random.seed(seed)  # noqa: NPY002 - kernels have no Generator of their own seed
    lanes = weights.shape[1]
    error = np.empty(lanes, np.float32)
    kept = np.empty(MAX_FEATURES, np.int64)
    strength = np.empty(MAX_FEATURES, np.float32)
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
            bucket, step = kept[index], strength[index]
            for lane in range(lanes):
                error[lane] += step * weights[bucket, lane]
        error -= error.max()
        error[:] = np.exp(error)
        error /= error.sum()
        total = np.float32(0)
        for lane in range(lanes):
            error[lane] = weight[place] * (error[lane] - wanted[place, lane])
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


def one_hot(target: Array, family: Array, plan: Plan) -> Array:
    """Give what is wanted of each class for texts of known class: most for the class itself, some for its kin, a little for all."""
    classes = len(family)
    kin = (family[:, None] == family[None, :]).astype(np.float32)
    each = plan.smoothing / classes + plan.kinship * kin / kin.sum(axis=1, keepdims=True)
    each += (1 - plan.smoothing - plan.kinship) * np.eye(classes, dtype=np.float32)
    return each.astype(np.float32)[target]


def importance_of(buckets: Array, texts: int, size: int) -> Array:
    """Give each bucket's importance, 1..255: its inverse document frequency, log-scaled, the rarest 255."""
    frequency = np.bincount(buckets, minlength=size)
    rarity = np.log((1 + texts) / (1 + frequency)) + 1
    return np.maximum(1, np.rint(rarity / (np.log(1 + texts) + 1) * FARTHEST)).astype(np.uint8)


def learn(texts: list[bytes], marks: Sequence[Array], wanted: Array, weight: Array, plan: Plan) -> Learnt:
    """Learn ``wanted`` probabilities [texts, classes] from cores and what stands beside them.

    ``marks`` are several sights of the same texts (other amounts, or nothing beside the core): each pass sees the next of them.
    """
    sights = [features(texts, plan.buckets, beside) for beside in marks]
    importance = importance_of(sights[0][0], len(texts), plan.buckets)
    importance[np.unique(marks[0][:, PRINTED:][marks[0][:, PRINTED:] >= 0])] = FARTHEST
    classes = wanted.shape[1]
    padded = np.zeros((len(texts), -(-classes // LANES) * LANES), np.float32)
    padded[:, :classes] = wanted
    found = [_learn_once(sights, importance, padded, classes, weight, plan, seed) for seed in range(1, plan.seeds + 1)]
    weights, bias = (sum(parts) / plan.seeds for parts in zip(*found, strict=True))
    return Learnt(weights, bias, importance)


def _learn_once(  # noqa: PLR0913, PLR0917 - the parts of one task
    sights: Sequence[tuple[Array, Array]], importance: Array, wanted: Array, classes: int, weight: Array, plan: Plan, seed: int
) -> tuple[Array, Array]:
    lanes = wanted.shape[1]
    weights, bias = np.zeros((plan.buckets, lanes), np.float32), np.zeros(lanes, np.float32)
    bias[classes:] = -30
    speed, bias_speed = np.full(plan.buckets, 0.01, np.float32), np.ones(lanes, np.float32)
    value, strength, rate = importance.astype(np.float32), weight.astype(np.float32), np.float32(plan.rate)
    shuffle = np.random.default_rng(seed)
    for epoch in range(plan.epochs):
        order = shuffle.permutation(len(wanted))
        once, (buckets, offsets) = seed * 1000 + epoch, sights[epoch % len(sights)]
        _epoch(weights, bias, speed, bias_speed, buckets, offsets, value, wanted, strength, order, rate, plan.dropped, once)
    return weights[:, :classes], bias[:classes]
