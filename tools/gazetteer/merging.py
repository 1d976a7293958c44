"""Join the entries of one brand into one merchant, and choose the category that most of its customers' money goes to."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from gazetteer.source import Entry, Facts
from gazetteer.text import is_latin, key, squashed

# Where one brand trades under several keys, the first of these that it has is its main one: what a brand's name alone is
# most often paid for. Sub-brands with names of their own (Costco Gasoline) are merchants of their own.
_ORDER = (
    "GENERAL_MERCHANDISE_SUPERSTORES",
    "FOOD_AND_DRINK_GROCERIES",
    "GENERAL_MERCHANDISE_DEPARTMENT_STORES",
    "GENERAL_MERCHANDISE_DISCOUNT_STORES",
    "HOME_IMPROVEMENT_HARDWARE",
    "HOME_IMPROVEMENT_FURNITURE",
    "GENERAL_MERCHANDISE_SPORTING_GOODS",
    "GENERAL_MERCHANDISE_CLOTHING_AND_ACCESSORIES",
    "TRAVEL_LODGING",
    "RENT_AND_UTILITIES_TELEPHONE",
    "RENT_AND_UTILITIES_INTERNET_AND_CABLE",
    "GENERAL_MERCHANDISE_ELECTRONICS",
    "TRANSPORTATION_PUBLIC_TRANSIT",
    "RENT_AND_UTILITIES_GAS_AND_ELECTRICITY",
    "RENT_AND_UTILITIES_WATER",
    "FOOD_AND_DRINK_COFFEE",
    "FOOD_AND_DRINK_FAST_FOOD",
    "FOOD_AND_DRINK_RESTAURANT",
    "MEDICAL_PHARMACIES_AND_SUPPLEMENTS",
    "GENERAL_MERCHANDISE_CONVENIENCE_STORES",
    "TRANSPORTATION_GAS",
)
_MEALS = ("FOOD_AND_DRINK_COFFEE", "FOOD_AND_DRINK_FAST_FOOD", "FOOD_AND_DRINK_RESTAURANT")
"""One kind of house under three keys: the entry for most countries says which."""
_RANK = {category: _ORDER.index(_MEALS[0] if category in _MEALS else category) for category in _ORDER}

# What stands on another business's ground under its name: it never is the main line, and it joins a namesake there.
_ANNEX = frozenset(
    f"brands/{source}"
    for source in (
        "amenity/atm",
        "amenity/car_wash",
        "amenity/charging_station",
        "amenity/parcel_locker",
        "amenity/payment_terminal",
        "amenity/photo_booth",
        "amenity/vending_machine",
        "man_made/charge_point",
    )
)
_FORECOURT = _ANNEX | {"brands/amenity/fuel"}
_FOOD, _WHOLE = "FOOD_AND_DRINK_GROCERIES", "GENERAL_MERCHANDISE_DEPARTMENT_STORES"
_SUPER, _FUEL, _CORNER = "GENERAL_MERCHANDISE_SUPERSTORES", "TRANSPORTATION_GAS", "GENERAL_MERCHANDISE_CONVENIENCE_STORES"
_SUPERCENTRE = re.compile(r"\bSUPER ?CENT(ER|RE)\b|\bHYPERMARKET\b")
_OIL = re.compile(r"petrol|fuel|oil|gas(oline)?\b|filling|service station|energy", re.IGNORECASE)
_SHOP = re.compile(r"convenience", re.IGNORECASE)


def trade_rank(category: str) -> int:
    """Rank a category by how likely it is a brand's main line; unlisted ones come last, and none after all."""
    return _RANK.get(category, len(_RANK)) if category else len(_RANK) + 1


@dataclass(frozen=True, slots=True, eq=False)
class Merchant:
    """One merchant: its entries' names in order of trust. ``mixed`` says that the entries disagree on the category."""

    id: str
    name: str
    category: str
    countries: frozenset[str]
    wikidata: str
    names: tuple[str, ...]
    others: tuple[str, ...]
    mixed: bool
    tree: str


def _latin_identity(entry: Entry) -> str:
    return key(entry.identity if is_latin(entry.identity) else next((name for name in entry.names if is_latin(name)), entry.identity))


def _overlap(one: frozenset[str], other: frozenset[str]) -> bool:
    return not one or not other or bool(one & other)


