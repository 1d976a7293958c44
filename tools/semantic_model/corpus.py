"""The texts that the model learns from, each with a category and a weight."""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq

from rayapp.packs.source import PackSource
from rayapp.scoring.pack import CompiledPack
from semantic_model.cores import cores
from semantic_model.history import Merchant

MOST_OF_A_GROUP = 20
"""Merchants whose cores begin alike weigh no more than this many together."""

WEIGHTS = {
    "merchant": 0.3,
    "brand": 0.2,
    "operator": 0.05,
    "mcc": 0.3,
    "taxonomy": 0.2,
    "rule": 0.3,
    "english": 0.2,
    "language": 0.03,
    "word": 1.0,
    "firm": 0.5,
}
"""Weight of a text beside a merchant of the card lines (1), by where it comes from; chosen by grouped cross-validation."""

BRAND = 0.9
"""Gazetteer rows from this weight on are brands, below it operators and mixtures."""

ENGLISH = {"en", "en-GB"}
TRADE_WORDS = Path(__file__).with_name("trade_words.parquet")
LEXICON = Path(__file__).with_name("trade_lexicon.csv")
"""English words of trades, written by hand; those that end names of merchants matter most."""
FIRMS = Path(__file__).with_name("known_firms.csv")
"""Firms, chains and bodies known beyond one city, written by hand from general knowledge, above all those that organisations buy from."""


class Text(NamedTuple):
    """A text to learn from."""

    core: str
    category: str
    weight: float
    descriptor: str = ""
    """The line as printed, of a merchant of the card lines; what stands beside its core is learnt too."""
    amounts: tuple[float, ...] = ()


def corpus(pack: CompiledPack, source: PackSource, seen: Sequence[Merchant], mcc_texts: Path | None) -> list[Text]:
    """Gather every text, merged by core and category with the highest weight, in a fixed order."""
    written = [*_written(LEXICON, "word"), *_written(FIRMS, "firm")]
    raw = [*_pack_texts(source), *_trade_words(), *written, *(_mcc_texts(mcc_texts, source) if mcc_texts else ())]
    texts = [
        Text(core, category, weight) for core, (_, category, weight, *_) in zip(cores(pack, [item.core for item in raw]), raw, strict=True)
    ]
    best: dict[tuple[str, str], Text] = {}
    for text in [*texts, *_merchant_texts(seen)]:
        known = best.get((text.core, text.category))
        if text.core and (known is None or text.weight > known.weight):
            best[text.core, text.category] = text
    return [best[key] for key in sorted(best)]


def _merchant_texts(seen: Iterable[Merchant]) -> Iterator[Text]:
    """Give each merchant of the card lines once, shared among its categories."""
    seen = list(seen)
    size = Counter(merchant.key for merchant in seen)
    for merchant in seen:
        share = min(1.0, MOST_OF_A_GROUP / size[merchant.key]) / merchant.lines
        printed = merchant.descriptor, merchant.amounts
        yield from (Text(merchant.core, category, count * share, *printed) for category, count in merchant.categories)


def _pack_texts(source: PackSource) -> Iterator[Text]:
    """Give the pack's own words: merchants, gazetteer, rules' examples, and descriptions of codes and categories."""
    for item in source.merchants:
        if item.category:
            yield from (Text(name, item.category, WEIGHTS["merchant"]) for name in (item.name, *item.aliases))
    if source.gazetteer is not None:
        for row in source.gazetteer.select(["name", "category", "aliases", "weight"]).to_pylist():
            if row["category"]:
                weight = WEIGHTS["brand" if row["weight"] >= BRAND else "operator"]
                yield from (Text(name, row["category"], weight) for name in {row["name"], *row["aliases"]})
    for rule in source.rules:
        yield from (Text(example.descriptor, rule.category, WEIGHTS["rule"]) for example in rule.examples)
    yield from (Text(item.description, item.category, WEIGHTS["mcc"]) for item in source.mcc)
    for category in source.categories:
        parts = (category.description, *category.description.replace(":", ",").replace(" and ", ",").split(","))
        yield from (Text(part, category.detailed, WEIGHTS["taxonomy"]) for part in parts)


def _trade_words() -> Iterator[Text]:
    """Give the names of trades in many languages."""
    for row in pq.read_table(TRADE_WORDS).to_pylist():
        yield Text(row["word"], row["category"], WEIGHTS["english" if row["language"] in ENGLISH else "language"])


def _written(path: Path, kind: str) -> Iterator[Text]:
    """Give what people wrote down: a CSV with ``detailed`` and ``words``, with a bar between two."""
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield from (Text(word.upper(), row["detailed"], WEIGHTS[kind]) for word in row["words"].split("|"))


def _mcc_texts(path: Path, source: PackSource) -> Iterator[Text]:
    """Give other people's descriptions of the MCCs: a CSV with ``mcc`` and columns whose name ends in ``description``."""
    codes: defaultdict[int, str] = defaultdict(str)
    for item in source.mcc:
        codes.update(dict.fromkeys(range(item.first, item.last + 1), item.category))
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            category = codes[int(row["mcc"])]
            if category:
                yield from (Text(value, category, WEIGHTS["mcc"]) for name, value in row.items() if name.endswith("description") and value)
