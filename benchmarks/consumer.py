"""Measure how often a decision is right on lines of consumers' and small businesses' accounts in many countries, labelled by hand.

    python benchmarks/consumer.py [--set consumer|world] [--pack DIR] [--errors] [--names] [--json FILE]

The lines are ``tests/cases/consumer.toml`` (many countries) and ``tests/cases/us_consumer.toml`` (United States); the set "world" is
``tests/cases/world.toml``, of later and of more countries, formats and scripts. A decision is right when its detailed category is the
labelled one or one of those labelled as equally defensible; the primary category likewise. Of a line labelled OTHER_OTHER, which nobody
could place, it is right to decide nothing.

Each line belongs to one of two halves, by a hash of its descriptor. The **open** half is looked at when rules and merchants are mended;
of the **held** half only totals are ever shown, so that the distance between the two tells how far the mending fits the lines and not
the world. ``--errors`` lists failures of the open half, and has no way to list the held one's. Intervals are Wilson's, 95 %.
"""

import argparse
import csv
import hashlib
import json
import tomllib
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from rayapp import load_classifier
from rayapp.scoring.text import clean

ROOT = Path(__file__).resolve().parent.parent
CASES = ROOT / "tests" / "cases"
TAXONOMY = ROOT / "rayapp" / "packs" / "default" / "taxonomy.csv"
FILES = ("consumer.toml", "us_consumer.toml")
SETS = {"consumer": FILES, "world": ("world.toml",), "world_again": ("world_again.toml",), "world_third": ("world_third.toml",)}
HALVES = ("open", "held")
LEVELS = ("VERY_HIGH", "HIGH", "MEDIUM", "LOW")
SURE = ("VERY_HIGH", "HIGH")
MOVEMENT = frozenset({"INCOME", "LOAN_DISBURSEMENTS", "LOAN_PAYMENTS", "TRANSFER_IN", "TRANSFER_OUT", "BANK_FEES"})
BILLS = frozenset({"RENT_AND_UTILITIES", "GOVERNMENT_AND_NON_PROFIT"})
INSURANCE = "GENERAL_SERVICES_INSURANCE"
INPUT = ("descriptor", "direction", "amount", "currency", "country")
NOTHING = "OTHER_OTHER"
BINS = 10
NORMAL = 1.96


class Judged(NamedTuple):
    """A labelled line (``case``) and what the engine made of it (``row``)."""

    case: dict[str, Any]
    row: dict[str, Any]
    half: str
    detailed: bool
    primary: bool
    merchant: bool | None


def half_of(descriptor: str) -> str:
    """Say in which half a line belongs; stable for good, since it hangs on the descriptor only."""
    return HALVES[hashlib.sha256(f"half {descriptor}".encode()).digest()[0] % 2]


def group_of(case: dict[str, Any]) -> str:
    """Say whether a line is money moving, a bill of a household, or a purchase."""
    primary = primary_of(case["category"])
    if primary in MOVEMENT:
        return "money movement"
    return "bills" if primary in BILLS or case["category"] == INSURANCE else "purchases"


def primary_of(detailed: str) -> str:
    """Give the primary category of a detailed one."""
    return primaries()[detailed]


@cache
def primaries() -> dict[str, str]:
    """Read the default taxonomy: detailed category -> primary category."""
    with TAXONOMY.open(encoding="utf-8", newline="") as file:
        return {row["detailed"]: row["primary"] for row in csv.DictReader(file)}


def read_cases(file: str) -> list[dict[str, Any]]:
    """Read one file of labelled lines."""
    cases: list[dict[str, Any]] = tomllib.loads((CASES / file).read_text("utf-8"))["case"]
    return [case | {"file": file} for case in cases]


