"""What a pack takes from the pack that it extends: its own records win, and what it lacks comes from there."""

from collections.abc import Callable, Iterable
from typing import TypeVar

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from rayapp.packs.faults import Faults, quoted
from rayapp.packs.source import MccRange, PackSource, Place
from rayapp.packs.toml_files import Head

Item = TypeVar("Item")


def extend(own: PackSource, base: PackSource, head: Head, faults: Faults) -> PackSource:
    """Give ``own`` completed by ``base``; the base's records come first, and those with a key of ``own`` are left out."""
    without_rules = _without(head.without_rules, [rule.id for rule in base.rules], "rule", faults)
    without_merchants = _without(head.without_merchants, _merchant_ids(base), "merchant", faults)
    merchants = _merged(base.merchants, own.merchants, lambda merchant: merchant.id, without_merchants)
    return msgspec.structs.replace(
        own,
        weights=msgspec.structs.replace(base.weights, **head.weights),
        levels=msgspec.structs.replace(base.levels, **head.levels),
        thresholds=msgspec.structs.replace(base.thresholds, **head.thresholds),
        combine=head.combine or base.combine,
        learned_first=base.learned_first if head.learned_first is None else head.learned_first,
        categories=_merged(base.categories, own.categories, lambda category: category.detailed),
        mcc=(*_uncovered(base.mcc, own.mcc), *own.mcc),
        rules=_merged(base.rules, own.rules, lambda rule: rule.id, without_rules),
        merchants=merchants,
        processors=_merged(base.processors, own.processors, lambda processor: processor.id),
        phrases=_merged(base.phrases, own.phrases, lambda phrase: phrase.phrase),
        gazetteer=without_rows(
            base.gazetteer if own.gazetteer is None else own.gazetteer, {merchant.id for merchant in merchants} | without_merchants
        ),
        places=base.places if own.places is None else own.places,
        artefacts={**base.artefacts, **own.artefacts},
    )


def without_rows(gazetteer: pa.Table | None, ids: Iterable[str]) -> pa.Table | None:
    """Drop the rows of the gazetteer that have one of ``ids``."""
    if gazetteer is None:
        return None
    return gazetteer.filter(pc.invert(pc.is_in(gazetteer["id"], value_set=pa.array(sorted(ids), pa.string()))))


def _merchant_ids(base: PackSource) -> list[str]:
    gazetteer = base.gazetteer["id"].to_pylist() if base.gazetteer is not None else []
    return [merchant.id for merchant in base.merchants] + gazetteer


def _without(named: tuple[tuple[str, Place], ...], known: list[str], what: str, faults: Faults) -> set[str]:
    """Check the ids that a pack leaves out."""
    ids = set(known)
    for identity, place in named:
        if identity not in ids:
            faults.error(place, f"without: the extended pack has no {what} {quoted(identity)}", faults.closest(identity, known))
    return {identity for identity, _ in named}


def _merged(base: tuple[Item, ...], own: tuple[Item, ...], key: Callable[[Item], str], without: Iterable[str] = ()) -> tuple[Item, ...]:
    hidden = {key(item) for item in own} | set(without)
    return (*(item for item in base if key(item) not in hidden), *own)


def _uncovered(base: tuple[MccRange, ...], own: tuple[MccRange, ...]) -> list[MccRange]:
    """Cut out of the base's ranges what the pack's own ranges cover."""
    left = list(base)
    for cut in own:
        left = [piece for whole in left for piece in _minus(whole, cut)]
    return left


def _minus(whole: MccRange, cut: MccRange) -> list[MccRange]:
    if cut.first > whole.last or cut.last < whole.first:
        return [whole]
    sides = ((whole.first, cut.first - 1), (cut.last + 1, whole.last))
    return [msgspec.structs.replace(whole, first=first, last=last) for first, last in sides if first <= last]
