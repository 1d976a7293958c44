"""How often is a decision right, on a later year and on merchants that nothing has seen.

    python benchmarks/accuracy.py --source DIR [--folds N]

DIR holds ``train/card_2011_2018.csv.gz``, ``train/card_2019_validation.csv.gz`` and ``mcc/greggles_mcc_codes.csv``. The MCC is hidden from
the engine, the amount is not; the label is the MCC through the pack's map. Both shipped packs are measured: ``purchase-cards`` is meant for
such lines, the default pack is not. Rows of the table:

* the year after training: all lines, lines of merchants seen in training, and merchants that training lacks (one line each);
* merchant-disjoint: inside the training years the model, the learned merchants and the confidence are rebuilt without a fold of the
  merchants (no first six letters in common), and the model alone and the whole engine decide that fold, one line each, at most 20 alike;
* a quarter held out: the same of all years' merchants, learnt from three quarters and tried on the last (about 4,200 merchants);
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
from semantic_model.history import Line, Merchant, fold_of, merchants, one_each, read_lines  # noqa: E402
from semantic_model.trial import CardLine, Verdict, decide, one_line, with_confidence, without  # noqa: E402
from train_semantic import FOLDS, LINES, PACK, TEMPERATURE, Bench, HeldOut, held_out_pack, hold_out, measure, set_up  # noqa: E402

from rayapp.packs import load_pack  # noqa: E402
from rayapp.scoring.pack import CompiledPack  # noqa: E402

NEXT_YEAR = "train/card_2019_validation.csv.gz"
THRESHOLDS = (0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.97)
BINS = 10
CLEAR = 0.5
"""Weight in the pack's map from which on an MCC is no judgement call (4816, under which a large shop appears, is one)."""
PARTS = ("merchant", "learned", "rule", "semantic")
NORMAL = 1.96
OWN, OTHER = "purchase-cards", "default"
"""The pack that is meant for card lines, and the one that is not."""
QUARTERS = 4
PRECISE = 0.97

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
    """Give the coverage and precision at each confidence, and the most that can be covered with the precision asked for."""
    for least in THRESHOLDS:
        kept = got.confidence >= least
        coverage = float(got.weight[kept].sum() / got.weight.sum())
        primary, detailed = (wilson(right[kept], got.weight[kept]) for right in (got.primary, got.detailed))
        yield f"| {name} | {least:.2f} | {coverage:.3f} | {primary} | {detailed} |"
    primary, detailed = (f"{covered(got, right):.3f}" for right in (got.primary, got.detailed))
    yield f"| {name}: coverage at a precision of {PRECISE} | | | {primary} | {detailed} |"


def covered(got: Outcome, right: Array) -> float:
    """Give the largest part of the lines, the surest first, of which the share that is right reaches ``PRECISE``."""
    order = np.argsort(-got.confidence, kind="stable")
    lines, hits = np.cumsum(got.weight[order]), np.cumsum((right * got.weight)[order])
    last = np.append(np.diff(got.confidence[order]) != 0, True)
    good = np.flatnonzero(last & (hits >= PRECISE * lines))
    return float(lines[good[-1]] / lines[-1]) if good.size else 0.0


