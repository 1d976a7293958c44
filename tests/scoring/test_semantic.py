"""The semantic signal agrees with a plain Python reading of its definition, and depends on nothing but the core."""

import json
from itertools import pairwise, product

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save

from rayapp.errors import InvalidSetup
from rayapp.scoring.ngrams import KEY_BITS, MAX_BYTES, MAX_FEATURES, features
from rayapp.scoring.semantic import BEST, NAMES, SemanticModel, score

UNITS = 64
CODES = [f"PRIMARY_{number}" for number in range(40)]
MASK = (1 << 64) - 1
PRIME, SEED, SPREAD = 0x100000001B3, 0xCBF29CE484222325, 0x9E3779B97F4A7C15

HOSTILE = {
    "nothing": b"",
    "a space": b" ",
    "spaces around": b"  BLUE   BOTTLE  ",
    "one letter": b"A",
    "one long word": b"A" * 2000,
    "many words": b"AB CD EF " * 300,
    "different long words": bytes(65 + i * i % 26 for i in range(2000)),
    "every byte": bytes(range(256)) * 4,
    "other scripts": "スターバックス コーヒー".encode(),
}
CORES = st.lists(
    st.text("ABCDE 0", max_size=40).map(str.encode) | st.binary(max_size=60) | st.sampled_from(list(HOSTILE.values())), max_size=12
)


def fnv(content: bytes) -> int:
    state = SEED
    for byte in content:
        state = (state ^ byte) * PRIME & MASK
    return state


def key_of(state: int, kind: int) -> int:
    mixed = state ^ (kind * SPREAD & MASK)
    mixed = (mixed ^ mixed >> 32) * SPREAD & MASK
    return mixed >> (64 - KEY_BITS)


def features_as_defined(core: bytes) -> list[int]:
    """Follow the module's docstring, one feature after the other."""
    core = core[:MAX_BYTES]
    words = [word for word in core.split(b" ") if word]
    squashed = b"".join(words)
    found = [key_of(fnv(squashed[:size]), 0xD4) for size in range(4, min(8, len(squashed)) + 1)]
    for place, word in enumerate(words):
        found.append(key_of(fnv(word), 0xA1))
        if place:
            found.append(key_of((fnv(words[place - 1]) * PRIME + fnv(word)) & MASK, 0xB2))
        else:
            found.append(key_of(fnv(word), 0xC3))
        fenced = b" " + word + b" "
        found += [
            key_of(fnv(fenced[at : at + size]), size - 1) for at in range(len(fenced)) for size in (3, 4, 5) if at + size <= len(fenced)
        ]
    return list(dict.fromkeys(found))[:MAX_FEATURES]


KNOWN = np.array(
    sorted(
        {
            key
            for core in [*HOSTILE.values(), b"BLUE BOTTLE", *(b"%c%c%c" % three for three in product(b"ABC ", repeat=3))]
            for key in features_as_defined(core)
        }
    ),
    np.int32,
)
"""The features that the model of these tests has learnt: not all that cores have."""


def model(seed: int = 0, classes: int = len(CODES)) -> SemanticModel:
    random = np.random.default_rng(seed)
    return SemanticModel.load(
        save(
            {
                "keys": KNOWN,
                "weights": random.integers(-127, 128, (len(KNOWN), UNITS)).astype(np.int8),
                "importance": random.integers(1, 256, len(KNOWN)).astype(np.uint8),
                "scale": random.uniform(0.1, 3, UNITS).astype(np.float32),
                "lean": random.normal(size=UNITS).astype(np.float32),
                "speaks": random.normal(size=(UNITS, classes)).astype(np.float32),
                "bias": random.normal(size=classes).astype(np.float32),
                "temperature": np.array([1.25], np.float32),
                "families": (np.arange(classes) // 4).astype(np.int16),
                "classes": np.frombuffer(json.dumps(CODES[:classes]).encode(), np.uint8),
            }
        ),
        CODES,
    )


MODEL = model()


def scored(
    cores: list[bytes], rows: list[int] | None = None, by: SemanticModel = MODEL
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.float32]]:
    offsets = np.zeros(len(cores) + 1, np.int64)
    np.cumsum([len(core) for core in cores], out=offsets[1:])
    chosen = np.array(range(len(cores)) if rows is None else rows, np.int32)
    category, probability = np.full((len(chosen), BEST), 99, np.int16), np.full((len(chosen), BEST), 99, np.float32)
    score(by, np.frombuffer(b"".join(cores), np.uint8).copy(), offsets, chosen, category, probability)
    return category, probability


