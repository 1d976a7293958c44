"""The whole engine on merchants that it has not seen: packs rebuilt without some merchants, and their verdicts with the evidence's kind."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rayapp.packs.compile_lexicon import compile_learned
from rayapp.packs.source import PackSource
from rayapp.scoring.classifier import Classifier
from rayapp.scoring.columns import read_columns
from rayapp.scoring.engine import Engine
from rayapp.scoring.evidence import ONE, Inputs
from rayapp.scoring.pack import CompiledPack
from rayapp.scoring.semantic import SemanticModel
from semantic_model.history import Merchant

CURRENCY = "CAD"

Array = npt.NDArray[Any]


class CardLine(NamedTuple):
    """A line to decide, what is right, and how many lines it stands for."""

    descriptor: str
    direction: str
    category: str
    times: int
    amount: float = math.nan


class Verdict(NamedTuple):
    """For each descriptor: category number (-1: none), basis number (-1: none), standing (score less half the next) and confidence."""

    category: Array
    basis: Array
    standing: Array
    confidence: Array


def pack_with(pack: CompiledPack, source: PackSource, model: bytes, learned: Path) -> CompiledPack:
    """Give the pack with another semantic model and other learned merchants (a file as ``learned.parquet``), nothing measured yet."""
    codes = [item.detailed for item in source.categories]
    lent = msgspec.structs.replace(source, artefacts={"learned.parquet": learned})
    arrays, strings = compile_learned(lent, {code: number for number, code in enumerate(codes)})
    semantic = {f"semantic/{name}": array for name, array in SemanticModel.load(model, codes).arrays().items()}
    manifest = msgspec.structs.replace(pack.manifest, confidence={})
    return CompiledPack(manifest, {**pack.arrays, **arrays, **semantic}, {**pack.strings, **strings})


def with_confidence(pack: CompiledPack, fitted: dict[str, Any]) -> CompiledPack:
    """Give the pack with another calibration."""
    return CompiledPack(msgspec.structs.replace(pack.manifest, confidence=fitted), pack.arrays, pack.strings)


def one_line(found: Sequence[Merchant]) -> list[CardLine]:
    """Give one line for each merchant: its usual descriptor and category, and the amount of one of its lines."""
    return [CardLine(merchant.descriptor, "debit", merchant.categories[0][0], 1, merchant.amounts[0]) for merchant in found]


def decide(pack: CompiledPack, lines: Sequence[CardLine]) -> Verdict:
    """Decide card lines with the MCC hidden."""
    return decide_table(pack, transactions(lines))


def decide_table(pack: CompiledPack, table: pa.Table) -> Verdict:
    """Decide the rows of a table, all of which must be good."""
    confidence = Classifier(pack).classify(table)["confidence"].to_numpy()
    columns, _ = read_columns(table)
    engine = Engine(pack)
    views = engine.view(*packed(columns.descriptor.to_pylist()))
    rows = np.arange(len(columns.id), dtype=np.int32)
    inputs = Inputs(rows, columns.amount, columns.currency, columns.direction, columns.mcc, columns.country, columns.day)
    verdicts, _ = engine.judge(views, inputs)
    standing = (verdicts.score - 0.5 * verdicts.runner_up) / ONE
    return Verdict(verdicts.category.copy(), verdicts.basis.copy(), standing, np.where(verdicts.category >= 0, confidence, 0.0))


def packed(texts: Sequence[str]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Give texts as the bytes and offsets that the engine takes."""
    raw = [text.encode() for text in texts]
    offsets = np.zeros(len(raw) + 1, np.int64)
    np.cumsum([len(text) for text in raw], out=offsets[1:])
    return np.frombuffer(b"".join(raw), np.uint8).copy(), offsets


def transactions(lines: Sequence[CardLine]) -> pa.Table:
    """Give card lines as the library takes them."""
    columns = {
        "id": [str(number) for number in range(len(lines))],
        "descriptor": [line.descriptor for line in lines],
        "currency": [CURRENCY] * len(lines),
        "direction": [line.direction for line in lines],
    }
    amounts = pa.array([None if math.isnan(line.amount) else line.amount for line in lines], pa.float64())
    return pa.table({**{name: pa.array(values, pa.string()) for name, values in columns.items()}, "amount": amounts})


def without(pack: CompiledPack, part: str) -> CompiledPack:
    """Switch one signal off: a part of the score (merchant, semantic, rule), or what was learnt by heart (learned)."""
    if part == "learned":
        arrays = {name: np.zeros_like(array) if name == "learned/weight" else array for name, array in pack.arrays.items()}
        return CompiledPack(pack.manifest, arrays, pack.strings)
    if part == "semantic":
        arrays = {name: array for name, array in pack.arrays.items() if not name.startswith("semantic/")}
        return CompiledPack(pack.manifest, arrays, pack.strings)
    return CompiledPack(msgspec.structs.replace(pack.manifest, weights={**pack.manifest.weights, part: 0}), pack.arrays, pack.strings)
