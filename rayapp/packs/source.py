"""A rule pack as its authors wrote it, read into messages: every value checked and typed, nothing compiled yet.

Each message says where it was written (``place``), so that whoever finds a fault later can name the file and the line.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Literal

import msgspec
import pyarrow as pa

FlowDirection = Literal["debit", "credit"]
CategoryDirection = Literal["debit", "credit", "both"]
AliasMatch = Literal["", "first", "weak", "exact"]
StarUse = Literal["needed", "optional", "none"]
PhraseKind = Literal["noise", "noise_start", "noise_end", "tail", "tail_colon", "head", "head_colon", "dated", "legal", "generic", "word"]
Combine = Literal["strongest", "sum"]

BASE = "default:"
"""Stands before the names of the files that a pack takes from the one that it extends."""


class Place(msgspec.Struct, frozen=True):
    """Where something was written: ``file`` relative to its pack, with ``/``, and the one-based ``line``."""

    file: str
    line: int


class Weights(msgspec.Struct, frozen=True):
    """The most that each part of the evidence can add to a category's score, each 0..1."""

    merchant: float = 0.6
    semantic: float = 0.2
    rule: float = 0.2
    mcc: float = 0.2


class Levels(msgspec.Struct, frozen=True):
    """The least confidence of each level; what is below ``medium`` is LOW."""

    very_high: float = 0.97
    high: float = 0.90
    medium: float = 0.60


class Thresholds(msgspec.Struct, frozen=True):
    """Scores at which the engine changes what it does."""

    decided: float = 0.30
    """From this merchant contribution on the semantic signal is not asked."""
    unclassified: float = 0.02
    """A best score below this leaves the transaction unclassified."""


class CategorySource(msgspec.Struct, frozen=True):
    """A row of ``taxonomy.csv``; ``merchant`` is whether payments of this category have a merchant worth naming."""

    primary: str
    detailed: str
    direction: CategoryDirection
    merchant: bool
    description: str
    place: Place


class MccRange(msgspec.Struct, frozen=True):
    """A row of ``mcc.csv``: the codes ``first`` to ``last`` (ISO 18245, both included) point to ``category``.

    ``weight`` is 0..1, the share of the MCC weight that they add.
    """

    first: int
    last: int
    category: str
    weight: float
    description: str
    place: Place


class Conditions(msgspec.Struct, frozen=True):
    """What must hold besides the patterns; an empty tuple or ``None`` asks for nothing.

    Amounts are of the transaction's currency without their sign, both ends included, with at most six decimals. Dates include
    both ends. ``mcc`` holds ranges with both ends included.
    """

    direction: FlowDirection | None = None
    direction_told: bool = False
    """A transaction that does not say its direction does not meet that of the rule."""
    amount_min: Decimal | None = None
    amount_max: Decimal | None = None
    mcc: tuple[tuple[int, int], ...] = ()
    country: tuple[str, ...] = ()
    currency: tuple[str, ...] = ()
    date_from: date | None = None
    date_to: date | None = None


class Example(msgspec.Struct, frozen=True):
    """A transaction that a rule must (or must not) fire on; a value that is ``None`` is not given."""

    descriptor: str
    direction: FlowDirection | None = None
    amount: Decimal | None = None
    currency: str | None = None
    mcc: int | None = None
    country: str | None = None
    booked_at: date | None = None
    plain: bool = False
    """Written as a bare string: conditions are taken to hold, only the patterns are tried."""
    line: int = 0


class Pattern(msgspec.Struct, frozen=True):
    """A regular expression over the clean view of a descriptor, and the line that it was written on."""

    text: str
    line: int


class RuleSource(msgspec.Struct, frozen=True):
    """A ``[[rule]]``: it fires when any of ``patterns`` matches, none of ``unless`` does, and ``when`` holds.

    ``weight`` is 0..1, the share of the rule weight that its category gains; ``priority`` is 0..100, and a rule that fires sets
    aside those of lower priority. A rule that ``overrides_merchant`` sets aside merchant evidence for other categories.
    """

    id: str
    category: str
    patterns: tuple[Pattern, ...]
    place: Place
    unless: tuple[Pattern, ...] = ()
    weight: float = 0.8
    priority: int = 50
    overrides_merchant: bool = False
    when: Conditions = Conditions()
    examples: tuple[Example, ...] = ()
    counterexamples: tuple[Example, ...] = ()
    why: str = ""


class MerchantSource(msgspec.Struct, frozen=True):
    """A row of ``merchants/*.csv``; ``category`` is empty where the name decides nothing, ``aliases`` does not repeat ``name``."""

    id: str
    name: str
    category: str
    aliases: tuple[str, ...]
    countries: tuple[str, ...]
    website: str
    match: AliasMatch
    weight: float
    place: Place


class ProcessorSource(msgspec.Struct, frozen=True):
    """A row of ``processors.csv``: a payment company and the prefixes that it prints before the merchant."""

    id: str
    name: str
    prefixes: tuple[str, ...]
    star: StarUse
    place: Place


class PhraseSource(msgspec.Struct, frozen=True):
    """A row of ``phrases.csv``: wording that is not a merchant's name, and the payment channel that it tells (or an empty string)."""

    phrase: str
    kind: PhraseKind
    channel: str
    place: Place


class CaseSource(msgspec.Struct, frozen=True):
    """A row of ``cases.csv``: a transaction and what the whole pack must make of it; what is empty may be anything.

    ``category`` is a detailed code, or ``-`` where none may be given.
    """

    given: Example
    category: str
    merchant: str
    processor: str
    why: str
    place: Place


class PackSource(msgspec.Struct, frozen=True):
    """A whole pack, with what it takes from the pack that it extends already merged in.

    ``cases`` are the pack's own alone. ``gazetteer`` has the columns id, name, category, website, match (string), aliases, countries
    (list<string>) and weight (float64), without the rows that a hand-written merchant of the same id replaces; a merchant whose
    aliases differ in ``match`` has several rows. ``places`` has name, kind, country, region (string), population (int64) and
    common (bool: too much of a word to be a place by itself). ``artefacts`` gives the paths of ``semantic.safetensors``,
    ``learned.parquet`` and ``confidence.json`` by file name, those that there are.
    """

    path: Path
    name: str
    version: str
    categories: tuple[CategorySource, ...]
    extends: str | None = None
    weights: Weights = Weights()
    levels: Levels = Levels()
    thresholds: Thresholds = Thresholds()
    combine: Combine = "strongest"
    learned_first: bool = False
    """Whether merchants of ``learned.parquet`` set aside what people wrote of them: the book's own truth is wanted."""
    mcc: tuple[MccRange, ...] = ()
    rules: tuple[RuleSource, ...] = ()
    merchants: tuple[MerchantSource, ...] = ()
    processors: tuple[ProcessorSource, ...] = ()
    phrases: tuple[PhraseSource, ...] = ()
    cases: tuple[CaseSource, ...] = ()
    gazetteer: pa.Table | None = None
    places: pa.Table | None = None
    artefacts: Mapping[str, Path] = msgspec.field(default_factory=dict)
