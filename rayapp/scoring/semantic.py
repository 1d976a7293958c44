"""The semantic signal: a small neural network over the n-grams of a descriptor's core, as numba kernels.

Features of a core text (words of ``A-Z0-9`` or bytes >= 0x80 between single spaces): the pieces of 3 to 5 bytes of every word
with a space at either end, whole words, pairs of neighbouring words, the first word, and the first 4 to 8 letters with the spaces
squashed out; in a marked model also what stands beside the core (``marks``). A feature is known by its key (``ngrams``); equal keys of
a row count once, and keys that the model has not learnt not at all. The hidden units and the score of a class are

    unit[u]      = max(0, scale[u] * sum(weights[feature, u]) / sqrt(sum(importance[feature] ** 2)) + lean[u])
    score[class] = sum(unit[u] * speaks[u, class]) + bias[class]

with int8 weights and uint8 importance, so that both sums over features are exact integers and depend on neither the order nor the batch.
Scores divided by the temperature go through a softmax. Each class's probability is then multiplied by the square root of its family's
(the primary category's: the sum over its classes) and the products are scaled to one: a choice within a likely family is right more often
than a lone peak (on merchants held out 0.8 points more primaries are right, and as many detailed categories). ``tools/train_semantic.py``
builds the file, ``MODEL_CARD.md`` in the pack tells what it can do.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, Self, cast

import numpy as np
import numpy.typing as npt
from numba import njit
from safetensors.numpy import load as read_safetensors

from rayapp.errors import InvalidSetup
from rayapp.scoring.ngrams import KEY_BITS, MAX_FEATURES, SLOTS, Array, no_marks, row_features

BEST: Final = 3
"""Categories returned per row."""
LANES: Final = 32
"""Classes and hidden units are padded to a multiple of this, for SIMD."""
NAMES: Final = ("keys", "weights", "importance", "scale", "lean", "speaks", "bias", "categories", "families", "marked")
"""Arrays of a model."""
ABSENT: Final = -1
"""Category where there is none: an empty core, or fewer than three classes."""

MATRIX: Final = 2
_PAGE_BITS: Final = 17
_PAGE_SHIFT: Final = KEY_BITS - _PAGE_BITS
"""Keys stand in rising order; those that begin with the same 17 bits are a page, of one or two keys."""
_FAR: Final = np.float32(-24.0)
_NONE: Final = np.float32(-1e30)
_LEAST: Final = np.float32(1e-30)

UNMARKED = np.zeros(1, np.uint8)
"""Of a model that learnt from cores alone."""


class Network(NamedTuple):
    """A model's arrays as the kernels read them; the keys that begin alike are those from ``pages[page]`` to ``pages[page + 1]``."""

    pages: npt.NDArray[np.int32]
    keys: npt.NDArray[np.int32]
    weights: npt.NDArray[np.int8]
    importance: npt.NDArray[np.uint8]
    scale: npt.NDArray[np.float32]
    lean: npt.NDArray[np.float32]
    speaks: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]
    categories: npt.NDArray[np.int16]
    families: npt.NDArray[np.int16]


def no_network() -> Network:
    """Give the network of no model."""
    none, nobody = np.zeros(0, np.int32), np.zeros(0, np.int16)
    number = np.zeros(0, np.float32)
    table = np.zeros((0, 0), np.float32)
    return Network(none, none, np.zeros((0, 0), np.int8), np.zeros(0, np.uint8), number, number, table, number, nobody, nobody)


class Counts(NamedTuple):
    """Scratch for one thread: the features of a row, and what they add up to by hidden unit and by class."""

    seen: npt.NDArray[np.int32]
    """No feature, between two rows."""
    places: npt.NDArray[np.int32]
    found: npt.NDArray[np.int32]
    sums: npt.NDArray[np.int16]
    logits: npt.NDArray[np.float32]
    shares: npt.NDArray[np.float32]


def new_counts(network: Network) -> Counts:
    """Make scratch for a network."""
    units, lanes = network.speaks.shape
    return Counts(
        np.full(SLOTS, -1, np.int32),
        np.empty(MAX_FEATURES, np.int32),
        np.empty(MAX_FEATURES, np.int32),
        np.empty(units, np.int16),
        np.empty(lanes, np.float32),
        np.empty(lanes, np.float32),
    )


