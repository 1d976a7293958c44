"""A network of one hidden layer over n-grams, learnt by AdaGrad one text at a time; one thread, one order, so always the same."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from rayapp.scoring.marks import PRINTED
from rayapp.scoring.ngrams import MAX_FEATURES, features

Array = npt.NDArray[Any]

FARTHEST = 255
"""Importance of the rarest feature."""
LEAST_TEXTS = 2
"""A feature of fewer texts is not learnt."""


class Plan(NamedTuple):
    """How to learn; chosen by grouped cross-validation."""

    features: int = 195_000
    """Features kept, those of the weightiest texts."""
    units: int = 64
    epochs: int = 30
    averaged: int = 10
    """Passes at the end whose weights are averaged."""
    whole: float = 0.3
    """A text that weighs less is seen in that share of the passes that its weight is of this, and then weighs as much."""
    rate: float = 0.1
    """Of the features' weights; that of what the units speak for is a fifth."""
    dropped: float = 0.5
    """Share of a text's features that is hidden in each pass, so that no single one decides."""
    silenced: float = 0.2
    """Share of the units that is silenced in each pass."""
    smoothing: float = 0.02
    """Probability spread over all classes."""
    kinship: float = 0.05
    """Probability spread over the classes of the same primary category."""
    seed: int = 1


class Learnt(NamedTuple):
    """Rising int32 keys [features], their float weights [features, units] and uint8 importance, and the layer above.

    ``lean`` [units] is what a unit gives of itself, ``speaks`` [units, classes] what it says of each class, ``bias`` [classes].
    """

    keys: Array
    weights: Array
    importance: Array
    lean: Array
    speaks: Array
    bias: Array


class Paces(NamedTuple):
    """Sums of squared steps so far, from which AdaGrad tells how far to go: of features, of units, and of the layer above."""

    weights: Array
    lean: Array
    speaks: Array
    bias: Array


class Drawn(NamedTuple):
    """The features of a text that are seen in one pass, and how strongly."""

    rows: Array
    strength: Array


class Units(NamedTuple):
    """What each hidden unit gives, how far it is open (0: silent), and its part in the error."""

    value: Array
    open: Array
    blame: Array


@njit(cache=True, nogil=True, fastmath=True)
def _draw(rows: Array, value: Array, dropped: float, out: Drawn) -> Drawn:
    """Choose which of a text's features are seen, and how strongly."""
    count, squares = 0, np.float32(0)
    for row in rows:
        if np.random.random() >= dropped:  # noqa: NPY002 - kernels have no Generator of their own seed
            out.rows[count], out.strength[count] = row, value[row]
            squares += value[row] * value[row]
            count += 1
    out.strength[:count] /= np.sqrt(max(squares, np.float32(1e-9)))
    return Drawn(out.rows[:count], out.strength[:count])


@njit(cache=True, nogil=True, fastmath=True)
def _rise(learnt: Learnt, drawn: Drawn, silenced: float, units: Units, chance: Array) -> None:
    """Go up through the network: what the units give, and the probabilities of the classes."""
    units.value[:] = learnt.lean
    for index in range(len(drawn.rows)):
        row, step = drawn.rows[index], drawn.strength[index]
        for lane in range(len(units.value)):
            units.value[lane] += step * learnt.weights[row, lane]
    chance[:] = learnt.bias
    for lane in range(len(units.value)):
        heard = units.value[lane] > 0 and np.random.random() >= silenced  # noqa: NPY002 - as above
        units.open[lane] = np.float32(1 / (1 - silenced)) if heard else np.float32(0)
        units.value[lane] *= units.open[lane]
        if heard:
            for place in range(len(chance)):
                chance[place] += units.value[lane] * learnt.speaks[lane, place]
    chance -= chance.max()
    chance[:] = np.exp(chance)
    chance /= chance.sum()