@pytest.mark.parametrize("core", HOSTILE.values(), ids=HOSTILE)
def test_features_of_hostile_cores_are_as_defined(core: bytes) -> None:
    found, offsets = features([core])
    assert found.tolist() == features_as_defined(core)
    assert offsets.tolist() == [0, len(found)]


@given(CORES)
def test_features_are_as_defined_in_a_batch(cores: list[bytes]) -> None:
    found, offsets = features(cores)
    assert [found[a:b].tolist() for a, b in pairwise(offsets)] == [features_as_defined(core) for core in cores]


@given(CORES, st.randoms(use_true_random=False))
def test_a_rows_answer_does_not_depend_on_batch_or_order(cores: list[bytes], random: object) -> None:
    together = scored(cores)
    order = list(range(len(cores)))
    random.shuffle(order)  # type: ignore[attr-defined]
    shuffled = scored(cores, order)
    for place, row in enumerate(order):
        alone = scored([cores[row]])
        for whole, mixed, single in zip(together, shuffled, alone, strict=True):
            assert whole[row].tobytes() == mixed[place].tobytes() == single[0].tobytes()


@given(CORES)
def test_probabilities_are_those_of_the_defined_scores(cores: list[bytes]) -> None:
    categories, probabilities = scored(cores)
    for core, got, shares in zip(cores, categories, probabilities, strict=True):
        keys = features_as_defined(core)
        if not keys:
            assert got.tolist() == [-1] * BEST
            assert shares.tolist() == [0] * BEST
            continue
        known = np.flatnonzero(np.isin(MODEL.keys, keys))
        norm = max(1.0, np.sqrt((MODEL.importance[known].astype(float) ** 2).sum()))
        units = np.maximum(MODEL.weights[known].astype(int).sum(axis=0) * MODEL.scale / norm + MODEL.lean, 0)
        logits = (units @ MODEL.speaks.astype(float) + MODEL.bias)[: len(CODES)]
        expected = np.exp(logits - logits.max())
        expected *= np.sqrt(np.repeat(expected.reshape(-1, 4).sum(axis=1), 4))
        expected /= expected.sum()
        assert shares == pytest.approx(np.sort(expected)[::-1][:BEST], abs=1e-4)
        assert expected[got] == pytest.approx(shares, abs=1e-4)


def test_equal_scores_go_to_the_lower_category() -> None:
    arrays = MODEL.arrays()
    mute = {"speaks": np.zeros((UNITS, 32), np.float32), "bias": np.zeros(32, np.float32), "families": np.zeros(32, np.int16)}
    even = SemanticModel.from_arrays({**arrays, **mute, "categories": np.array([*range(31, 3, -1), -1, -1, -1, -1], np.int16)})
    category, probability = scored([b"BLUE BOTTLE"], by=even)
    assert category.tolist() == [[4, 5, 6]]
    assert probability == pytest.approx(1 / 28)


def test_a_class_that_the_pack_lacks_never_wins() -> None:
    content = {name: array.copy() for name, array in model().arrays().items()}
    winner = scored([b"BLUE BOTTLE"])[0][0, 0]
    content["categories"][content["categories"] == winner] = -1
    assert winner not in scored([b"BLUE BOTTLE"], by=SemanticModel.from_arrays(content))[0]


def test_arrays_come_back_as_the_same_model() -> None:
    arrays = MODEL.arrays()
    for array in arrays.values():
        array.flags.writeable = False
    again = SemanticModel.from_arrays(arrays)
    for array in arrays.values():
        array.flags.writeable = True
    cores = list(HOSTILE.values())
    assert [part.tobytes() for part in scored(cores, by=again)] == [part.tobytes() for part in scored(cores)]


@pytest.mark.parametrize("content", [b"", b"not a model", save({"weights": np.zeros((4, 4), np.int8)})])
def test_a_file_that_is_no_model_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidSetup):
        SemanticModel.load(content, CODES)


