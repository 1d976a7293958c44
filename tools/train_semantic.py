"""Train the default pack's semantic model: ``semantic.safetensors``.

    python tools/train_semantic.py --source DIR [--pack DIR] [--out FILE] [--check]

DIR holds ``train/card_2011_2018.csv.gz`` and ``mcc/greggles_mcc_codes.csv``; the pack's own words (gazetteer, merchants, rules' examples,
MCC and category descriptions) and ``semantic_model/trade_words.parquet`` are learnt too. One core, three to four minutes; the same input
gives the same bytes on the same machine. A fifth of the merchants is held out first, to fit the temperature and to measure; then all are
learnt.
``--check`` measures all five folds and writes nothing.
"""

import argparse
import hashlib
import json
import math
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from build_learned import brands, learned as learned_table, write  # noqa: E402, I001
from rayapp.packs import load_pack  # noqa: E402
from rayapp.packs.reading import read_pack  # noqa: E402
from rayapp.packs.source import PackSource  # noqa: E402
from rayapp.scoring.pack import CompiledPack  # noqa: E402
from rayapp.scoring.semantic import SemanticModel, score  # noqa: E402
from semantic_model.beside import marks  # noqa: E402
from semantic_model.corpus import Text, corpus  # noqa: E402
from semantic_model.history import MOST_AMOUNTS, Merchant, fold_of, merchants, one_each, read_lines  # noqa: E402
from semantic_model.model_file import model_bytes  # noqa: E402
from semantic_model.network import Plan, learn, one_hot  # noqa: E402
from semantic_model.trial import CardLine, one_line, pack_with  # noqa: E402

PACK = ROOT / "rayapp" / "packs" / "default"
FOLDS = 5
LEAST_TEXTS = 10
"""A category with fewer texts is not a class."""
LINES = "train/card_2011_2018.csv.gz"
HOME = "CA"
"""Country of the lines."""
MCC_TEXTS = "mcc/greggles_mcc_codes.csv"
PLAN = Plan()
TEMPERATURE = 1.6
"""For models of a fold, where none is left over to fit it on."""


Array = npt.NDArray[Any]


class Bench(NamedTuple):
    """What training works with: the pack, its source, and the merchants of the card lines."""

    pack: CompiledPack
    source: PackSource
    seen: list[Merchant]
    mcc_texts: Path


class Measured(NamedTuple):
    """What a model reaches on merchants: share right by detailed and primary category, at the best temperature."""

    merchants: int
    detailed: float
    primary: float
    loss: float
    temperature: float


def set_up(source_directory: Path, pack_directory: Path) -> Bench:
    """Read the pack and the card lines."""
    pack, source = load_pack(pack_directory), read_pack(pack_directory)
    return Bench(pack, source, merchants(read_lines(source_directory / LINES, source), pack), source_directory / MCC_TEXTS)


def train(bench: Bench, seen: Sequence[Merchant], temperature: float, facts: dict[str, object], plan: Plan = PLAN) -> bytes:
    """Learn from the pack's words and the given merchants; gives the model's file."""
    texts = corpus(bench.pack, bench.source, seen, bench.mcc_texts)
    classes = _classes(texts, bench.source)
    primary = {item.detailed: item.primary for item in bench.source.categories}
    families = sorted({primary[code] for code in classes})
    number = {code: position for position, code in enumerate(classes)}
    known = [text for text in texts if text.category in number]
    target = np.array([number[text.category] for text in known])
    family = [families.index(primary[code]) for code in classes]
    wanted = one_hot(target, np.array(family), plan)
    weight = np.array([text.weight for text in known])
    learnt = learn([text.core.encode() for text in known], _sights(bench.pack, known), wanted, weight, plan)
    return model_bytes(learnt, classes, family, temperature, {**facts, "texts": len(known), "plan": plan._asdict()})


def _sights(pack: CompiledPack, texts: Sequence[Text]) -> list[npt.NDArray[np.int32]]:
    """Give the marks of texts with each of their amounts in turn, and none at all, as the default pack asks the model."""
    found = []
    for turn in range(MOST_AMOUNTS):
        amounts = [text.amounts[turn % len(text.amounts)] if text.amounts else math.nan for text in texts]
        lines = [CardLine(text.descriptor, "debit", text.category, 1, amount) for text, amount in zip(texts, amounts, strict=True)]
        found.append(marks(pack, lines))
    return [*found, np.full_like(found[0], -1)]