@njit(cache=True, nogil=True, fastmath=True)
def _mend_above(learnt: Learnt, pace: Paces, units: Units, error: Array, rate: np.float32) -> None:
    """Correct what the units speak for by the errors of the classes, and tell each unit's blame."""
    for place in range(len(error)):
        pace.bias[place] += error[place] * error[place]
        learnt.bias[place] -= np.float32(0.1) * rate * error[place] / np.sqrt(pace.bias[place])
    for lane in range(len(units.value)):
        units.blame[lane] = 0
        if units.open[lane] == 0:
            continue
        blame = np.float32(0)
        for place in range(len(error)):
            blame += learnt.speaks[lane, place] * error[place]
        for place in range(len(error)):
            slope = units.value[lane] * error[place]
            pace.speaks[lane, place] += slope * slope
            learnt.speaks[lane, place] -= rate * slope / np.sqrt(pace.speaks[lane, place])
        units.blame[lane] = blame * units.open[lane]


@njit(cache=True, nogil=True, fastmath=True)
def _mend_below(learnt: Learnt, pace: Paces, drawn: Drawn, blame: Array, rate: np.float32) -> None:
    """Correct the weights of a text's features by the blame of the units."""
    total = np.float32(0)
    for lane in range(len(blame)):
        square = blame[lane] * blame[lane]
        total += square
        pace.lean[lane] += square
        learnt.lean[lane] -= np.float32(0.1) * rate * blame[lane] / np.sqrt(pace.lean[lane])
    if total == 0:
        return
    for index in range(len(drawn.rows)):
        row, strength = drawn.rows[index], drawn.strength[index]
        pace.weights[row] += strength * strength * total
        step = rate * strength / np.sqrt(pace.weights[row])
        for lane in range(len(blame)):
            learnt.weights[row, lane] -= step * blame[lane]


@njit(cache=True, nogil=True, fastmath=True)
def _epoch(  # noqa: PLR0913, PLR0917 - a kernel takes arrays, not objects
    learnt: Learnt,
    pace: Paces,
    rows: Array,
    offsets: Array,
    value: Array,
    wanted: Array,
    weight: Array,
    order: Array,
    rates: tuple[np.float32, np.float32],
    hidden: tuple[float, float],
    seed: int,
) -> None:
    """Learn from every text once; ``rates`` and ``hidden`` (shares of what is dropped) are of features and of units."""
    np.random.seed(seed)  # noqa: NPY002 - as above
    size, classes = learnt.speaks.shape
    units = Units(np.empty(size, np.float32), np.empty(size, np.float32), np.empty(size, np.float32))
    error = np.empty(classes, np.float32)
    room = Drawn(np.empty(MAX_FEATURES, np.int64), np.empty(MAX_FEATURES, np.float32))
    for place in order:
        drawn = _draw(rows[offsets[place] : offsets[place + 1]], value, hidden[0], room)
        if len(drawn.rows) == 0:
            continue
        _rise(learnt, drawn, hidden[1], units, error)
        for lane in range(classes):
            error[lane] = weight[place] * (error[lane] - wanted[place, lane])
        _mend_above(learnt, pace, units, error, rates[1])
        _mend_below(learnt, pace, drawn, units.blame, rates[0])


def one_hot(target: Array, family: Array, plan: Plan) -> Array:
    """Give what is wanted of each class for texts of known class: most for the class itself, some for its kin, a little for all."""
    classes = len(family)
    kin = (family[:, None] == family[None, :]).astype(np.float32)
    each = plan.smoothing / classes + plan.kinship * kin / kin.sum(axis=1, keepdims=True)
    each += (1 - plan.smoothing - plan.kinship) * np.eye(classes, dtype=np.float32)
    return each.astype(np.float32)[target]


class Sight(NamedTuple):
    """Keys of every text, packed, and their offsets (texts + 1)."""

    keys: Array
    offsets: Array


def chosen(sights: Sequence[Sight], weight: Array, plan: Plan) -> Array:
    """Choose the features to learn: those of enough texts, and of these the ones whose texts weigh most together; rising keys."""
    keys = np.concatenate([sight.keys for sight in sights])
    weights = np.concatenate([np.repeat(weight, np.diff(sight.offsets)) for sight in sights])
    known, place = np.unique(keys, return_inverse=True)
    often = np.bincount(place) >= LEAST_TEXTS * len(sights)
    heavy = np.where(often, np.bincount(place, weights), 0)
    return np.sort(known[np.argsort(-heavy, kind="stable")[: min(plan.features, int(often.sum()))]]).astype(np.int32)