def decide(cases: Sequence[dict[str, Any]], pack: Path | None) -> list[dict[str, Any]]:
    """Classify all lines as one table."""
    columns = {name: pa.array([case.get(name) for case in cases], pa.string()) for name in INPUT}
    table = pa.table({"id": pa.array([str(index) for index in range(len(cases))]), **columns})
    rows: list[dict[str, Any]] = load_classifier(pack).classify(table).to_pylist()
    return rows


def judge(case: dict[str, Any], row: dict[str, Any]) -> Judged:
    """Compare a decision with the label."""
    right = {case["category"], *case.get("also", ())}
    found = row["category_detailed"] or NOTHING
    detailed = found in right
    primary = primary_of(found) in {primary_of(code) for code in right}
    merchant = same_name(case["merchant"], row["merchant_name"]) if "merchant" in case else None
    return Judged(case, row, half_of(case["descriptor"]), detailed, primary, merchant)


def same_name(expected: str, found: str | None) -> bool:
    """Tell whether two names are one, but for case, accents, punctuation and words that one has more at the end."""
    one, other = (letters(name) for name in (expected, found or ""))
    return bool(other) and (one.startswith(other) or other.startswith(one))


def letters(name: str) -> str:
    """Keep a name's letters and digits, folded."""
    return "".join(character for character in clean(name).replace("&", "AND") if character.isalnum())


def wilson(right: int, total: int) -> str:
    """Give a share with its interval."""
    if not total:
        return "    -"
    share = right / total
    bottom = 1 + NORMAL**2 / total
    middle = (share + NORMAL**2 / (2 * total)) / bottom
    spread = NORMAL * (share * (1 - share) / total + NORMAL**2 / (4 * total**2)) ** 0.5 / bottom
    return f"{100 * share:5.1f} [{100 * (middle - spread):4.1f}, {100 * (middle + spread):5.1f}]"


def share(lines: Sequence[Judged], right: Callable[[Judged], bool]) -> str:
    """Give the share of lines that are right."""
    return wilson(sum(map(right, lines)), len(lines))


def report_accuracy(title: str, parts: dict[str, list[Judged]]) -> None:
    """Print a table of parts: detailed, primary, merchant."""
    print(f"\n{title:<24} {'lines':>6}  {'detailed %':<22} {'primary %':<22} {'merchant %':<22} unclassified")
    for name, lines in parts.items():
        named = [line for line in lines if line.merchant is not None]
        none = sum(line.row["status"] == "unclassified" for line in lines)
        shares = (
            share(lines, lambda line: line.detailed),
            share(lines, lambda line: line.primary),
            share(named, lambda line: bool(line.merchant)),
        )
        print(f"{name:<24} {len(lines):>6}  " + " ".join(f"{text:<22}" for text in shares) + f" {none}")


def report_calibration(name: str, lines: Sequence[Judged]) -> None:
    """Print what each level promises and keeps, the expected calibration error, and what is decided surely; of what is decided at all."""
    print(f"\nCalibration, {name}\n{'level':<24} {'lines':>6}  promised %  kept % (detailed)")
    for level in LEVELS:
        part = [line for line in lines if line.row["level"] == level]
        if part:
            promised = sum(line.row["confidence"] for line in part) / len(part)
            print(f"{level:<24} {len(part):>6}  {100 * promised:10.1f}  {share(part, lambda line: line.detailed)}")
    print(f"{'expected error (ECE)':<24} {100 * calibration_error(lines):>17.1f}")
    for least in (SURE[:1], SURE):
        part = [line for line in lines if line.row["level"] in least]
        print(f"{' or '.join(least):<24} coverage {wilson(len(part), len(lines))}  precision {share(part, lambda line: line.detailed)}")


def calibration_error(lines: Sequence[Judged]) -> float:
    """Give the mean distance between promised and kept over bins of confidence, weighted by their lines."""
    bins: dict[int, list[Judged]] = {}
    for line in lines:
        bins.setdefault(min(BINS - 1, int(BINS * line.row["confidence"])), []).append(line)
    distances = (abs(sum(float(line.row["confidence"]) - line.detailed for line in part)) for part in bins.values())
    return sum(distances) / max(1, len(lines))