def _classes(texts: Sequence[Text], source: PackSource) -> list[str]:
    counted: dict[str, int] = {}
    for text in texts:
        counted[text.category] = counted.get(text.category, 0) + 1
    return [item.detailed for item in source.categories if counted.get(item.detailed, 0) >= LEAST_TEXTS and item.primary != "OTHER"]


def answers(content: bytes, bench: Bench, test: Sequence[Merchant]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Give the three best categories of each merchant and their probabilities."""
    model = SemanticModel.load(content, [item.detailed for item in bench.source.categories])
    raw = [merchant.core.encode() for merchant in test]
    beside = marks(bench.pack, one_line(test))
    offsets = np.zeros(len(raw) + 1, np.int64)
    np.cumsum([len(core) for core in raw], out=offsets[1:])
    category, probability = np.empty((len(raw), 3), np.int16), np.empty((len(raw), 3), np.float32)
    rows = np.arange(len(raw), dtype=np.int32)
    score(model, np.frombuffer(b"".join(raw), np.uint8).copy(), offsets, rows, category, probability, beside)
    return category, probability


def measure(content: bytes, bench: Bench, test: Sequence[Merchant], temperature: float) -> Measured:
    """Measure a model on merchants, one row each."""
    codes = [item.detailed for item in bench.source.categories]
    primaries = [item.primary for item in bench.source.categories]
    category, probability = answers(content, bench, test)
    truth = np.array([codes.index(merchant.categories[0][0]) for merchant in test])
    first = category[:, 0]
    family = np.array([primaries.index(name) for name in primaries])
    right = np.where(first == truth, probability[:, 0], 1 - probability[:, 0])
    loss = float(-np.log(np.maximum(right, 1e-6)).mean())
    return Measured(len(test), float((first == truth).mean()), float((family[first] == family[truth]).mean()), loss, temperature)


def fold(bench: Bench, number: int) -> Measured:
    """Train without one fold of the merchants and measure on it, at the temperature with the least loss."""
    seen = [merchant for merchant in bench.seen if fold_of(merchant.key, FOLDS) != number]
    test = one_each([merchant for merchant in bench.seen if fold_of(merchant.key, FOLDS) == number])
    content = train(bench, seen, 1.0, {})
    found = [measure(_at(content, temperature), bench, test, temperature) for temperature in np.arange(0.8, 2.0, 0.1).round(2).tolist()]
    return min(found, key=lambda one: one.loss)


class HeldOut(NamedTuple):
    """What was learnt without one fold of the merchants: the model's file, and the merchants known by heart."""

    model: bytes
    learned: pa.Table


def hold_out(bench: Bench, number: int, folds: int = FOLDS) -> HeldOut:
    """Learn without one fold of the merchants."""
    seen = [merchant for merchant in bench.seen if fold_of(merchant.key, folds) != number]
    return HeldOut(train(bench, seen, TEMPERATURE, {}), learned_table(seen, brands(bench.pack), HOME))


def held_out_pack(bench: Bench, pack: CompiledPack, held: HeldOut) -> CompiledPack:
    """Give a pack of the same taxonomy with what was learnt without a fold, and no measured confidence."""
    with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        write(held.learned, Path(file.name))
        return pack_with(pack, bench.source, held.model, Path(file.name))


def _at(content: bytes, temperature: float) -> bytes:
    """Give the same model at another temperature."""
    from safetensors.numpy import load, save

    tensors = load(content)
    tensors["temperature"] = np.array([temperature], np.float32)
    return save(tensors)


def main() -> None:
    """Read the arguments, train, report, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--pack", type=Path, default=PACK)
    parser.add_argument("--out", type=Path, default=PACK / "semantic.safetensors")
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    bench = set_up(arguments.source, arguments.pack)
    measured = []
    for number in range(FOLDS if arguments.check else 1):
        measured.append(fold(bench, number))
        print(json.dumps({"fold": number, **measured[-1]._asdict()}), file=sys.stderr, flush=True)
    if arguments.check:
        return
    sources = {name: hashlib.sha256((arguments.source / name).read_bytes()).hexdigest() for name in (LINES, MCC_TEXTS)}
    facts: dict[str, object] = {"sources": sources, "pack": bench.pack.digest, "held_out": measured[0]._asdict()}
    content = train(bench, bench.seen, measured[0].temperature, facts)
    arguments.out.write_bytes(content)
    print(f"{arguments.out}: {len(content):,} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
