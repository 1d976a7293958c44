"""Checks of what programs put into a pack: the semantic model, the learned merchants and the fitted confidence."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rayapp.errors import InvalidSetup
from rayapp.packs.faults import Faults
from rayapp.packs.source import Place
from rayapp.scoring.confidence import Calibration
from rayapp.scoring.semantic import SemanticModel

COUNTRY_LETTERS = 2
LEARNED = {"core": pa.types.is_string, "category": pa.types.is_string, "n": pa.types.is_integer, "purity": pa.types.is_floating}


def check_artefacts(artefacts: Mapping[str, Path], categories: list[str], faults: Faults) -> None:
    """Read each artefact as the engine will, and add a fault for each that it would refuse."""
    readers: dict[str, Callable[[bytes], object]] = {
        "semantic.safetensors": lambda content: SemanticModel.load(content, categories),
        "confidence.json": lambda content: Calibration(_object(content)),
        "learned.parquet": _check_learned,
    }
    for name, path in artefacts.items():
        try:
            readers[name](path.read_bytes())
        except (InvalidSetup, pa.ArrowException, OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            message = str(error).removeprefix(f"{name}: ").split("\n")[0]
            faults.error(Place(name, 1), f"cannot be used: {message or type(error).__name__}")


def _object(content: bytes) -> dict[str, object]:
    found = json.loads(content)
    if not isinstance(found, dict):
        raise TypeError("not a JSON object")
    return found


def _check_learned(content: bytes) -> None:
    """Check that learned merchants have a core, a category, a count and a purity 0..1."""
    table = pq.read_table(pa.BufferReader(content))
    for name, fits in LEARNED.items():
        if name not in table.column_names:
            raise ValueError(f"missing column {name}")
        kind = table[name].type
        if not fits(kind.value_type if pa.types.is_dictionary(kind) else kind) or table[name].null_count:
            raise ValueError(f"column {name} holds {kind} or nulls")
    purity, seen = table["purity"], table["n"]
    sound = pc.and_(pc.and_(pc.greater_equal(purity, 0), pc.less_equal(purity, 1)), pc.greater_equal(seen, 0))
    if not pc.all(sound, min_count=0).as_py():
        raise ValueError("a purity is not between 0 and 1, or a count is negative")
    if "country" in table.column_names:
        for code in table["country"].unique().to_pylist():
            if code and not (len(code) == COUNTRY_LETTERS and code.isascii() and code.isupper()):
                raise ValueError(f"{code!r} is no country")
