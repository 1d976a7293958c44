"""Measure how often decisions are right on merchants that nothing has seen, by what carries them: ``confidence.json``.

    python tools/fit_confidence.py --source DIR [--pack DIR] [--out FILE]

DIR is that of train_semantic.py. For each of five folds of the merchants the model and the learned merchants are rebuilt without the
fold, and the whole engine decides it, one line for each merchant, with the MCC hidden. What was learnt by heart cannot be met on merchants
held out: its decisions are those on the year after training (``train/card_2019_validation.csv.gz``), one line for each merchant. Kinds of
evidence that these lines lack keep what ``rayapp.scoring.confidence`` assumes.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from semantic_model.calibration import Judged, fit_bases  # noqa: E402
from semantic_model.history import fold_of, merchants, one_each, read_lines  # noqa: E402
from semantic_model.trial import CardLine, decide, one_line  # noqa: E402
from train_semantic import FOLDS, PACK, Bench, held_out_pack, set_up  # noqa: E402

from rayapp.scoring.confidence import BASES  # noqa: E402
from rayapp.scoring.pack import CompiledPack  # noqa: E402

NEXT_YEAR = "train/card_2019_validation.csv.gz"
LEARNED = BASES.index("learned")


def held_out_lines(bench: Bench, number: int) -> list[CardLine]:
    """Give one line for each merchant of a fold."""
    return one_line(one_each([merchant for merchant in bench.seen if fold_of(merchant.key, FOLDS) == number]))


def judged(pack: CompiledPack, lines: Sequence[CardLine], codes: Sequence[str]) -> Judged:
    """Decide lines and say which decisions are right."""
    verdict = decide(pack, lines)
    truth = np.array([codes.index(line.category) for line in lines])
    return Judged(verdict.basis, verdict.standing, verdict.category == truth)


def by_heart(bench: Bench, source: Path, codes: Sequence[str]) -> Judged:
    """Give next year's decisions on merchants learnt by heart."""
    lines = one_line(one_each(merchants(read_lines(source / NEXT_YEAR, bench.source), bench.pack)))
    got = judged(bench.pack, lines, codes)
    rows = got.basis == LEARNED
    return Judged(*(column[rows] for column in got))


def main() -> None:
    """Read the arguments, decide, fit, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--pack", type=Path, default=PACK)
    parser.add_argument("--out", type=Path, default=PACK / "confidence.json")
    arguments = parser.parse_args()
    bench = set_up(arguments.source, arguments.pack)
    codes = [item.detailed for item in bench.source.categories]
    decided = [by_heart(bench, arguments.source, codes)]
    for number in range(FOLDS):
        got = judged(held_out_pack(bench, number), held_out_lines(bench, number), codes)
        rows = got.basis != LEARNED
        decided.append(Judged(*(column[rows] for column in got)))
    fitted = fit_bases(decided)
    arguments.out.write_text(json.dumps(fitted, indent=1) + "\n", "utf-8")
    for number, name in enumerate(BASES):
        rows = np.concatenate([one.basis for one in decided]) == number
        right = np.concatenate([one.right for one in decided])[rows]
        print(f"{name}: {rows.sum():,} decisions, {right.mean() if len(right) else 0:.3f} right", file=sys.stderr)


if __name__ == "__main__":
    main()
