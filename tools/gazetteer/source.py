"""Read name-suggestion-index and Wikidata: each entry of a key that the category table keeps becomes an ``Entry``."""

import csv
import gzip
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gazetteer.countries import Locations
from gazetteer.text import key, without_qualifier

TABLE = Path(__file__).with_name("categories.csv")
_MAIN_TAG = {"brands": "brand", "operators": "operator", "transit": "network"}

# A public body is paid under too many headings to stand for one, and its name is a place's.
_PUBLIC_BODY = re.compile(
    r"\b(ministry|municipality|government|governing body|council|local authority|executive branch|prefecture|province|commune|"
    r"county seat|public authority)\b|\b(city|town|village|borough|ward|county|canton|state|district) (and \w+ )?(in|of)\b",
    re.IGNORECASE,
)
_OWN_TRADE = re.compile(
    r"parking|water|wasser|energ|power|electric|utilit|health|hospital|clinic|school|academy|college|waste", re.IGNORECASE
)
_NOT_RETAIL_POWER = re.compile(
    r"\b(railways?|rail|pipelines?|oil|mining|steel|physics|university|transmission|aluminium|paper)\b", re.IGNORECASE
)
_SCHOOL_OFFICE = re.compile(r"Filipino school district|Schools Division", re.IGNORECASE)
_NETWORK_COUNTRY = re.compile(r"^[A-Z]{2}:(?=\S)")
_UNIVERSITY = re.compile(r"universi|college|école", re.IGNORECASE)
_CARRIER = re.compile(
    r"bus|transit|transport|transp|metro|rail|tram|ferr|lines?\b|rapid|shuttle|verkehr|tren|autob|urban|mobil|nahverkehr|express|collectiv",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Decision:
    """What the table says of a key: ``use`` is category, name (names a merchant, decides nothing) or drop."""

    use: str
    category: str
    why: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the index. ``identity`` is the name people know; ``others`` are further spellings."""

    id: str
    source: str
    identity: str
    names: tuple[str, ...]
    others: tuple[str, ...]
    wikidata: str
    countries: frozenset[str]
    category: str


class Facts:
    """What Wikidata says of an item: its English description and its official web hosts."""

    def __init__(self, path: Path) -> None:
        """Load the facts that the index publishes about its Wikidata ids."""
        with gzip.open(path, "rt", encoding="utf-8") as file:
            self._items: Mapping[str, Any] = json.load(file)["wikidata"]

    def description(self, wikidata: str) -> str:
        """Give the English description, or an empty string."""
        return str(self._items.get(wikidata, {}).get("description") or "")

    def hosts(self, wikidata: str) -> list[str]:
        """Give the hosts of the official websites without ``www.``, as listed."""
        sites = self._items.get(wikidata, {}).get("officialWebsites") or []
        return [host for site in sites if (host := _host(site))]


def _host(site: str) -> str:
    host = re.sub(r"^\w+://", "", site.strip().lower()).split("/")[0].split("?")[0].split(":")[0]
    return host.removeprefix("www.") if re.fullmatch(r"[a-z0-9.-]+\.[a-z]{2,}", host) else ""


def decisions() -> dict[str, Decision]:
    """Read the category table; keys are tree/key/value, with ``?tag=value`` for a narrower one."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {row["key"]: Decision(row["use"], row["category"], row["why"]) for row in csv.DictReader(file)}


def _decide(table: Mapping[str, Decision], source: str, tags: Mapping[str, str]) -> Decision:
    narrow = (f"{source}?{tag}={value}" for tag, value in tags.items())
    return next((table[name] for name in narrow if name in table), table[source])


# Machines and depots stand for the trade only where the brand is in it.
_ANNEX_TRADES = {
    "amenity/post_depot": re.compile(r"post|courier|deliver|parcel|logistic|shipping|freight|express", re.IGNORECASE),
    "amenity/parcel_locker": re.compile(r"post|courier|deliver|parcel|logistic|shipping|freight|express|locker", re.IGNORECASE),
    "amenity/charging_station": re.compile(r"charg|energy|electric|power|utilit|fuel|oil|petrol|gas|mobility", re.IGNORECASE),
    "man_made/charge_point": re.compile(r"charg|energy|electric|power|utilit|fuel|oil|petrol|gas|mobility", re.IGNORECASE),
}


def _category(source: str, decision: Decision, description: str) -> str:
    """Give the decided category, or none where a machine's brand is known for another trade."""
    trade = _ANNEX_TRADES.get(source.split("/", 1)[1])
    return decision.category if not trade or not description or trade.search(description) else ""


def _refused(tree: str, decision: Decision, name: str, wikidata: str, description: str) -> str:
    """Say why an entry of a kept key is left out, or give an empty string."""
    if tree == "brands":
        return ""
    if tree == "transit":
        return "" if wikidata or _CARRIER.search(name) else "a network of unknown standing, mostly a place's name"
    government, power = decision.category.startswith("GOVERNMENT"), decision.category.endswith("GAS_AND_ELECTRICITY")
    reasons = (
        (government and _UNIVERSITY.search(name), "a university's library"),
        (not wikidata, "an operator without a Wikidata item"),
        (_SCHOOL_OFFICE.search(description), "an office that is not paid"),
        (not government and _PUBLIC_BODY.search(description) and not _OWN_TRADE.search(name), "a public body paid under many headings"),
        (power and _NOT_RETAIL_POWER.search(description), "does not sell power to consumers"),
    )
    return next((reason for applies, reason in reasons if applies), "")


def _spellings(item: Mapping[str, Any], main: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Give the identity, the names that are surely it, and the other spellings that the index accepts for it."""
    tags: Mapping[str, str] = item["tags"]
    shown = without_qualifier(_NETWORK_COUNTRY.sub("", item["displayName"]))
    identity = without_qualifier(_NETWORK_COUNTRY.sub("", tags.get("name") or tags.get(main) or "")) or shown
    same = key(tags.get(main, "")) in ("", key(identity), key(tags.get("name", "")))
    stems = ("name", main) if same else ("name",)
    names = [tags[tag] for stem in stems for tag in sorted(tags) if tag == stem or tag.startswith(f"{stem}:")]
    skipped = {f"{main}:wikidata", f"{main}:type", f"{main}:short", f"{main}:guid", f"{main}:wikipedia"}
    names = [name for name in names if name not in {tags.get(tag) for tag in skipped}]
    others = [tags[tag] for tag in sorted(tags) if re.fullmatch(r"(official|alt|short|int|old)_name(:en|:[a-z]+-Latn)?", tag)]
    others += [tags[f"{main}:short"]] if same and f"{main}:short" in tags else []
    parts = [part.strip() for name in (*others, *item.get("matchNames", ())) for part in name.split(";")]
    return identity, (shown, identity, *names), tuple(parts)


def entries(path: Path, facts: Facts, locations: Locations, dropped: Counter[str]) -> Iterator[Entry]:
    """Give the entries that the table keeps, in the index's order; what is left out is counted in ``dropped`` by key and reason."""
    table = decisions()
    with gzip.open(path, "rt", encoding="utf-8") as file:
        index: Mapping[str, Any] = json.load(file)["nsi"]
    for source in sorted(index):
        tree = source.split("/")[0]
        for item in index[source]["items"]:
            decision = _decide(table, source, item["tags"])
            if decision.use == "drop":
                dropped[f"{source}: {decision.why}"] += 1
                continue
            main = _MAIN_TAG[tree]
            wikidata = item["tags"].get(f"{main}:wikidata", "")
            reason = _refused(tree, decision, item["displayName"], wikidata, facts.description(wikidata))
            if reason:
                dropped[f"{source}: {reason}"] += 1
                continue
            identity, names, others = _spellings(item, main)
            where = locations.countries(item["locationSet"])
            category = _category(source, decision, facts.description(wikidata))
            yield Entry(item["id"], source, identity, names, others, wikidata, where, category)
