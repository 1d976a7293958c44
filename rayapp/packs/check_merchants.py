"""Checks of merchants: ids, categories, and aliases that say nothing or that two merchants claim."""

import re
from collections import defaultdict

import pyarrow.compute as pc

from rayapp.packs.check_tables import check_category, check_too_many, check_unique
from rayapp.packs.faults import Faults, quoted
from rayapp.packs.phrase_index import token_texts
from rayapp.packs.source import MerchantSource, PackSource, Place

MAX_MERCHANTS = 200_000
MAX_SHOWN = 5
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")


def check_merchants(source: PackSource, known: frozenset[str], faults: Faults) -> None:
    """Check the hand-written merchants, and the categories of the gazetteer."""
    if source.merchants and check_too_many(len(source.merchants), MAX_MERCHANTS, "merchants", source.merchants[-1].place, faults):
        return
    check_unique(((merchant.id, merchant.place) for merchant in source.merchants), "merchant id", faults)
    for merchant in source.merchants:
        check_category(merchant.category, merchant.place, known, faults)
        if merchant.id and not _ID.fullmatch(merchant.id):
            faults.error(merchant.place, f"{quoted(merchant.id)} is not an id", "letters, digits, dash, dot and underscore, at most 128")
        if " " in merchant.website:
            faults.error(merchant.place, f"website: {quoted(merchant.website)} has a space")
    _check_aliases(source, faults)
    _check_gazetteer(source, known, faults)


def _check_aliases(source: PackSource, faults: Faults) -> None:
    spelt = [(alias, merchant) for merchant in source.merchants for alias in dict.fromkeys((merchant.name, *merchant.aliases))]
    common = set(token_texts([item.phrase for item in source.phrases if item.kind == "generic"]))
    owners: defaultdict[str, dict[str, MerchantSource]] = defaultdict(dict)
    for text, (alias, merchant) in zip(token_texts([alias for alias, _ in spelt]), spelt, strict=True):
        complaint = _complaint(text, merchant, common)
        if not text:
            faults.error(merchant.place, f"the alias {quoted(alias)} has no letter or digit")
        elif complaint:
            faults.warn(merchant.place, f"the alias {quoted(alias)} {complaint}", "match = exact lets it count only alone")
        owners[text][merchant.id] = merchant
    for text, claimed in owners.items():
        if text and len(claimed) > 1:
            _check_claims(text, list(claimed.values()), faults)


def _complaint(text: str, merchant: MerchantSource, common: set[str]) -> str:
    """Say what makes an alias too weak to be found in the middle of a descriptor, or give an empty string."""
    if merchant.match == "exact":
        return ""
    if len(text) == 1:
        return "is one character"
    return "is wording that the pack takes for generic" if text in common and not merchant.match else ""


def _check_claims(text: str, claimed: list[MerchantSource], faults: Faults) -> None:
    """Warn of each merchant that claims a text which an earlier one has claimed for the same country."""
    for place, later in enumerate(claimed):
        for earlier in claimed[:place]:
            lands = set(earlier.countries) & set(later.countries)
            if lands or (not earlier.countries and not later.countries):
                where = f" in {' '.join(sorted(lands))}" if lands else ""
                hint = f"{quoted(earlier.id)} is in {earlier.place.file}:{earlier.place.line}"
                faults.warn(later.place, f"the alias {quoted(text)} is one of {quoted(earlier.id)} too{where}", hint)
                break


def _check_gazetteer(source: PackSource, known: frozenset[str], faults: Faults) -> None:
    if source.gazetteer is None:
        return
    place = Place("gazetteer.parquet", 1)
    for category in source.gazetteer["category"].unique().to_pylist():
        check_category(category, place, known, faults)
    told = source.gazetteer.group_by(["id", "name", "category", "website"]).aggregate([])
    counts = told.group_by(["id"]).aggregate([("id", "count")])
    for identity in counts.filter(pc.greater(counts["id_count"], 1))["id"].to_pylist()[:MAX_SHOWN]:
        faults.error(place, f"rows of {quoted(identity)} differ in name, category or website")