def group(entries: Iterable[Entry]) -> list[list[Entry]]:
    """Group entries by Wikidata id and name.

    An entry without an id joins a namesake in the same country, whatever its key; so do a forecourt and a machine with an id of their own.
    """
    known: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    namesakes: dict[str, list[list[Entry]]] = defaultdict(list)
    rest: list[Entry] = []
    for entry in entries:
        if not entry.wikidata or entry.source in _FORECOURT:
            rest.append(entry)
            continue
        members = known[entry.wikidata, _latin_identity(entry)]
        if not members:
            namesakes[_latin_identity(entry)].append(members)
        members.append(entry)
    for entry in rest:
        same = namesakes[_latin_identity(entry)]
        alike = known.get((entry.wikidata, _latin_identity(entry))) if entry.wikidata else None
        home = alike or next((members for members in same if _may_join(entry, members)), None)
        if home is None:
            home = []
            same.append(home)
        home.append(entry)
    return [members for same in namesakes.values() for members in same]


def _may_join(entry: Entry, members: list[Entry]) -> bool:
    both_forecourts = entry.source in _FORECOURT and all(member.source in _FORECOURT for member in members)
    strangers = both_forecourts and entry.wikidata and members[0].wikidata not in ("", entry.wikidata)
    return not strangers and _overlap(_countries(members), entry.countries)


def _countries(members: list[Entry]) -> frozenset[str]:
    proper = [entry for entry in members if entry.source not in _FORECOURT] or members
    sets = [entry.countries for entry in proper]
    return frozenset().union(*sets) if all(sets) else frozenset()


def _main(members: list[Entry], family: str, description: str) -> Entry:
    """Choose the entry that stands for the merchant; ``family`` is all names of its Wikidata item."""
    found = {entry.category for entry in members}
    if {_FOOD, _WHOLE} <= found or (found & {_FOOD, _WHOLE} and _SUPERCENTRE.search(family)):
        return min((entry for entry in members if entry.category in (_FOOD, _WHOLE)), key=_precedence)
    if {_FUEL, _CORNER} <= found and _OIL.search(description) and not _SHOP.search(description):
        return min((entry for entry in members if entry.category == _FUEL), key=_precedence)
    brands = [entry for entry in members if entry.source.startswith("brands/") and entry.category]
    return min(brands or members, key=_precedence)


def _precedence(entry: Entry) -> tuple[bool, bool, int, bool, int]:
    """Order the entries of one merchant: its main line first, then the entry for most countries."""
    return not entry.category, entry.source in _ANNEX, trade_rank(entry.category), bool(entry.countries), -len(entry.countries)


def _fame(entry: Entry) -> tuple[bool, bool, bool, int]:
    """Order the entries by how many people know the merchant under their name: in Latin letters, for most countries."""
    return not is_latin(entry.identity), entry.source in _FORECOURT, bool(entry.countries), -len(entry.countries)


def _merchant(members: list[Entry], family: str, facts: Facts) -> Merchant:
    main = _main(members, family, facts.description(members[0].wikidata))
    found = {entry.category for entry in members if entry.category}
    superstore = {_FOOD, _WHOLE} <= found or (main.category in (_FOOD, _WHOLE) and bool(_SUPERCENTRE.search(family)))
    ordered = [main, *(entry for entry in members if entry is not main)]
    return Merchant(
        id=main.id,
        name=min(ordered, key=_fame).identity,
        category=_SUPER if superstore else main.category,
        countries=_countries(members),
        wikidata=main.wikidata,
        names=tuple(dict.fromkeys(name for entry in ordered for name in entry.names)),
        others=tuple(dict.fromkeys(name for entry in ordered for name in entry.others)),
        mixed=len({_primary(entry.category) for entry in members if entry.category and entry.source not in _FORECOURT}) > 1,
        tree=main.source.split("/")[0],
    )


def _primary(category: str) -> str:
    return "_".join(category.split("_")[:2])


def merge(entries: Iterable[Entry], facts: Facts) -> list[Merchant]:
    """Give the merchants, ordered by id."""
    groups = group(entries)
    families: dict[str, str] = defaultdict(str)
    for members in groups:
        for entry in members:
            if entry.wikidata:
                families[entry.wikidata] += " " + key(entry.identity)
    merchants = [_merchant(members, families[members[0].wikidata], facts) for members in groups]
    return sorted(merchants, key=lambda merchant: (merchant.id, squashed(merchant.name)))