@njit(cache=True, nogil=True, _nrt=False)
def _weigh(logits: Array, categories: Array, families: Array, shares: Array) -> None:
    """Turn the scores in ``logits`` into probabilities that favour likely families, 0 for classes without a category."""
    top = _NONE
    for index in range(len(categories)):
        if categories[index] >= 0 and logits[index] > top:
            top = logits[index]
    shares[:] = 0
    for index in range(len(categories)):
        apart = logits[index] - top
        logits[index] = np.exp(apart) if categories[index] >= 0 and apart > _FAR else np.float32(0)
        shares[families[index]] += logits[index]
    total = np.float32(0)
    for index in range(len(categories)):
        logits[index] *= np.sqrt(shares[families[index]])
        total += logits[index]
    for index in range(len(categories)):
        logits[index] /= max(total, _LEAST)


@njit(cache=True, nogil=True, _nrt=False)
def _best(logits: Array, categories: Array, out_category: Array, out_probability: Array) -> None:
    """Write the three most probable classes, ties by category id, and take them out."""
    for rank in range(BEST):
        best = -1
        for index in range(len(categories)):
            if logits[index] > 0 and (
                best < 0 or logits[index] > logits[best] or (logits[index] == logits[best] and categories[index] < categories[best])
            ):
                best = index
        if best >= 0:
            out_category[rank] = categories[best]
            out_probability[rank] = logits[best]
            logits[best] = 0
        else:
            out_category[rank] = ABSENT
            out_probability[rank] = 0


@njit(cache=True, nogil=True, _nrt=False, inline="always")
def _row_of(key: np.int64, pages: Array, keys: Array) -> np.int64:
    """Find the model's row of a key, -1 where it has none."""
    page = key >> _PAGE_SHIFT
    for row in range(pages[page], pages[page + 1]):
        if keys[row] == key:
            return np.int64(row)
    return np.int64(-1)


@njit(cache=True, nogil=True, _nrt=False)
def _sum_features(counts: Counts, count: int, network: Network) -> np.int64:
    """Add up the weights of the features that the model knows; returns the sum of their squared importances.

    All are looked up before the first is added: what is added then waits for no look-up.
    """
    sums, weights, rows = counts.sums, network.weights, counts.places
    known, squares = 0, np.int64(0)
    for feature in range(count):
        row = _row_of(np.int64(counts.found[feature]), network.pages, network.keys)
        if row >= 0:
            rows[known] = row
            known += 1
    sums[:] = 0
    for place in range(known):
        row = rows[place]
        heavy = np.int64(network.importance[row])
        squares += heavy * heavy
        for lane in range(len(sums)):
            sums[lane] += weights[row, lane]
    return squares


@njit(cache=True, nogil=True, _nrt=False)
def _speak(counts: Counts, squares: np.int64, network: Network) -> None:
    """Write the scores of all classes, from the sums of a row's weights."""
    logits, speaks = counts.logits, network.speaks
    norm = np.float32(1.0 / np.sqrt(np.float64(squares if squares > 0 else 1)))
    for lane in range(len(logits)):
        logits[lane] = network.bias[lane]
    for unit in range(len(counts.sums)):
        value = np.float32(counts.sums[unit]) * network.scale[unit] * norm + network.lean[unit]
        if value > 0:
            for lane in range(len(logits)):
                logits[lane] += value * speaks[unit, lane]


@njit(cache=True, nogil=True, _nrt=False)
def score_rows(
    data: Array,
    offsets: Array,
    rows: Array,
    marks: Array,
    network: Network,
    counts: Counts,
    out_category: Array,
    out_probability: Array,
) -> int:
    """Score each row of ``rows``; returns -1, or the first row number or offset that lies outside the buffers."""
    for index in range(len(rows)):
        row = rows[index]
        if row < 0 or row >= len(offsets) - 1:
            return row
        start, end = offsets[row], offsets[row + 1]
        if start < 0 or end < start or end > len(data):
            return row
        count = row_features(data, start, end, marks[index], counts.found, counts.places, counts.seen)
        if count == 0:
            out_category[index, :] = ABSENT
            out_probability[index, :] = 0
            continue
        _speak(counts, _sum_features(counts, count, network), network)
        _weigh(counts.logits, network.categories, network.families, counts.shares)
        _best(counts.logits, network.categories, out_category[index], out_probability[index])
    return -1


