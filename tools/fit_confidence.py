"""Measure how often decisions are right on merchants that nothing has seen, by what carries them: each shipped pack's ``confidence.json``.

    python tools/fit_confidence.py --source DIR

DIR is that of train_semantic.py. For the default pack, whose book is consumers' and businesses' accounts, what was learnt from card
lines is measured on card lines: for each fold of the merchants the model and the learned merchants are rebuilt without the fold, and
the whole engine decides it, one line for each merchant, with the MCC hidden; what was learnt by heart cannot be met on merchants held
out, and is measured on the year after training (``train/card_2019_validation.csv.gz``). What people wrote (merchants, brands, rules)
is measured on the open half of the hand-labelled lines of consumers' accounts (benchmarks/consumer.py): the label of a card line is
its MCC, which the acquirer sets by a merchant's registered business, and which is no measure of whether a brand's trade is known.
Kinds of evidence that these lines lack keep what ``rayapp.scoring.confidence`` assumes.

The model's own decisions are few on those lines, and right more often than on card lines: the two books weigh alike there.

For the pack whose book is purchase cards everything is measured on card lines: what they call a thing is what is wanted.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from semantic_model.calibration import Judged, fit_bases  # noqa: E402
from semantic_model.history import fold_of, merchants, one_each, read_lines  # noqa: E402
from semantic_model.trial import CardLine, decide, decide_table, one_line  # noqa: E402
from train_semantic import FOLDS, PACK, Bench, HeldOut, held_out_pack, hold_out, set_up  # noqa: E402

from benchmarks.consumer import FILES, INPUT, half_of, read_cases  # noqa: E402
from rayapp.packs import load_pack  # noqa: E402
from rayapp.packs.files import SHIPPED  # noqa: E402
from rayapp.scoring.confidence import BASES  # noqa: E402
from rayapp.scoring.pack import CompiledPack  # noqa: E402

NEXT_YEAR = "train/card_2019_validation.csv.gz"
LEARNED = BASES.index("learned")
SEMANTIC = BASES.index("semantic")


def held_out_lines(bench: Bench, number: int) -> list[CardLine]:
    """Give one line for each merchant of a fold."""
    return one_line(one_each([merchant for merchant in bench.seen if fold_of(merchant.key, FOLDS) == number]))


def judged(pack: CompiledPack, lines: Sequence[CardLine], codes: Sequence[str]) -> Judged:
    """Decide lines and say which decisions are right."""
    verdict = decide(pack, lines)
    truth = np.array([codes.index(line.category) for line in lines])
    return Judged(verdict.basis, verdict.standing, verdict.category == truth)


def by_heart(bench: Bench, pack: CompiledPack, source: Path, codes: Sequence[str]) -> Judged:
    """Give next year's decisions on merchants learnt by heart."""
    lines = one_line(one_each(merchants(read_lines(source / NEXT_YEAR, bench.source), bench.pack)))
    got = judged(pack, lines, codes)
    return part(got, got.basis == LEARNED)


def by_consumers(pack: CompiledPack, codes: Sequence[str]) -> Judged:
    """Give the decisions on the open half of the consumers' lines that do not rest on what was learnt by heart."""
    cases = [case for file in FILES for case in read_cases(file) if half_of(case["descriptor"]) == "open"]
    columns = {name: pa.array([None if case.get(name) is None else str(case[name]) for case in cases], pa.string()) for name in INPUT}
    got = decide_table(pack, pa.table({"id": pa.array([str(place) for place in range(len(cases))]), **columns}))
    right = np.array(
        [
            codes[number] in {case["category"], *case.get("also", ())} if number >= 0 else False
            for number, case in zip(got.category, cases, strict=True)
        ]
    )
    return part(Judged(got.basis, got.standing, right), ~np.isin(got.basis, [LEARNED, -1]))


def held_out(bench: Bench, pack: CompiledPack, learnt: Sequence[HeldOut], codes: Sequence[str]) -> list[Judged]:
    """Give the decisions of a pack on each fold of the merchants, of which it has learnt nothing."""
    found = []
    for number, held in enumerate(learnt):
        got = judged(held_out_pack(bench, pack, held), held_out_lines(bench, number), codes)
        found.append(part(got, got.basis != LEARNED))
    return found


def part(got: Judged, rows: NDArray[np.bool_]) -> Judged:
    """Keep some of the decisions."""
    return Judged(*(column[rows] for column in got))


def write_fitted(name: str, decided: Sequence[Judged]) -> None:
    """Fit and write a shipped pack's ``confidence.json``, and say how right each kind of evidence was."""
    (SHIPPED[name] / "confidence.json").write_text(json.dumps(fit_bases(decided), indent=1) + "\n", "utf-8")
    for number, basis in enumerate(BASES):
        rows = np.concatenate([one.basis for one in decided]) == number
        right = np.concatenate([one.right for one in decided])[rows]
        print(f"{name}, {basis}: {rows.sum():,} decisions, {right.mean() if len(right) else 0:.3f} right", file=sys.stderr)


def main() -> None:
    """Read the arguments, decide, fit, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, required=True)
    arguments = parser.parse_args()
    bench = set_up(arguments.source, PACK)
    codes = [item.detailed for item in bench.source.categories]
    learnt = [hold_out(bench, number) for number in range(FOLDS)]
    cards = load_pack("purchase-cards")
    write_fitted("purchase-cards", [by_heart(bench, cards, arguments.source, codes), *held_out(bench, cards, learnt, codes)])
    model = [part(got, got.basis == SEMANTIC) for got in held_out(bench, bench.pack, learnt, codes)]
    consumers = by_consumers(bench.pack, codes)
    few = part(consumers, consumers.basis == SEMANTIC)
    times = sum(len(got.basis) for got in model) // max(1, len(few.basis))
    again = Judged(*(np.repeat(column, max(0, times - 1)) for column in few))
    write_fitted("default", [by_heart(bench, bench.pack, arguments.source, codes), *model, consumers, again])


if __name__ == "__main__":
    main()