SOUND = {
    "keys": np.arange(50, dtype=np.int32),
    "weights": np.zeros((50, 32), np.int8),
    "importance": np.ones(50, np.uint8),
    "scale": np.ones(32, np.float32),
    "lean": np.zeros(32, np.float32),
    "speaks": np.zeros((32, 3), np.float32),
    "bias": np.zeros(3, np.float32),
    "families": np.zeros(3, np.int16),
    "temperature": np.ones(1, np.float32),
    "classes": np.frombuffer(json.dumps(CODES[:3]).encode(), np.uint8),
}


@pytest.mark.parametrize(
    "wrong",
    [
        {"weights": np.zeros((50, 31), np.int8)},
        {"weights": np.zeros((49, 32), np.int8)},
        {"weights": np.zeros((50, 64), np.int8)},
        {"weights": np.zeros(50, np.int8)},
        {"weights": np.zeros((50, 32), np.float32)},
        {"keys": np.zeros(50, np.int32)},
        {"keys": np.arange(-1, 49, dtype=np.int32)},
        {"keys": np.arange(50)},
        {"importance": np.ones(32, np.uint8)},
        {"importance": np.zeros(50, np.uint8)},
        {"scale": np.ones(31, np.float32)},
        {"scale": np.full(32, np.nan, np.float32)},
        {"lean": np.full(32, np.inf, np.float32)},
        {"speaks": np.zeros((32, 4), np.float32)},
        {"speaks": np.zeros((64, 3), np.float32)},
        {"speaks": np.full((32, 3), np.nan, np.float32)},
        {"bias": np.zeros(200, np.float32)},
        {"families": np.full(3, 99, np.int16)},
        {"temperature": np.zeros(1, np.float32)},
        {"classes": np.frombuffer(b'{"a": 1}', np.uint8)},
        {"classes": np.frombuffer(b"[1, 2, 3]", np.uint8)},
    ],
    ids=lambda wrong: ", ".join(f"{name} {value.dtype} {value.shape}" for name, value in wrong.items()),
)
def test_a_file_whose_parts_do_not_fit_each_other_is_refused(wrong: dict[str, npt.NDArray[np.generic]]) -> None:
    assert SemanticModel.load(save(SOUND), CODES).weights.shape == (50, 32)
    with pytest.raises(InvalidSetup):
        SemanticModel.load(save(SOUND | wrong), CODES)


@pytest.mark.parametrize("wrong", NAMES)
def test_arrays_of_a_wrong_type_or_size_are_refused(wrong: str) -> None:
    arrays = MODEL.arrays()
    with pytest.raises(InvalidSetup):
        SemanticModel.from_arrays({**arrays, wrong: arrays[wrong].astype(np.float64)})
    with pytest.raises(InvalidSetup):
        SemanticModel.from_arrays({**arrays, wrong: arrays[wrong][:-1]})


@pytest.mark.parametrize("row", [-1, 1, 2**31 - 1, -(2**31)])
def test_a_row_outside_the_buffers_is_refused(row: int) -> None:
    with pytest.raises(ValueError, match="outside"):
        scored([b"BLUE BOTTLE"], [row])


@pytest.mark.parametrize("offsets", [[0, 99], [-1, 4], [4, 0]])
def test_offsets_outside_the_data_are_refused(offsets: list[int]) -> None:
    out = np.empty((1, BEST), np.int16), np.empty((1, BEST), np.float32)
    with pytest.raises(ValueError, match="outside"):
        score(MODEL, np.zeros(8, np.uint8), np.array(offsets, np.int64), np.zeros(1, np.int32), *out)


def test_buffers_of_a_wrong_type_or_shape_are_refused() -> None:
    data, offsets, rows = np.zeros(8, np.uint8), np.array([0, 8], np.int64), np.zeros(1, np.int32)
    category, probability = np.empty((1, BEST), np.int16), np.empty((1, BEST), np.float32)
    for arguments in (
        (data.astype(np.int8), offsets, rows, category, probability),
        (data, offsets.astype(np.int32), rows, category, probability),
        (data, offsets, np.zeros(1, np.int64), category, probability),
        (data, offsets, np.zeros(2, np.int32), category, probability),
        (data[::2], offsets, rows, category, probability),
        (data, offsets, rows, category, probability.astype(np.float64)),
    ):
        with pytest.raises(ValueError, match="needed"):
            score(MODEL, *arguments)
