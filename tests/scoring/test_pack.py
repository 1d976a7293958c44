"""A compiled pack that is cut off, damaged or made to mislead is refused when it is loaded, and never reaches a kernel."""

import math

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rayapp import Classifier
from rayapp.errors import InvalidPack
from rayapp.scoring.pack import CompiledPack

LINES = [
    "SQ *BLUE BOTTLE COFFEE 0123 OAKLAND CA",
    "ACME PAYROLL REVERSAL",
    "PURCHASE AUTHORIZED ON 01/02 WALMRT STORE DES: 4",
    "FEE \xdf\u20ac\u4e2d",
    "H&M1234 X",
]
TABLE = pa.table({"id": [str(row) for row in range(len(LINES))], "descriptor": LINES, "direction": ["debit"] * len(LINES)})


@pytest.fixture(scope="module")
def dumped(small):
    return small.pack.dump()


def works_or_is_refused(content):
    """Load a pack, and where it is taken, use it; whether it was refused."""
    try:
        pack = CompiledPack.load(content)
    except InvalidPack:
        return True
    Classifier(pack).classify(TABLE)
    return False


def test_a_dumped_pack_loads_and_decides_the_same(small, dumped):
    assert Classifier(CompiledPack.load(dumped)).classify(TABLE).equals(small.classify(TABLE))


@pytest.mark.parametrize("share", [0, 0.0001, 0.001, 0.01, 0.3, 0.7, 0.99, 0.99999])
def test_a_pack_cut_off_is_refused(dumped, share):
    assert works_or_is_refused(dumped[: math.floor(share * len(dumped))])


def changed(pack, name, array):
    """Give the pack's bytes with one array put in place of its own, or without it."""
    arrays = {key: value for key, value in pack.arrays.items() if key != name}
    if array is not None:
        arrays[name] = array
    return CompiledPack(pack.manifest, arrays, pack.strings).dump()


def test_a_pack_without_one_of_its_arrays_is_refused(small):
    for name in small.pack.arrays:
        assert works_or_is_refused(changed(small.pack, name, None)), name


def test_a_pack_with_an_array_of_another_type_is_refused(small):
    for name, array in small.pack.arrays.items():
        other = np.float32 if array.dtype != np.float32 else np.int64
        assert works_or_is_refused(changed(small.pack, name, array.astype(other))), name


def test_a_pack_with_an_array_of_another_length_is_refused(small):
    free = {"pattern/sets", "pattern/texts", "pattern/cells", "pattern/unfiltered", "near/text"}
    for name, array in small.pack.arrays.items():
        longer = np.concatenate([array, array[-1:]]) if len(array) else np.zeros((1, *array.shape[1:]), array.dtype)
        refused = works_or_is_refused(changed(small.pack, name, longer))
        assert refused or name in free | {"pattern/hits", "pattern/moves", "pattern/columns", "pattern/also", "fold/table"}, name
        if len(array) > 1:
            refused = works_or_is_refused(changed(small.pack, name, array[:-1].copy()))
            assert refused or name in free | {"pattern/columns", "pattern/also"}, name


def extremes(array):
    """Give the least and the greatest value of an array's type, and one just beyond what it holds."""
    if array.dtype.kind == "f":
        return [np.nan, np.inf]
    bounds = np.iinfo(array.dtype)
    return [bounds.min, bounds.max, min(int(array.max()) + 1, bounds.max)]


def test_a_wild_number_in_any_array_is_refused_or_harmless(small):
    for name, array in small.pack.arrays.items():
        for value in extremes(array) if array.size else ():
            for place in {0, array.size // 2, array.size - 1}:
                wild = array.copy()
                wild.reshape(-1)[place] = value
                works_or_is_refused(changed(small.pack, name, wild))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_many_wild_numbers_in_an_array_are_refused_or_harmless(small, data):
    name = data.draw(st.sampled_from(sorted(name for name, array in small.pack.arrays.items() if array.size)))
    wild = small.pack.arrays[name].copy()
    random = np.random.default_rng(data.draw(st.integers(0, 1 << 30)))
    places = random.integers(0, wild.size, max(1, wild.size // data.draw(st.sampled_from([1, 2, 100, 10_000]))))
    fill = random.integers(0, 256, (places.size, wild.dtype.itemsize), np.uint8)
    if data.draw(st.booleans()):
        fill = wild.reshape(-1)[random.integers(0, wild.size, places.size)].view(np.uint8).reshape(places.size, -1)
    wild.reshape(-1)[places] = np.ascontiguousarray(fill).view(wild.dtype).reshape(-1)
    works_or_is_refused(changed(small.pack, name, wild))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=st.floats(0, 1), bit=st.integers(0, 7))
def test_a_turned_bit_is_refused_or_harmless(dumped, where, bit):
    damaged = bytearray(dumped)
    damaged[min(math.floor(where * len(damaged)), len(damaged) - 1)] ^= 1 << bit
    works_or_is_refused(bytes(damaged))


@pytest.mark.parametrize(
    "change", [{"weights": {}}, {"weights": {"merchant": -1, "semantic": 0, "rule": 0, "mcc": 0}}, {"confidence": {"bases": 1}}]
)
def test_a_manifest_that_makes_no_sense_is_refused(small, change):
    content = CompiledPack(msgspec.structs.replace(small.pack.manifest, **change), small.pack.arrays, small.pack.strings).dump()
    with pytest.raises(InvalidPack):
        Classifier(CompiledPack.load(content))


@pytest.mark.parametrize("name", ["merchant_name", "alias_id", "rule_id", "category", "pattern"])
def test_a_string_table_of_another_length_is_refused(small, name):
    tables = small.pack.strings | {name: small.pack.strings[name][:-1]}
    with pytest.raises(InvalidPack):
        CompiledPack.load(CompiledPack(small.pack.manifest, small.pack.arrays, tables).dump())


def test_the_default_pack_refuses_wild_numbers_in_what_small_packs_lack(default):
    pack = default.pack
    for name, value in [("semantic/categories", 9999), ("semantic/families", -1), ("near/alias", 1 << 30), ("learned/category", 999)]:
        wild = pack.arrays[name].copy()
        wild[-1] = value
        with pytest.raises(InvalidPack):
            CompiledPack.load(changed(pack, name, wild))
