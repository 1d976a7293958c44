"""How often is a decision right, on a later year and on merchants that nothing has seen.

    python benchmarks/accuracy.py --source DIR [--pack DIR] [--folds N]

DIR holds ``train/card_2011_2018.csv.gz``, ``train/card_2019_validation.csv.gz`` and ``mcc/greggles_mcc_codes.csv``. The MCC is hidden from
the engine; the label is the MCC through the pack's map. Rows of the table:

* the year after training: all lines, lines of merchants seen in training, and merchants that training lacks (one line each);
* merchant-disjoint: inside the training years the model, the learned merchants and the confidence are rebuilt without a fold of the
  merchants (no first six letters in common), and the whole engine decides that fold, one line each, at most 20 alike;
* each signal switched off; the part of the lines that is decided at a confidence and how often that is right; a reliability table.

Intervals are Wilson's, 95 %. The card lines are a public body's in one country: read the figures as of such lines.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

from fit_confidence import held_out_lines, judged  # noqa: E402
from semantic_model.calibration import fit_bases  # noqa: E402
from semantic_model.cores import cores  # noqa: E402
from semantic_model.history import merchants, one_each, read_lines  # noqa: E402
from semantic_model.trial import CardLine, Verdict, decide, one_line, with_confidence, without  # noqa: E402
from train_semantic import FOLDS, LINES, PACK, Bench, held_out_pack, set_up  # noqa: E402

from rayapp.scoring.pack import CompiledPack  # noqa: E402

NEXT_YEAR = "train/card_2019_validation.csv.gz"
THRESHOLDS = (0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.97)
BINS = 10
CLEAR = 0.5
"""Weight in the pack's map from which on an MCC is no judgement call (4816, under which a large shop appears, is one)."""
PARTS = ("merchant", "learned", "rule", "semantic")
NORMAL = 1.96

Array = npt.NDArray[Any]


class Outcome(NamedTuple):
    """Per line: the true and the chosen category, whether they agree (in primary), the confidence and how many lines it stands for."""

    truth: Array
    chosen: Array
    detailed: Array
    primary: Array
    confidence: Array
    weight: Array


def outcome(bench: Bench, lines: Sequence[CardLine], pack: CompiledPack) -> Outcome:
    """Decide lines (descriptor, direction, category, times) and compare."""
    codes = [item.detailed for item in bench.source.categories]
    names = [item.primary for item in bench.source.categories]
    primary = np.array([*(names.index(name) for name in names), -1])
    verdict: Verdict = decide(pack, lines)
    truth = np.array([codes.index(line.category) for line in lines])
    chosen = verdict.category.astype(np.int64)
    weight = np.array([line.times for line in lines], np.float64)
    return Outcome(truth, chosen, chosen == truth, primary[chosen] == primary[truth], verdict.confidence, weight)


def wilson(right: Array, weight: Array) -> str:
    """Give a share with its interval."""
    total = float(weight.sum())
    if total == 0:
        return "-"
    share = float((right * weight).sum() / total)
    spread = NORMAL * np.sqrt(share * (1 - share) / total + NORMAL**2 / (4 * total**2)) / (1 + NORMAL**2 / total)
    middle = (share + NORMAL**2 / (2 * total)) / (1 + NORMAL**2 / total)
    return f"{share:.3f} [{middle - spread:.3f}, {middle + spread:.3f}]"


def macro_f1(got: Outcome) -> float:
    """Give the mean over the categories that occur of the harmonic mean of precision and recall."""
    scores = []
    for category in np.unique(got.truth):
        hit = float(got.weight[(got.truth == category) & got.detailed].sum())
        size = float(got.weight[got.truth == category].sum() + got.weight[got.chosen == category].sum())
        scores.append(2 * hit / size)
    return float(np.mean(scores))


def calibration_error(got: Outcome) -> float:
    """Give the expected calibration error of the detailed category over ten equal bins."""
    return float(sum(abs(right - stated) * size for _, size, stated, right in reliability(got)) / got.weight.sum())


def reliability(got: Outcome) -> Iterator[tuple[float, float, float, float]]:
    """Give each bin's lower end, lines, mean confidence and share right."""
    number = np.minimum((got.confidence * BINS).astype(int), BINS - 1)
    for place in range(BINS):
        weight = got.weight * (number == place)
        if weight.sum():
            total = float(weight.sum())
            yield place / BINS, total, float((got.confidence * weight).sum() / total), float((got.detailed * weight).sum() / total)