class SemanticModel:
    """A network over n-grams, ready to score; nothing writes to its arrays.

    They carry numpy's writeable flag all the same (a read-only array is copied): numba takes read-only arguments through a
    path that costs 50 microseconds for each call and array.
    """

    def __init__(self, **arrays: Array) -> None:
        """Take the arrays as the kernels want them, or raise ``InvalidSetup``.

        ``keys``: int32 [features], rising, each below ``2 ** KEY_BITS``; ``weights``: int8 [features, units]; ``importance``: uint8
        [features]; ``scale`` and ``lean``: float32 [units]; ``speaks``: float32 [units, lanes] and ``bias``: float32 [lanes], both already
        divided by the temperature; ``categories``: int16 [lanes], the category id of each class, -1 for a class that must never win
        (padding too); ``families``: int16 [lanes], the family of each class, 0..lanes-1; ``marked``: uint8 [1], whether marks were learnt.
        """
        self.keys = _checked("keys", arrays["keys"], np.int32, 1)
        self.weights = _checked("weights", arrays["weights"], np.int8, 2)
        self.importance = _checked("importance", arrays["importance"], np.uint8, 1)
        self.scale = _checked("scale", arrays["scale"], np.float32, 1)
        self.lean = _checked("lean", arrays["lean"], np.float32, 1)
        self.speaks = _checked("speaks", arrays["speaks"], np.float32, 2)
        self.bias = _checked("bias", arrays["bias"], np.float32, 1)
        self.categories = _checked("categories", arrays["categories"], np.int16, 1)
        self.families = _checked("families", arrays["families"], np.int16, 1)
        self.marked = _checked("marked", arrays.get("marked", UNMARKED), np.uint8, 1)
        self._check_shapes()
        pages = np.searchsorted(self.keys, np.arange((1 << _PAGE_BITS) + 1, dtype=np.int64) << _PAGE_SHIFT).astype(np.int32)
        self.network = Network(pages, *(getattr(self, name) for name in Network._fields[1:]))

    def _check_shapes(self) -> None:
        """Raise ``InvalidSetup`` unless the arrays fit together and hold what the kernels count on."""
        (features, units), lanes = self.weights.shape, self.speaks.shape[1]
        if units % LANES or lanes % LANES or not units or not lanes or len(self.speaks) != units:
            raise InvalidSetup(f"semantic model: {units} units and {self.speaks.shape} of what they speak for do not fit together")
        if {len(self.keys), len(self.importance)} != {features}:
            raise InvalidSetup(f"semantic model: keys and importance need {features} entries each")
        if {len(self.scale), len(self.lean)} != {units}:
            raise InvalidSetup(f"semantic model: scale and lean need {units} entries each")
        if {len(self.bias), len(self.categories), len(self.families)} != {lanes}:
            raise InvalidSetup(f"semantic model: bias, categories and families need {lanes} entries each")
        if len(self.marked) != 1:
            raise InvalidSetup("semantic model: marked is one number")
        if features and (int(self.keys[0]) < 0 or not (self.keys[1:] > self.keys[:-1]).all()):
            raise InvalidSetup("semantic model: keys must rise from 0")
        if int(self.families.min()) < 0 or int(self.families.max()) >= lanes:
            raise InvalidSetup(f"semantic model: families must be within 0..{lanes - 1}")
        finite = all(np.isfinite(values).all() for values in (self.scale, self.lean, self.speaks, self.bias))
        if not (self.importance.all() and finite):
            raise InvalidSetup("semantic model: importance must be positive, scale, lean, speaks and bias finite")

    @classmethod
    def load(cls, content: bytes, categories: Sequence[str]) -> Self:
        """Read a model file; ``categories`` are the pack's detailed codes, whose positions become the category ids.

        A class of the model that the pack's taxonomy lacks never wins. Raises ``InvalidSetup`` when the file is not a model.
        """
        try:
            tensors = read_safetensors(content)
            classes = json.loads(tensors["classes"].tobytes())
            temperature = float(tensors["temperature"][0])
            speaks, bias, families = (tensors[name] for name in ("speaks", "bias", "families"))
            learnt = {name: tensors[name] for name in ("keys", "weights", "importance", "scale", "lean")}
            marked = tensors.get("marked", UNMARKED)
        except Exception as error:
            raise InvalidSetup(f"semantic model: the file cannot be read: {error}") from error
        _check_file(classes, speaks, (bias, families), temperature)
        known = {code: position for position, code in enumerate(categories)}
        lanes = -(-max(len(classes), 1) // LANES) * LANES
        padded = np.zeros((len(speaks), lanes), np.float32)
        padded[:, : len(classes)] = speaks / np.float32(temperature)
        return cls(
            **learnt,
            speaks=padded,
            bias=_padded(bias / temperature, lanes, 0),
            categories=_padded(np.array([known.get(code, ABSENT) for code in classes]), lanes, ABSENT).astype(np.int16),
            families=_padded(families, lanes, 0).astype(np.int16),
            marked=marked,
        )

    def arrays(self) -> dict[str, Array]:
        """Give the arrays by name, for a compiled pack."""
        return {name: getattr(self, name) for name in NAMES}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> Self:
        """Build the model from what ``arrays`` gave."""
        return cls(**{name: arrays[name] for name in NAMES})


def score(
    model: SemanticModel,
    data: npt.NDArray[np.uint8],
    offsets: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int32],
    out_category: npt.NDArray[np.int16],
    out_probability: npt.NDArray[np.float32],
    marks: npt.NDArray[np.int32] | None = None,
) -> None:
    """Write the three most probable categories of the cores numbered ``rows`` into the two [m, 3] arrays, best first.

    Core ``i`` is ``data[offsets[i]:offsets[i + 1]]``. Ties go to the lower category id. An empty core gives category -1 with
    probability 0. ``marks`` [m, any] are keys beside each core's own, for a marked model. A row's answer depends on nothing but its core
    and marks. Raises ``ValueError`` when a buffer is of the wrong type or
    shape, or a row points outside.
    """
    _check_vector("data", data, np.uint8)
    _check_vector("offsets", offsets, np.int64)
    _check_vector("rows", rows, np.int32)
    marks = no_marks(len(rows)) if marks is None else marks
    if marks.dtype != np.int32 or marks.ndim != 2 or len(marks) != len(rows):
        raise ValueError(f"marks: a [{len(rows)}, any] array of int32 is needed")
    _check_answer("out_category", out_category, np.int16, len(rows))
    _check_answer("out_probability", out_probability, np.float32, len(rows))
    wrong = score_rows(data, offsets, rows, marks, model.network, new_counts(model.network), out_category, out_probability)
    if wrong != -1 or (len(rows) and int(rows.min()) < 0):
        raise ValueError(f"row {wrong} lies outside the buffers")


