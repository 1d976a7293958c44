"""Checks of the tables of a pack: taxonomy, MCC map, processors and phrases."""

import re
from collections.abc import Iterable

from rayapp.packs.faults import Faults, quoted
from rayapp.packs.phrase_index import token_texts
from rayapp.packs.source import CategorySource, Levels, MccRange, PackSource, PhraseSource, Place, ProcessorSource

MAX_CATEGORIES = 2_000
MAX_PROCESSORS = 10_000
MAX_PHRASES = 200_000
MAX_CHANNELS = 100
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.&/ -]{0,99}")
_CHANNEL = re.compile(r"[a-z0-9_]{0,30}")


def check_unique(items: Iterable[tuple[str, Place]], what: str, faults: Faults) -> None:
    """Add a fault for each key that was used before."""
    first: dict[str, Place] = {}
    for key, place in items:
        known = first.setdefault(key, place)
        if known is not place:
            faults.error(place, f"duplicate {what} {quoted(key)}", f"first in {known.file}:{known.line}")


def check_too_many(found: int, most: int, what: str, place: Place, faults: Faults) -> bool:
    """Add a fault where there are more things than a pack may have; say whether there are."""
    if found > most:
        faults.error(place, f"{found:,} {what}, and the most is {most:,}")
    return found > most


def check_category(category: str, place: Place, known: Iterable[str], faults: Faults) -> None:
    """Add a fault where a category is not in the taxonomy."""
    if category and category not in known:
        faults.error(place, f"unknown category {quoted(category)}", faults.closest(category, known))


def check_levels(levels: Levels, faults: Faults) -> None:
    """Check that the levels are in order."""
    if not levels.very_high >= levels.high >= levels.medium:
        found = f"very_high {levels.very_high:g}, high {levels.high:g}, medium {levels.medium:g}"
        faults.error(Place("pack.toml", 1), f"levels: must fall in this order, and are {found}")


def check_taxonomy(categories: tuple[CategorySource, ...], faults: Faults) -> None:
    """Check that each detailed code is there once and is a code."""
    if not categories:
        faults.error(Place("taxonomy.csv", 1), "missing: a pack needs at least one category", 'or extends = "default" in pack.toml')
        return
    if check_too_many(len(categories), MAX_CATEGORIES, "categories", categories[-1].place, faults):
        return
    check_unique(((category.detailed, category.place) for category in categories), "category", faults)
    for category in categories:
        for code in (category.primary, category.detailed):
            if code and not _CODE.fullmatch(code):
                faults.error(category.place, f"{quoted(code)} is not a category code", "letters, digits and _ . & / - or space")


def check_mcc(ranges: tuple[MccRange, ...], known: Iterable[str], faults: Faults) -> None:
    """Check the categories of the MCC map and that no code is in two ranges."""
    for item in ranges:
        check_category(item.category, item.place, known, faults)
    ordered = sorted((item for item in ranges if item.first >= 0), key=lambda item: (item.first, item.last))
    widest: MccRange | None = None
    for item in ordered:
        if widest is not None and item.first <= widest.last:
            message = f"{item.first:04}-{item.last:04} overlaps {widest.first:04}-{widest.last:04}"
            faults.error(item.place, message, f"the other range is in {widest.place.file}:{widest.place.line}")
        if widest is None or item.last > widest.last:
            widest = item


def check_processors(processors: tuple[ProcessorSource, ...], faults: Faults) -> None:
    """Check ids, and that each prefix has something to match and belongs to one processor."""
    if processors and check_too_many(len(processors), MAX_PROCESSORS, "processors", processors[-1].place, faults):
        return
    check_unique(((processor.id, processor.place) for processor in processors), "processor id", faults)
    prefixes = [(prefix, processor) for processor in processors for prefix in processor.prefixes]
    owner: dict[str, ProcessorSource] = {}
    for text, (prefix, processor) in zip(token_texts([prefix for prefix, _ in prefixes]), prefixes, strict=True):
        other = owner.setdefault(text, processor)
        if not text:
            faults.error(processor.place, f"the prefix {quoted(prefix)} has no letter or digit")
        elif other is not processor:
            faults.warn(processor.place, f"the prefix {quoted(prefix)} is one of {quoted(other.id)} too", "give it to one of them")


def check_phrases(phrases: tuple[PhraseSource, ...], faults: Faults) -> None:
    """Check that each phrase has something to match, is there once for its kind, and names a channel by a plain word."""
    if phrases and check_too_many(len(phrases), MAX_PHRASES, "phrases", phrases[-1].place, faults):
        return
    first: dict[tuple[str, str], PhraseSource] = {}
    for text, item in zip(token_texts([item.phrase for item in phrases]), phrases, strict=True):
        known = first.setdefault((text, item.kind), item)
        if not text:
            faults.error(item.place, f"the phrase {quoted(item.phrase)} has no letter or digit")
        elif known is not item:
            faults.warn(item.place, f"the phrase {quoted(item.phrase)} is there already", f"in line {known.place.line}")
        if not _CHANNEL.fullmatch(item.channel):
            faults.error(item.place, f"{quoted(item.channel)} is not a channel", "small letters, digits and underscore")
    channels = {item.channel for item in phrases} - {""}
    if phrases:
        check_too_many(len(channels), MAX_CHANNELS, "channels", phrases[-1].place, faults)


def check_reached(source: PackSource, faults: Faults) -> None:
    """Warn of categories that nothing in the pack leads to."""
    reached = {rule.category for rule in source.rules}
    reached.update(item.category for item in source.mcc)
    reached.update(merchant.category for merchant in source.merchants)
    if source.gazetteer is not None:
        reached.update(source.gazetteer["category"].unique().to_pylist())
    for category in source.categories:
        if category.detailed not in reached:
            faults.warn(category.place, f"no rule, merchant or MCC leads to {quoted(category.detailed)}")