def row(name: str, got: Outcome) -> str:
    """Give a row of the accuracy table."""
    decided = float(got.weight[got.chosen >= 0].sum() / got.weight.sum())
    return (
        f"| {name} | {got.weight.sum():,.0f} | {decided:.3f} | {wilson(got.primary, got.weight)} | {wilson(got.detailed, got.weight)} "
        f"| {macro_f1(got):.3f} | {calibration_error(got):.3f} |"
    )


def curve(name: str, got: Outcome) -> Iterator[str]:
    """Give the coverage and precision at each confidence."""
    for least in THRESHOLDS:
        kept = got.confidence >= least
        coverage = float(got.weight[kept].sum() / got.weight.sum())
        primary, detailed = (wilson(right[kept], got.weight[kept]) for right in (got.primary, got.detailed))
        yield f"| {name} | {least:.2f} | {coverage:.3f} | {primary} | {detailed} |"


def joined(parts: Sequence[Outcome]) -> Outcome:
    """Put the outcomes of several folds together."""
    return Outcome(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def next_year(bench: Bench, source: Path, pack: CompiledPack) -> dict[str, Outcome]:
    """Measure on the year after training."""
    lines = read_lines(source / NEXT_YEAR, bench.source)
    known = {merchant.core for merchant in bench.seen}
    printed = sorted({line.descriptor for line in lines})
    core_of = dict(zip(printed, cores(bench.pack, printed), strict=True))
    everything = [CardLine(*line, count) for line, count in Counter(lines).items()]
    clear = Counter(read_lines(source / NEXT_YEAR, bench.source, CLEAR))
    fresh = one_each([merchant for merchant in merchants(lines, bench.pack) if merchant.core not in known])
    return {
        "next year, all lines": outcome(bench, everything, pack),
        "next year, lines of seen merchants": outcome(bench, [line for line in everything if core_of[line.descriptor] in known], pack),
        "the same, where the MCC is no judgement call": outcome(
            bench, [CardLine(*line, count) for line, count in clear.items() if core_of[line.descriptor] in known], pack
        ),
        "next year, new merchants (one each)": outcome(bench, one_line(fresh), pack),
    }


def disjoint(bench: Bench, folds: int) -> Iterator[dict[str, Outcome]]:
    """Measure the whole engine on each fold's merchants, and with each signal off; confidence is fitted on the other folds."""
    packs = [held_out_pack(bench, number) for number in range(folds)]
    tests = [held_out_lines(bench, number) for number in range(folds)]
    codes = [item.detailed for item in bench.source.categories]
    plain = [judged(pack, test, codes) for pack, test in zip(packs, tests, strict=True)]
    for number, (pack, test) in enumerate(zip(packs, tests, strict=True)):
        fitted = with_confidence(pack, fit_bases([got for place, got in enumerate(plain) if place != number]))
        shipped = with_confidence(pack, bench.pack.manifest.confidence)
        both = {"": outcome(bench, test, fitted), "with the shipped confidence": outcome(bench, test, shipped)}
        yield {**both, **{f"without {part}": outcome(bench, test, without(fitted, part)) for part in PARTS}}


def main() -> None:
    """Read the arguments, measure, print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--pack", type=Path, default=PACK)
    parser.add_argument("--folds", type=int, default=FOLDS, choices=range(2, FOLDS + 1))
    arguments = parser.parse_args()
    bench = set_up(arguments.source, arguments.pack)
    print(f"Pack {bench.pack.digest}; card lines to {LINES}\n")
    shown = next_year(bench, arguments.source, bench.pack)
    found = list(disjoint(bench, arguments.folds))
    held_out = {f"merchant-disjoint {name}".strip(): joined([one[name] for one in found]) for name in found[0]}
    print("| lines | n | decided | primary | detailed | macro-F1 | ECE |\n|---|---|---|---|---|---|---|")
    print("\n".join(row(name, got) for name, got in {**shown, **held_out}.items()))
    shown["merchant-disjoint"] = held_out["merchant-disjoint"]
    print("\n| lines | confidence from | coverage | primary right | detailed right |\n|---|---|---|---|---|")
    print("\n".join(line for name, got in shown.items() for line in curve(name, got)))
    print("\n| merchant-disjoint, confidence from | n | stated | right |\n|---|---|---|---|")
    for low, size, stated, right in reliability(held_out["merchant-disjoint"]):
        print(f"| {low:.1f} | {size:,.0f} | {stated:.3f} | {right:.3f} |")


if __name__ == "__main__":
    main()