def joined(parts: Sequence[Outcome]) -> Outcome:
    """Put the outcomes of several folds together."""
    return Outcome(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def card_line(line: Line, count: int) -> CardLine:
    """Give a line that stands for ``count`` equal ones."""
    return CardLine(line.descriptor, line.direction, line.category, count, line.amount)


def next_year(bench: Bench, source: Path, pack: CompiledPack) -> dict[str, Outcome]:
    """Measure on the year after training."""
    lines = read_lines(source / NEXT_YEAR, bench.source)
    known = {merchant.core for merchant in bench.seen}
    printed = sorted({line.descriptor for line in lines})
    core_of = dict(zip(printed, cores(bench.pack, printed), strict=True))
    everything = [card_line(line, count) for line, count in Counter(lines).items()]
    clear = Counter(read_lines(source / NEXT_YEAR, bench.source, CLEAR))
    fresh = one_each([merchant for merchant in merchants(lines, bench.pack) if merchant.core not in known])
    return {
        "next year, all lines": outcome(bench, everything, pack),
        "next year, lines of seen merchants": outcome(bench, [line for line in everything if core_of[line.descriptor] in known], pack),
        "the same, where the MCC is no judgement call": outcome(
            bench, [card_line(line, count) for line, count in clear.items() if core_of[line.descriptor] in known], pack
        ),
        "next year, new merchants (one each)": outcome(bench, one_line(fresh), pack),
    }


def disjoint(bench: Bench, pack: CompiledPack, learnt: Sequence[HeldOut]) -> dict[str, Outcome]:
    """Measure the whole engine on each fold's merchants, and with each signal off; confidence is fitted on the other folds."""
    tests = [held_out_lines(bench, number) for number in range(len(learnt))]
    packs = [held_out_pack(bench, pack, held) for held in learnt]
    codes = [item.detailed for item in bench.source.categories]
    plain = [judged(one, test, codes) for one, test in zip(packs, tests, strict=True)]
    found = []
    for number, (one, test) in enumerate(zip(packs, tests, strict=True)):
        fitted = with_confidence(one, fit_bases([got for place, got in enumerate(plain) if place != number]))
        shipped = with_confidence(one, pack.manifest.confidence)
        both = {"": outcome(bench, test, fitted), " with the shipped confidence": outcome(bench, test, shipped)}
        found.append({**both, **{f" without {part}": outcome(bench, test, without(fitted, part)) for part in PARTS}})
    return {f"merchant-disjoint{name}": joined([one[name] for one in found]) for name in found[0]}


def quarter(bench: Bench, source: Path, packs: dict[str, CompiledPack]) -> Iterator[str]:
    """Measure the model alone and each pack on a quarter of all years' merchants."""
    lines = [line for name in (LINES, NEXT_YEAR) for line in read_lines(source / name, bench.source)]
    every = bench._replace(seen=merchants(lines, bench.pack))
    held, test = hold_out(every, 0, QUARTERS), one_each([item for item in every.seen if fold_of(item.key, QUARTERS) == 0])
    yield alone(f"a quarter held out ({len(test):,} merchants)", every, [(held, test)])
    for name, pack in packs.items():
        yield row(f"{name}: a quarter held out", outcome(every, one_line(test), held_out_pack(every, pack, held)))


def alone(name: str, bench: Bench, tried: Sequence[tuple[HeldOut, Sequence[Merchant]]]) -> str:
    """Give a row of what the model alone reaches."""
    got = [measure(held.model, bench, test, TEMPERATURE) for held, test in tried]
    lines = np.array([one.merchants for one in got], np.float64)
    primary, detailed = (wilson(np.array([getattr(one, part) for one in got]), lines) for part in ("primary", "detailed"))
    return f"| model alone: {name} | {lines.sum():,.0f} | 1.000 | {primary} | {detailed} | | |"


def tables(bench: Bench, source: Path, packs: dict[str, CompiledPack], learnt: Sequence[HeldOut]) -> Iterator[str]:
    """Give the lines of every table."""
    found = {name: {**next_year(bench, source, pack), **disjoint(bench, pack, learnt)} for name, pack in packs.items()}
    yield "| lines | n | decided | primary | detailed | macro-F1 | ECE |\n|---|---|---|---|---|---|---|"
    for name, outcomes in found.items():
        yield from (row(f"{name}: {lines}", got) for lines, got in outcomes.items())
    tests = [[item for item in one_each(bench.seen) if fold_of(item.key, FOLDS) == number] for number in range(len(learnt))]
    yield alone("merchant-disjoint", bench, list(zip(learnt, tests, strict=True)))
    yield from quarter(bench, source, packs)
    yield f"\n| {OWN}: lines | confidence from | coverage | primary right | detailed right |\n|---|---|---|---|---|"
    for lines in ("next year, all lines", "next year, lines of seen merchants", "merchant-disjoint"):
        yield from curve(lines, found[OWN][lines])
    for name in packs:
        yield f"\n| {name}, merchant-disjoint: confidence from | n | stated | right |\n|---|---|---|---|"
        shown = "merchant-disjoint" if name == OWN else "merchant-disjoint with the shipped confidence"
        for low, size, stated, right in reliability(found[name][shown]):
            yield f"| {low:.1f} | {size:,.0f} | {stated:.3f} | {right:.3f} |"


def main() -> None:
    """Read the arguments, measure, print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--folds", type=int, default=FOLDS, choices=range(2, FOLDS + 1), help="how many of the five folds to measure")
    arguments = parser.parse_args()
    bench = set_up(arguments.source, PACK)
    packs = {OWN: load_pack(OWN), OTHER: bench.pack}
    print(f"Packs {', '.join(f'{name} {pack.digest[:12]}' for name, pack in packs.items())}; card lines to {LINES}\n")
    learnt = [hold_out(bench, number) for number in range(arguments.folds)]
    for line in tables(bench, arguments.source, packs, learnt):
        print(line, flush=True)


if __name__ == "__main__":
    main()