def _checked(name: str, array: Array, kind: type[np.generic], dimensions: int) -> Array:
    if array.dtype != kind or array.ndim != dimensions:
        raise InvalidSetup(f"semantic model: {name} must be {dimensions}-d {np.dtype(kind)}, not {array.ndim}-d {array.dtype}")
    return np.require(array, requirements=["C", "W", "A"])


def _check_file(classes: object, speaks: Array, by_class: Sequence[Array], temperature: float) -> None:
    """Raise ``InvalidSetup`` unless a model's file has one number of each kind for each of its classes."""
    if not isinstance(classes, list) or not all(isinstance(code, str) for code in classes):
        raise InvalidSetup("semantic model: the classes are no list of codes")
    if speaks.dtype != np.float32 or speaks.ndim != MATRIX or speaks.shape[1] != len(classes):
        raise InvalidSetup(f"semantic model: {speaks.dtype} of shape {speaks.shape} speak for {len(classes)} classes")
    if any(values.shape != (len(classes),) or values.dtype.kind not in "if" for values in by_class) or not temperature > 0:
        raise InvalidSetup(f"semantic model: bias and families need {len(classes)} numbers each, the temperature one above 0")


def _check_vector(name: str, array: Array, kind: type[np.generic]) -> None:
    if array.dtype != kind or array.ndim != 1 or not array.flags.c_contiguous:
        raise ValueError(f"{name}: a C-contiguous vector of {np.dtype(kind)} is needed")


def _check_answer(name: str, array: Array, kind: type[np.generic], rows: int) -> None:
    if array.dtype != kind or array.shape != (rows, BEST) or not array.flags.c_contiguous:
        raise ValueError(f"{name}: a C-contiguous [{rows}, {BEST}] array of {np.dtype(kind)} is needed")


def _padded(values: Array, lanes: int, fill: float) -> Array:
    out = np.full(lanes, fill, np.float32)
    out[: len(values)] = values
    return cast("Array", out)
