"""Small packs and rows for properties: words with every trouble that bank lines have, and edits of everything that a pack holds."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

from rayapp.packs.compile import compile_source
from rayapp.packs.source import (
    CategorySource,
    Conditions,
    MccRange,
    MerchantSource,
    PackSource,
    Pattern,
    PhraseSource,
    Place,
    ProcessorSource,
    RuleSource,
    Thresholds,
    Weights,
)
from rayapp.scoring.pack import CompiledPack
from rayapp.scoring.transaction import Transaction

NOWHERE = Place("test", 1)
CODES = ("EAT_COFFEE", "EAT_GROCERIES", "GEAR_CLOTHES", "FEES_BANK", "PAY_SALARY")
MCCS = (5411, 5412, 5814, 742, 6012)
LANDS = ("US", "GB", "DE")
MONIES = ("USD", "GBP", "EUR")

WORDS = (
    "BLUE", "BOTTLE", "COFFEE", "SHELL", "MARKS", "SPENCER", "MCDONALD'S", "O’Reilly", "H&M", "7", "ELEVEN", "CAFÉ", "straße", "ŁÓDŹ", "中国", "Ελλάς",
    "DISNEY+", "A", "AND", "PLUS", "GAP", "FEE", "PAYROLL", "SQ", "STORE", "INC", "DES", "NEXT", "DATABASES", "STARBUCKS", "%OFF", "UN_DER",
)  # fmt: skip
NAMES = (
    "Blue Bottle", "BlueBottle", "Blue Bottle Coffee", "Marks & Spencer", "Marks And Spencer", "McDonald's", "O'Reilly", "H&M", "7-Eleven", "Café", "Disney+",
    "Starbucks", "Databases", "Shell", "Gap", "Next", "中国", "Straße", "Star Bucks", "Spencer Marks", "AND A", "Bluebottles",
)  # fmt: skip
PATTERNS = (
    r"\bCOFFEE\b", r"\bBLUE BOTTLE\b", r"BOTTL", r"\bFEES?\b", r"\bPAYROLL\b.{0,9}\bDES\b", r"\b(?:SHELL|GAP|NEXT)\b", r"^SQ \*", r"SPENCER$", r"中国",
    r"\bH&M\b", r"MCDONALD'?S", r"\bSTORE \d{2,4}\b", r"%OFF", r"UN_DER", r"\bO'REILLY", r"STRASSE", r"\bCAFE (?:A|B)\b|ELEVEN", r"(?:STAR|DATA)B[AU]",
)  # fmt: skip
PHRASES = ("BLUEBOTTEL", "STARBUCK", "DATABASE", "STORE", "INC", "DES", "SQ", "BLUE", "COFFEE", "PLUS", "FEE", "NEXT A", "H&M", "MARKS", "ELEVEN", "AND")
SPACES = (" ", " ", " ", "  ", " *", "*", "-", "/", ".", "'", "", " & ", "+", "#", ": ", "\t", " 0123 ", "123", "\u00a0", "’", "XXXX")


def some(strategy: st.SearchStrategy[Any], most: int) -> st.SearchStrategy[list[Any]]:
    return st.lists(strategy, max_size=most)


conditions = st.builds(
    Conditions,
    direction=st.sampled_from([None, None, "debit", "credit"]),
    direction_told=st.booleans(),
    amount_min=st.sampled_from([None, None, Decimal(10), Decimal("20.5")]),
    amount_max=st.sampled_from([None, None, Decimal("20.5"), Decimal(100)]),
    mcc=st.sampled_from([(), (), ((5411, 5412),), ((742, 742), (5800, 5900))]),
    country=st.sampled_from([(), (), ("US",), ("GB", "DE")]),
    currency=st.sampled_from([(), (), ("USD",), ("EUR", "GBP")]),
    date_from=st.sampled_from([None, None, date(2024, 1, 31)]),
    date_to=st.sampled_from([None, None, date(2024, 1, 31), date(2025, 6, 1)]),
)
patterns = st.sampled_from(PATTERNS).map(lambda text: Pattern(text, 1))
rules = st.builds(
    RuleSource,
    id=st.sampled_from([f"r{n}" for n in range(6)]),
    category=st.sampled_from(CODES),
    patterns=st.lists(patterns, min_size=1, max_size=3, unique=True).map(tuple),
    place=st.just(NOWHERE),
    unless=st.one_of(st.just(()), st.lists(patterns, max_size=2, unique=True).map(tuple)),
    weight=st.sampled_from([0.3, 0.7, 0.7, 0.9, 0.9]),
    priority=st.sampled_from([50, 50, 60]),
    overrides_merchant=st.booleans(),
    when=st.one_of(st.just(Conditions()), conditions),
)
merchants = st.builds(
    MerchantSource,
    id=st.sampled_from([f"m{n}" for n in range(7)]),
    name=st.sampled_from(NAMES),
    category=st.sampled_from(["", *CODES]),
    aliases=some(st.sampled_from(NAMES), 2).map(tuple),
    countries=st.sampled_from([(), (), ("US",), ("GB", "DE")]),
    website=st.just(""),
    match=st.sampled_from(["", "", "", "first", "weak", "exact"]),
    weight=st.sampled_from([0.5, 0.95, 0.95]),
    place=st.just(NOWHERE),
)
ranges = st.builds(
    lambda code, category, weight: MccRange(code, code, category, weight, "", NOWHERE),
    st.sampled_from(MCCS),
    st.sampled_from(CODES),
    st.sampled_from([0.1, 0.8]),
)
phrases = st.builds(
    lambda phrase, kind: PhraseSource(phrase, kind, "", NOWHERE),
    st.sampled_from(PHRASES),
    st.sampled_from(["noise", "noise_start", "noise_end", "tail", "tail_colon", "head", "head_colon", "dated", "legal", "generic", "word", "word"]),
)
processors = st.builds(
    lambda number, prefixes, star: ProcessorSource(f"p{number}", f"P{number}", tuple(prefixes), star, NOWHERE),
    st.integers(0, 2),
    st.lists(st.sampled_from(["SQ", "PAY PAL", "BLUE", "DES"]), min_size=1, max_size=2),
    st.sampled_from(["needed", "optional", "none"]),
)
learned = st.tuples(
    st.sampled_from(["BLUE BOTTLE", "GAP", "H AND M", "DISNEY PLUS", "NEXT", "CAFE", "7 ELEVEN"]),
    st.sampled_from(CODES),
    st.sampled_from([3, 30]),
    st.sampled_from(["", "", "US", "GB"]),
)


class Written(msgspec.Struct, frozen=True):
    """What a test pack holds; of records with one key the first counts."""

    rules: tuple[RuleSource, ...]
    merchants: tuple[MerchantSource, ...]
    mcc: tuple[MccRange, ...]
    phrases: tuple[PhraseSource, ...]
    processors: tuple[ProcessorSource, ...]
    learned: tuple[tuple[str, str, int, str], ...]
    categories: tuple[str, ...] = CODES
    weights: Weights = Weights()
    thresholds: Thresholds = Thresholds()

    def compiled(self, folder: Path) -> CompiledPack:
        """Compile it."""
        name = hashlib.sha256(repr(self).encode()).hexdigest()
        table = folder / f"{name}.parquet"
        known = first_of(self.learned, lambda item: item[0])
        columns = {name: [item[place] for item in known] for place, name in enumerate(("core", "category", "n", "country"))}
        pq.write_table(pa.table({**columns, "purity": [0.9] * len(known)}), table)
        source = PackSource(
            path=folder,
            name="test",
            version="1",
            categories=tuple(CategorySource(code.split("_")[0], code, "both", code[0] in "EG", "", NOWHERE) for code in self.categories),
            weights=self.weights,
            thresholds=self.thresholds,
            mcc=first_of(self.mcc, lambda item: item.first),
            rules=first_of(self.rules, lambda item: item.id),
            merchants=first_of(self.merchants, lambda item: item.id),
            phrases=first_of(self.phrases, lambda item: item.phrase),
            processors=first_of(self.processors, lambda item: item.id),
            artefacts={"learned.parquet": table} if known else {},
        )
        return compile_source(source, name)


def first_of(items: Sequence[Any], key: Callable[[Any], Any]) -> tuple[Any, ...]:
    return tuple({key(item): item for item in reversed(items)}.values())[::-1]


PARTS = {"rules": (rules, 5), "merchants": (merchants, 6), "mcc": (ranges, 4), "phrases": (phrases, 4), "processors": (processors, 2), "learned": (learned, 3)}
packs = st.builds(Written, **{name: some(strategy, most).map(tuple) for name, (strategy, most) in PARTS.items()})


@st.composite
def edits(draw: st.DrawFn, pack: Written) -> Written:
    """One to three edits of a pack: a record added, removed, moved or changed in one place, a category more, or other weights."""
    for _ in range(draw(st.integers(1, 3))):
        part = draw(st.sampled_from([*PARTS, "rules", "merchants", "settings"]))
        if part == "settings":
            pack = msgspec.structs.replace(
                pack,
                categories=draw(st.sampled_from([CODES, CODES, (*CODES, "GEAR_NEW"), ("EAT_NEW", *CODES)])),
                weights=draw(st.sampled_from([Weights(), Weights(), Weights(rule=0.3)])),
                thresholds=draw(st.sampled_from([Thresholds(), Thresholds(), Thresholds(unclassified=0.1)])),
            )
            continue
        pack = msgspec.structs.replace(pack, **{part: draw(edited(getattr(pack, part), PARTS[part][0]))})
    return pack


@st.composite
def edited(draw: st.DrawFn, items: tuple[Any, ...], strategy: st.SearchStrategy[Any]) -> tuple[Any, ...]:
    kind = draw(st.sampled_from(["add", "remove", "move", "change", "change"])) if items else "add"
    at = draw(st.integers(0, len(items)))
    if kind == "add":
        return (*items[:at], draw(strategy), *items[at:])
    place = draw(st.integers(0, len(items) - 1))
    rest = (*items[:place], *items[place + 1 :])
    if kind == "remove":
        return rest
    item = items[place]
    if kind == "move":
        return (*rest[:at], item, *rest[at:])
    other = draw(strategy)
    if isinstance(item, tuple):
        return (*items[:place], other, *items[place + 1 :])
    field = draw(st.sampled_from([name for name in item.__struct_fields__ if name not in {"place", "id"}]))
    return (*items[:place], msgspec.structs.replace(item, **{field: getattr(other, field)}), *items[place + 1 :])


@st.composite
def descriptors(draw: st.DrawFn) -> str:
    """Words and names put together badly: cut off, misspelt, run together, in small letters."""
    text = ""
    for _ in range(draw(st.integers(1, 4))):
        word = draw(st.one_of(st.sampled_from(WORDS), st.sampled_from(NAMES)))
        trouble = draw(st.sampled_from(["", "", "", "cut", "drop", "swap", "double", "lower", "squash"]))
        at = draw(st.integers(0, max(0, len(word) - 2)))
        if trouble == "cut":
            word = word[: max(1, len(word) - draw(st.integers(1, 4)))]
        elif trouble == "drop":
            word = word[:at] + word[at + 1 :]
        elif trouble == "swap":
            word = word[:at] + word[at : at + 2][::-1] + word[at + 2 :]
        elif trouble == "double":
            word = word[:at] + word[at] + word[at:]
        elif trouble == "lower":
            word = word.lower()
        elif trouble == "squash":
            word = word.replace(" ", "")
        text += draw(st.sampled_from(SPACES)) + word
    return text.strip() or "X"


transactions = st.builds(
    lambda descriptor, **rest: Transaction(id="1", descriptor=descriptor, **rest),
    descriptors(),
    amount=st.sampled_from([None, "5", "10", "20.50", "-20.5", "-10", "99", "1000"]),
    currency=st.sampled_from([None, *MONIES, "usd"]),
    direction=st.sampled_from([None, "debit", "credit"]),
    mcc=st.sampled_from([None, "5411", "5814", "0742", "742", "6012", "1111"]),
    country=st.sampled_from([None, *LANDS, "UK", "gb"]),
    booked_at=st.sampled_from([None, "2024-01-31", "2024-02-01T10:00:00+00:00", "2023-12-31", "2025-06-01"]),
)
