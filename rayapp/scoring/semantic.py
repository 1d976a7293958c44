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
from typing import Any, Final, Self, cast

import numpy as np
import numpy.typing as npt
from numba import njit
from safetensors.numpy import load as read_safetensors

from rayapp.errors import InvalidSetup

BEST: Final = 3
"""Categories returned per row."""
MAX_BYTES: Final = 512
"""Bytes of a core that are read; the rest is left aside."""
MAX_FEATURES: Final = 256
"""Distinct buckets counted per row; 256 * 127 still fits the int16 sums."""
LANES: Final = 32
"""Classes are padded to a multiple of this, for SIMD."""
NAMES: Final = ("weights", "importance", "scale", "bias", "categories", "families", "marked")
"""Arrays of a model."""
ABSENT: Final = -1
"""Category where there is none: an empty core, or fewer than three classes."""

MATRIX: Final = 2
_SLOTS: Final = 1024
_SPACE: Final = 0x20
_SHORTEST: Final = 3
_LONGEST: Final = 5
_PREFIX_FROM: Final = 4
_PREFIX_TO: Final = 8
_SEED: Final = np.uint64(0xCBF29CE484222325)
_PRIME: Final = np.uint64(0x100000001B3)
_SPREAD: Final = np.uint64(0x9E3779B97F4A7C15)
_WORD: Final = np.uint64(0xA1)
_PAIR: Final = np.uint64(0xB2)
_FIRST: Final = np.uint64(0xC3)
_PREFIX: Final = np.uint64(0xD4)
_FAR: Final = np.float32(-24.0)
_NONE: Final = np.float32(-1e30)
_LEAST: Final = np.float32(1e-30)

Array = npt.NDArray[Any]

UNMARKED = np.zeros(1, np.uint8)
"""Of a model that learnt from cores alone."""


@njit(cache=True, nogil=True, inline="always")
def _step(state: np.uint64, byte: np.uint64) -> np.uint64:
    """Take one byte into an FNV-1a state."""
    return (state ^ byte) * _PRIME


@njit(cache=True, nogil=True, inline="always")
def _bucket(state: np.uint64, kind: np.uint64, shift: np.uint64) -> np.int64:
    """Spread a hash state over the buckets, apart for each kind of feature."""
    mixed = state ^ (kind * _SPREAD)
    mixed = (mixed ^ (mixed >> np.uint64(32))) * _SPREAD
    return np.int64(mixed >> shift)


@njit(cache=True, nogil=True, inline="always")
def _add(bucket: np.int64, count: np.int64, found: Array, places: Array, seen: Array) -> np.int64:
    """Append a bucket to ``found`` unless it is there or the row is full; ``seen`` is an open-addressing set."""
    if count >= MAX_FEATURES:
        return count
    place = (bucket ^ (bucket >> 10)) & (_SLOTS - 1)
    while seen[place] >= 0:
        if seen[place] == bucket:
            return count
        place = (place + 1) & (_SLOTS - 1)
    seen[place] = bucket
    found[count] = bucket
    places[count] = place
    return count + 1


@njit(cache=True, nogil=True)
def _pieces(data: Array, start: int, end: int, shift: np.uint64, count: int, found: Array, places: Array, seen: Array) -> int:
    """Add the 3 to 5 byte pieces of the word at ``start:end`` with a space before and after it."""
    length = end - start + 2
    for first in range(length - _SHORTEST + 1):
        state = _SEED
        for size in range(min(_LONGEST, length - first)):
            place = first + size
            byte = np.uint64(_SPACE) if place in (0, length - 1) else np.uint64(data[start + place - 1])
            state = _step(state, byte)
            if size + 1 >= _SHORTEST:
                count = _add(_bucket(state, np.uint64(size), shift), count, found, places, seen)
    return count


@njit(cache=True, nogil=True)
def _prefixes(data: Array, start: int, end: int, shift: np.uint64, count: int, found: Array, places: Array, seen: Array) -> int:
    """Add the first 4 to 8 bytes of the core without its spaces, so that WAL MART and WALMART share features."""
    state = _SEED
    taken = 0
    for place in range(start, end):
        if data[place] != _SPACE:
            state = _step(state, np.uint64(data[place]))
            taken += 1
            if taken >= _PREFIX_FROM:
                count = _add(_bucket(state, _PREFIX, shift), count, found, places, seen)
            if taken == _PREFIX_TO:
                break
    return count