def split(lines: Sequence[Judged], key: Callable[[Judged], str]) -> dict[str, list[Judged]]:
    """Part lines by a key, the fullest part first."""
    parts: dict[str, list[Judged]] = {}
    for line in lines:
        parts.setdefault(key(line), []).append(line)
    return dict(sorted(parts.items(), key=lambda part: -len(part[1])))


def print_errors(lines: Sequence[Judged]) -> None:
    """List the open half's failures, the surest first."""
    wrong = [line for line in lines if line.half == "open" and not line.detailed]
    for line in sorted(wrong, key=lambda line: -line.row["confidence"]):
        row, case = line.row, line.case
        told = " ".join(case.get(name, "--") for name in ("market", "country", "direction", "amount", "currency"))
        print(f"\n{told}  {case['descriptor']}")
        print(f"   expected {case['category']}  found {row['category_detailed']} {row['level']} {row['confidence']:.2f}")
        signals = f"{row['merchant_score']:.2f}/{row['semantic_score']:.2f}/{row['rule_score']:.2f}"
        print(f"   merchant {row['merchant_name']!r} ({row['alias_id']})  signals {signals}  rules {', '.join(row['rule_ids'] or ())}")


def print_wrong_names(lines: Sequence[Judged]) -> None:
    """List the open half's merchants that a person would name otherwise."""
    for line in lines:
        if line.half == "open" and line.merchant is False:
            case = line.case
            print(f"{case['market']} {case['descriptor']}: {line.row['merchant_name']!r}, a person says {case['merchant']!r}")


def report(lines: Sequence[Judged]) -> None:
    """Print all tables, of both files and both halves."""
    report_accuracy("all", {"all": list(lines)})
    report_accuracy("half", split(lines, lambda line: line.half))
    report_accuracy("file", split(lines, lambda line: f"{line.case['file']} {line.half}"))
    report_accuracy("group", split(lines, lambda line: f"{group_of(line.case)} {line.half}"))
    report_accuracy("country told", split(lines, lambda line: str("country" in line.case)))
    report_accuracy("market", split(lines, lambda line: line.case["market"]))
    for half in HALVES:
        report_calibration(half, [line for line in lines if line.half == half and line.row["status"] != "unclassified"])


def totals(lines: Sequence[Judged]) -> dict[str, dict[str, float]]:
    """Give the main figures of each half, for comparison over time."""
    found = {}
    for half, part in split(lines, lambda line: line.half).items():
        sure = [line for line in part if line.row["level"] in SURE]
        found[half] = {
            "lines": len(part),
            "detailed": sum(line.detailed for line in part) / len(part),
            "primary": sum(line.primary for line in part) / len(part),
            "ece": calibration_error(part),
            "sure_coverage": len(sure) / len(part),
            "sure_precision": sum(line.detailed for line in sure) / max(1, len(sure)),
        }
    return found


def main() -> None:
    """Decide, judge, report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--set", choices=SETS, default="consumer", help="which lines")
    parser.add_argument("--pack", type=Path, help="a pack's directory or file; the default pack without it")
    parser.add_argument("--errors", action="store_true", help="list the open half's failures")
    parser.add_argument("--names", action="store_true", help="list the open half's merchants that a person would name otherwise")
    parser.add_argument("--json", type=Path, help="write the main figures here")
    chosen = parser.parse_args()
    cases = [case for file in SETS[chosen.set] for case in read_cases(file)]
    lines = [judge(case, row) for case, row in zip(cases, decide(cases, chosen.pack), strict=True)]
    report(lines)
    if chosen.errors:
        print_errors(lines)
    if chosen.names:
        print_wrong_names(lines)
    if chosen.json:
        chosen.json.write_text(json.dumps(totals(lines), indent=1) + "\n")


if __name__ == "__main__":
    main()
