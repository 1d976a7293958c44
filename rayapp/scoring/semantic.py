"""The semantic signal: a hashed n-gram linear model over the core of a descriptor, as numba kernels.

Features of a core text (words of ``A-Z0-9`` or bytes >= 0x80 between single spaces): the pieces of 3 to 5 bytes of every word
with a space at either end, whole words, pairs of neighbouring words, the first word, and the first 4 to 8 letters with the
spaces squashed out; in a marked model also what stands beside the core (``marks``). A feature is hashed to a bucket; equal buckets of a
row count once. The score of a class is

    scale[class] * sum(weights[bucket, class]) / sqrt(sum(importance[bucket] ** 2)) + bias[class]

with int8 weights and uint8 importance, so that both sums are exact integers and depend on neither the order nor the batch.
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
from rayapp.scoring.ngrams import MAX_FEATURES, SLOTS, Array, no_marks, row_features

BEST: Final = 3
"""Categories returned per row."""
LANES: Final = 32
"""Classes are padded to a multiple of this, for SIMD."""
NAMES: Final = ("weights", "importance", "scale", "bias", "categories", "families", "marked")
"""Arrays of a model."""
ABSENT: Final = -1
"""Category where there is none: an empty core, or fewer than three classes."""

MATRIX: Final = 2
_FAR: Final = np.float32(-24.0)
_NONE: Final = np.float32(-1e30)
_LEAST: Final = np.float32(1e-30)

UNMARKED = np.zeros(1, np.uint8)
"""Of a model that learnt from cores alone."""


class Counts(NamedTuple):
    """Scratch for one thread: the buckets of a row, and what they add up to by class."""

    seen: npt.NDArray[np.int32]
    """No bucket, between two rows."""
    places: npt.NDArray[np.int32]
    found: npt.NDArray[np.int32]
    sums: npt.NDArray[np.int16]
    logits: npt.NDArray[np.float32]
    shares: npt.NDArray[np.float32]


def new_counts(lanes: int) -> Counts:
    """Make scratch for a model with so many lanes."""
    return Counts(
        np.full(SLOTS, -1, np.int32),
        np.empty(MAX_FEATURES, np.int32),
        np.empty(MAX_FEATURES, np.int32),
        np.empty(lanes, np.int16),
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


@njit(cache=True, nogil=True, _nrt=False)
def score_rows(
    data: Array,
    offsets: Array,
    rows: Array,
    marks: Array,
    weights: Array,
    importance: Array,
    scale: Array,
    bias: Array,
    categories: Array,
    families: Array,
    counts: Counts,
    out_category: Array,
    out_probability: Array,
) -> int:
    """Score each row of ``rows``; returns -1, or the first row number or offset that lies outside the buffers."""
    sums, logits = counts.sums, counts.logits
    shift = np.uint64(64)
    span = weights.shape[0]
    while span > 1:
        span >>= 1
        shift -= np.uint64(1)
    for index in range(len(rows)):
        row = rows[index]
        if row < 0 or row >= len(offsets) - 1:
            return row
        start, end = offsets[row], offsets[row + 1]
        if start < 0 or end < start or end > len(data):
            return row
        count = row_features(data, start, end, shift, marks[index], counts.found, counts.places, counts.seen)
        sums[:] = 0
        squares = np.int64(0)
        for feature in range(count):
            bucket = counts.found[feature]
            heavy = np.int64(importance[bucket])
            squares += heavy * heavy
            for lane in range(len(sums)):
                sums[lane] += weights[bucket, lane]
        if count == 0:
            out_category[index, :] = ABSENT
            out_probability[index, :] = 0
            continue
        norm = np.float32(1.0 / np.sqrt(np.float64(squares)))
        for lane in range(len(sums)):
            logits[lane] = np.float32(sums[lane]) * scale[lane] * norm + bias[lane]
        _weigh(logits, categories, families, counts.shares)
        _best(logits, categories, out_category[index], out_probability[index])
    return -1


class SemanticModel:
    """A hashed n-gram linear model, ready to score; nothing writes to its arrays.

    They carry numpy's writeable flag all the same (a read-only array is copied): numba takes read-only arguments through a
    path that costs 50 microseconds for each call and array.
    """

    def __init__(
        self, weights: Array, importance: Array, scale: Array, bias: Array, categories: Array, families: Array, marked: Array = UNMARKED
    ) -> None:
        """Take the arrays as the kernels want them, or raise ``InvalidSetup``.

        ``weights``: int8 [buckets, lanes], buckets a power of two; ``importance``: uint8 [buckets]; ``scale`` and ``bias``:
        float32 [lanes], already divided by the temperature; ``categories``: int16 [lanes], the category id of each class, -1
        for a class that must never win (padding too); ``families``: int16 [lanes], the family of each class, 0..lanes-1; ``marked``:
        uint8 [1], whether marks were learnt.
        """
        self.weights = _checked("weights", weights, np.int8, 2)
        self.importance = _checked("importance", importance, np.uint8, 1)
        self.scale = _checked("scale", scale, np.float32, 1)
        self.bias = _checked("bias", bias, np.float32, 1)
        self.categories = _checked("categories", categories, np.int16, 1)
        self.families = _checked("families", families, np.int16, 1)
        self.marked = _checked("marked", marked, np.uint8, 1)
        buckets, lanes = self.weights.shape
        if buckets & (buckets - 1) or not buckets or lanes % LANES or len(self.importance) != buckets:
            raise InvalidSetup(f"semantic model: {buckets} buckets x {lanes} lanes do not fit together")
        if {len(self.scale), len(self.bias), len(self.categories), len(self.families)} != {lanes}:
            raise InvalidSetup(f"semantic model: scale, bias, categories and families need {lanes} entries each")
        if len(self.marked) != 1:
            raise InvalidSetup("semantic model: marked is one number")
        if int(self.families.min()) < 0 or int(self.families.max()) >= lanes:
            raise InvalidSetup(f"semantic model: families must be within 0..{lanes - 1}")
        if not (self.importance.all() and np.isfinite(self.scale).all() and np.isfinite(self.bias).all()):
            raise InvalidSetup("semantic model: importance must be positive, scale and bias finite")

    @classmethod
    def load(cls, content: bytes, categories: Sequence[str]) -> Self:
        """Read a model file; ``categories`` are the pack's detailed codes, whose positions become the category ids.

        A class of the model that the pack's taxonomy lacks never wins. Raises ``InvalidSetup`` when the file is not a model.
        """
        try:
            tensors = read_safetensors(content)
            classes = json.loads(tensors["classes"].tobytes())
            weights, temperature = tensors["weights"], float(tensors["temperature"][0])
            importance, scale, bias, families = (tensors[name] for name in ("importance", "scale", "bias", "families"))
            marked = tensors.get("marked", UNMARKED)
        except Exception as error:
            raise InvalidSetup(f"semantic model: the file cannot be read: {error}") from error
        _check_file(classes, weights, (scale, bias, families), temperature)
        known = {code: position for position, code in enumerate(categories)}
        lanes = -(-max(len(classes), 1) // LANES) * LANES
        padded = np.zeros((len(weights), lanes), np.int8)
        padded[:, : len(classes)] = weights
        return cls(
            padded,
            importance,
            _padded(scale / temperature, lanes, 0),
            _padded(bias / temperature, lanes, 0),
            _padded(np.array([known.get(code, ABSENT) for code in classes]), lanes, ABSENT).astype(np.int16),
            _padded(families, lanes, 0).astype(np.int16),
            marked,
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
    probability 0. ``marks`` [m, any] are buckets beside each core's own, for a marked model. A row's answer depends on nothing but its core
    and marks. Raises ``ValueError`` when a buffer is of the wrong type or
    shape, or a row points outside.
    """
    _check_vector("data", data, np.uint8)
    _check_vector("offsets", offsets, np.int64)
    _check_vector("rows", rows, np.int32)
    marks = no_marks(len(rows)) if marks is None else marks
    if marks.dtype != np.int32 or marks.ndim != 2 or len(marks) != len(rows):
        raise ValueError(f"marks: a [{len(rows)}, any] array of int32 is needed")
    if marks.size and int(marks.max()) >= len(model.weights):
        raise ValueError("marks: a bucket that the model lacks")
    _check_answer("out_category", out_category, np.int16, len(rows))
    _check_answer("out_probability", out_probability, np.float32, len(rows))
    wrong = score_rows(
        data,
        offsets,
        rows,
        marks,
        model.weights,
        model.importance,
        model.scale,
        model.bias,
        model.categories,
        model.families,
        new_counts(model.weights.shape[1]),
        out_category,
        out_probability,
    )
    if wrong != -1 or (len(rows) and int(rows.min()) < 0):
        raise ValueError(f"row {wrong} lies outside the buffers")


def _checked(name: str, array: Array, kind: type[np.generic], dimensions: int) -> Array:
    if array.dtype != kind or array.ndim != dimensions:
        raise InvalidSetup(f"semantic model: {name} must be {dimensions}-d {np.dtype(kind)}, not {array.ndim}-d {array.dtype}")
    return np.require(array, requirements=["C", "W", "A"])


def _check_file(classes: object, weights: Array, by_class: Sequence[Array], temperature: float) -> None:
    """Raise ``InvalidSetup`` unless a model's file has one number of each kind for each of its classes."""
    if not isinstance(classes, list) or not all(isinstance(code, str) for code in classes):
        raise InvalidSetup("semantic model: the classes are no list of codes")
    if weights.dtype != np.int8 or weights.ndim != MATRIX or weights.shape[1] != len(classes):
        raise InvalidSetup(f"semantic model: {weights.dtype} weights of shape {weights.shape} for {len(classes)} classes")
    if any(values.shape != (len(classes),) or values.dtype.kind not in "if" for values in by_class) or not temperature > 0:
        raise InvalidSetup(f"semantic model: scale, bias and families need {len(classes)} numbers each, the temperature one above 0")


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