@njit(cache=True, nogil=True)
def _features(data: Array, start: int, end: int, shift: np.uint64, marks: Array, found: Array, places: Array, seen: Array) -> int:
    """Fill ``found`` with the distinct buckets of one core and its marks; leaves ``seen`` as it was; returns how many."""
    end = min(end, start + MAX_BYTES)
    count = _prefixes(data, start, end, shift, 0, found, places, seen)
    before = np.uint64(0)
    words = 0
    place = start
    while place < end:
        while place < end and data[place] == _SPACE:
            place += 1
        if place == end:
            break
        word = place
        state = _SEED
        while place < end and data[place] != _SPACE:
            state = _step(state, np.uint64(data[place]))
            place += 1
        count = _add(_bucket(state, _WORD, shift), count, found, places, seen)
        if words == 0:
            count = _add(_bucket(state, _FIRST, shift), count, found, places, seen)
        else:
            count = _add(_bucket(before * _PRIME + state, _PAIR, shift), count, found, places, seen)
        count = _pieces(data, word, place, shift, count, found, places, seen)
        before = state
        words += 1
    if words:
        for mark in marks:
            if mark >= 0:
                count = _add(np.int64(mark), count, found, places, seen)
    for index in range(count):
        seen[places[index]] = -1
    return count


@njit(cache=True, nogil=True)
def _feature_lists(data: Array, offsets: Array, shift: np.uint64, marks: Array, buckets: Array, ends: Array) -> None:
    """Fill ``buckets`` (room for ``MAX_FEATURES`` per row, packed) and ``ends`` with the features of every row."""
    seen = np.full(_SLOTS, -1, np.int32)
    places = np.empty(MAX_FEATURES, np.int32)
    total = 0
    for row in range(len(offsets) - 1):
        total += _features(data, offsets[row], offsets[row + 1], shift, marks[row], buckets[total:], places, seen)
        ends[row] = total


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def _score_rows(
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
    out_category: Array,
    out_probability: Array,
) -> int:
    """Score each row of ``rows``; returns -1, or the first row number or offset that lies outside the buffers."""
    seen = np.full(_SLOTS, -1, np.int32)
    places = np.empty(MAX_FEATURES, np.int32)
    found = np.empty(MAX_FEATURES, np.int32)
    sums = np.empty(weights.shape[1], np.int16)
    logits = np.empty(weights.shape[1], np.float32)
    shares = np.empty(weights.shape[1], np.float32)
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
        count = _features(data, start, end, shift, marks[index], found, places, seen)
        sums[:] = 0
        squares = np.int64(0)
        for feature in range(count):
            bucket = found[feature]
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
        _weigh(logits, categories, families, shares)
        _best(logits, categories, out_category[index], out_probability[index])
    return -1


def features(texts: Sequence[bytes], buckets: int, marks: Array | None = None) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Give the distinct buckets of each core, packed, and their offsets (n + 1); ``buckets`` is a power of two, a mark of -1 is none.

    Training calls this, so that it sees the very features of run time.
    """
    data = np.frombuffer(b"".join(texts), np.uint8)
    offsets = np.zeros(len(texts) + 1, np.int64)
    np.cumsum([len(text) for text in texts], out=offsets[1:])
    found = np.empty((len(texts) + 1) * MAX_FEATURES, np.int32)
    ends = np.zeros(len(texts) + 1, np.int64)
    shift = np.uint64(65 - buckets.bit_length())
    _feature_lists(data, offsets, shift, _no_marks(len(texts)) if marks is None else marks, found, ends[1:])
    return found[: ends[-1]].copy(), ends


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
    marks = _no_marks(len(rows)) if marks is None else marks
    if marks.dtype != np.int32 or marks.ndim != 2 or len(marks) != len(rows):
        raise ValueError(f"marks: a [{len(rows)}, any] array of int32 is needed")
    if marks.size and int(marks.max()) >= len(model.weights):
        raise ValueError("marks: a bucket that the model lacks")
    _check_answer("out_category", out_category, np.int16, len(rows))
    _check_answer("out_probability", out_probability, np.float32, len(rows))
    wrong = _score_rows(
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
        out_category,
        out_probability,
    )
    if wrong != -1 or (len(rows) and int(rows.min()) < 0):
        raise ValueError(f"row {wrong} lies outside the buffers")


def _no_marks(rows: int) -> npt.NDArray[np.int32]:
    return np.empty((rows, 0), np.int32)


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
