"""Card lines of past years as merchants: one row for each core and category, with how often it was seen."""

import csv
import gzip
import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from rayapp.packs.source import PackSource
from rayapp.scoring.pack import CompiledPack
from semantic_model.cores import cores

MOST_AMOUNTS = 4
"""Amounts kept of a merchant."""

KEY_LETTERS = 6
"""Merchants whose cores begin with the same letters may be one merchant: they are held out together."""


class Line(NamedTuple):
    """One card line; ``category`` comes from the line's MCC through the pack's map, ``direction`` is debit or credit."""

    descriptor: str
    direction: str
    category: str
    amount: float = math.nan


class Merchant(NamedTuple):
    """A core, the descriptor that most of its lines bear, and its categories with the lines of each, most frequent first."""

    core: str
    descriptor: str
    categories: tuple[tuple[str, int], ...]
    amounts: tuple[float, ...] = ()
    """Of some lines with that descriptor, chosen by a hash of the amount."""

    @property
    def key(self) -> str:
        """The group in which the merchant is held out: the first letters of the core."""
        return "".join(filter(str.isalpha, self.core))[:KEY_LETTERS]

    @property
    def lines(self) -> int:
        """Lines seen."""
        return sum(count for _, count in self.categories)


def read_lines(path: Path, source: PackSource, least: float = 0.0) -> list[Line]:
    """Read a gzipped CSV with ``description`` and ``mcc``; lines without either, or with an MCC that the pack lacks, are left out.

    With ``least``, so are lines whose MCC says less of its category than that weight in the pack's map.
    """
    by_code = {code: item.category for item in source.mcc if item.weight >= least for code in range(item.first, item.last + 1)}
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        found = ((row, by_code.get(int(row["mcc"])) if row["mcc"].isdigit() else None) for row in rows)
        return [
            Line(row["description"], row["direction"], category, abs(float(row["amount"] or "nan")))
            for row, category in found
            if row["description"] and category
        ]


def merchants(lines: Iterable[Line], pack: CompiledPack) -> list[Merchant]:
    """Gather lines by core, sorted by core; lines whose core is empty are left out."""
    counted = Counter(lines)
    descriptors = sorted({line.descriptor for line in counted})
    core_of = dict(zip(descriptors, cores(pack, descriptors), strict=True))
    categories: defaultdict[str, Counter[str]] = defaultdict(Counter)
    printed: defaultdict[str, Counter[str]] = defaultdict(Counter)
    amounts: defaultdict[str, set[float]] = defaultdict(set)
    for line, count in counted.items():
        categories[core_of[line.descriptor]][line.category] += count
        printed[core_of[line.descriptor]][line.descriptor] += count
        amounts[line.descriptor].add(line.amount)
    usual = {core: _most(printed[core])[0][0] for core in sorted(categories) if core}
    return [Merchant(core, name, tuple(_most(categories[core])), _some(amounts[name], core)) for core, name in usual.items()]


def _some(amounts: Iterable[float], seed: str) -> tuple[float, ...]:
    """Choose a few amounts, always the same."""
    return tuple(sorted(amounts, key=lambda amount: hashlib.blake2b(f"{seed}:{amount}".encode(), digest_size=8).digest())[:MOST_AMOUNTS])


def _most(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def fold_of(key: str, folds: int, seed: int = 0) -> int:
    """Put a group into one of ``folds`` folds, always the same."""
    return int.from_bytes(hashlib.blake2b(f"{seed}:{key}".encode(), digest_size=8).digest(), "big") % folds


def one_each(found: Sequence[Merchant], most: int = 20) -> list[Merchant]:
    """Keep at most ``most`` merchants of a group, chosen by a hash of the core, so that no chain's spellings rule a figure."""
    kept: Counter[str] = Counter()
    chosen: list[Merchant] = []
    for merchant in sorted(found, key=lambda one: hashlib.blake2b(one.core.encode(), digest_size=8).digest()):
        kept[merchant.key] += 1
        if kept[merchant.key] <= most:
            chosen.append(merchant)
    return chosen
