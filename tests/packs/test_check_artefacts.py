"""Artefacts that the engine would refuse are faults of the pack, whatever is in the file."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rayapp.packs.lint import lint_pack


def parquet(**columns):
    content = io.BytesIO()
    pq.write_table(pa.table(columns), content)
    return content.getvalue()


GOOD = {"core": ["A"], "category": ["FOOD_COFFEE"], "n": [3], "purity": [1.0]}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("confidence.json", b""),
        ("confidence.json", b"[]"),
        ("confidence.json", b"{"),
        ("confidence.json", b"[" * 100_000),
        ("confidence.json", b"\xff"),
        ("semantic.safetensors", b""),
        ("semantic.safetensors", b"\xff" * 1000),
        ("semantic.safetensors", b"\x02\0\0\0\0\0\0\0{}"),
        ("learned.parquet", b"PAR1"),
        ("learned.parquet", parquet(core=["A"])),
        ("learned.parquet", parquet(**{**GOOD, "n": ["3"]})),
        ("learned.parquet", parquet(**{**GOOD, "purity": [1.5]})),
        ("learned.parquet", parquet(**{**GOOD, "core": pa.array([None], pa.string())})),
    ],
)
def test_an_artefact_that_cannot_be_used_is_a_fault(name, content, write_pack):
    (fault,) = lint_pack(write_pack({name: content}))
    assert (fault.file, fault.line, fault.severity) == (name, 1, "error")
    assert fault.message.startswith("cannot be used: ")
    assert len(fault.message) > len("cannot be used: ")


def test_learned_merchants_may_be_dictionary_encoded(write_pack):
    content = parquet(**{**GOOD, "category": pa.array(["FOOD_COFFEE"]).dictionary_encode()})
    assert lint_pack(write_pack({"learned.parquet": content})) == []