def rows_of(sight: Sight, keys: Array) -> Sight:
    """Give a sight's keys as their places in ``keys``, without those that are not there."""
    place = np.searchsorted(keys, sight.keys)
    known = keys[np.minimum(place, len(keys) - 1)] == sight.keys
    return Sight(place[known].astype(np.int64), np.concatenate([[0], np.cumsum(known)])[sight.offsets])


def importance_of(sight: Sight, size: int) -> Array:
    """Give each feature's importance, 1..255: its inverse document frequency, log-scaled, the rarest 255."""
    texts = len(sight.offsets) - 1
    rarity = np.log((1 + texts) / (1 + np.bincount(sight.keys, minlength=size))) + 1
    return np.maximum(1, np.rint(rarity / (np.log(1 + texts) + 1) * FARTHEST)).astype(np.uint8)


def learn(texts: list[bytes], marks: Sequence[Array], wanted: Array, weight: Array, plan: Plan) -> Learnt:
    """Learn ``wanted`` probabilities [texts, classes] from cores and what stands beside them.

    ``marks`` are several sights of the same texts (other amounts, or nothing beside the core): each pass sees the next of them.
    """
    seen = [Sight(*features(texts, beside)) for beside in marks]
    keys = chosen(seen, weight, plan)
    sights = [rows_of(sight, keys) for sight in seen]
    importance = importance_of(sights[0], len(keys))
    printed = marks[0][:, :PRINTED]
    importance[np.isin(keys, printed[printed >= 0])] = FARTHEST
    start = _start(keys, importance, wanted.shape[1], plan)
    return _averaged(start, sights, wanted, weight, plan)


def _start(keys: Array, importance: Array, classes: int, plan: Plan) -> Learnt:
    """Give a network that has learnt nothing."""
    random = np.random.default_rng(plan.seed)
    return Learnt(
        keys,
        (random.standard_normal((len(keys), plan.units)) * 0.05).astype(np.float32),
        importance,
        np.full(plan.units, 0.1, np.float32),
        (random.standard_normal((plan.units, classes)) * 0.3 / np.sqrt(plan.units)).astype(np.float32),
        np.zeros(classes, np.float32),
    )


def _averaged(learnt: Learnt, sights: Sequence[Sight], wanted: Array, weight: Array, plan: Plan) -> Learnt:
    """Learn for all passes; gives the mean of what was known after each of the last ones."""
    random = np.random.default_rng([plan.seed, plan.epochs])
    slow = [np.full_like(part, 0.01) for part in (learnt.weights[:, 0], learnt.speaks)]
    pace = Paces(slow[0], np.ones_like(learnt.lean), slow[1], np.ones_like(learnt.bias))
    value, chance = learnt.importance.astype(np.float32) / FARTHEST, np.minimum(weight / plan.whole, 1)
    strength = (weight / chance).astype(np.float32)
    rates, hidden = (np.float32(plan.rate), np.float32(plan.rate / 5)), (plan.dropped, plan.silenced)
    known = [np.zeros_like(part) for part in _moving(learnt)]
    for epoch in range(plan.epochs):
        order, (rows, offsets) = random.permutation(len(wanted)), sights[epoch % len(sights)]
        order = order[random.random(len(order)) < chance[order]]
        _epoch(learnt, pace, rows, offsets, value, wanted, strength, order, rates, hidden, plan.seed * 1000 + epoch)
        if epoch >= plan.epochs - plan.averaged:
            for mean, part in zip(known, _moving(learnt), strict=True):
                np.add(mean, part / plan.averaged, out=mean)
    weights, lean, speaks, bias = known
    return Learnt(learnt.keys, weights, learnt.importance, lean, speaks, bias)


def _moving(learnt: Learnt) -> tuple[Array, Array, Array, Array]:
    """Give what changes while a network learns."""
    return learnt.weights, learnt.lean, learnt.speaks, learnt.bias
