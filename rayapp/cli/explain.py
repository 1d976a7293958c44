"""``rayapp explain``: one decision with its reasons, for a person or as JSON."""

import sys
from argparse import Namespace
from collections.abc import Iterator

import msgspec

from rayapp.packs import load_classifier
from rayapp.scoring.transaction import Classification, Evidence, Transaction
from rayapp.settings import Settings


def run(settings: Settings, arguments: Namespace) -> int:
    """Explain each descriptor that was given, all with the same amount, MCC and so on."""
    classifier = load_classifier(arguments.pack or settings.pack)
    for number, descriptor in enumerate(arguments.descriptors, 1):
        given = {name: getattr(arguments, name) for name in ("amount", "currency", "direction", "mcc", "country", "booked_at")}
        found = classifier.explain(Transaction(id=str(number), descriptor=descriptor, **given))
        if arguments.json:
            print(msgspec.json.encode(found).decode())
        else:
            print("\n".join(narrate(descriptor, found)), end="\n\n" if number < len(arguments.descriptors) else "\n")
    sys.stdout.flush()
    return 0


def narrate(descriptor: str, found: Classification) -> Iterator[str]:
    """Put an explanation into lines for a person."""
    yield descriptor
    yield ""
    yield f"  merchant    {_merchant(found)}"
    yield f"  category    {f'{found.category.primary} > {found.category.detailed}' if found.category else 'none: nothing was found'}"
    yield f"  confidence  {found.confidence:.2f} {found.level}"
    parts = f"{found.merchant_score:.3f} merchant + {found.semantic_score:.3f} semantic + {found.rule_score:.3f} rules and MCC"
    yield f"  score       {found.score:.3f} = {parts}"
    counted = [item for item in found.evidence if item.counted and found.category and item.category == found.category.detailed]
    yield from _section("why", counted, found)
    yield from _section("for other categories", [item for item in found.evidence if item.counted and item not in counted], found)
    yield from _section("seen, but not counted", [item for item in found.evidence if not item.counted], found)
    if found.alternatives:
        yield "\n  next best"
        yield from (f"    {alternative.score:.3f}  {alternative.category.detailed}" for alternative in found.alternatives)
    if found.facts:
        yield "\n  found in the descriptor"
        yield from (f"    {name.replace('_', ' '):<12}  {value}" for name, value in found.facts.items())
    yield f"\n  decided by pack {found.pack}"


def _merchant(found: Classification) -> str:
    merchant = found.merchant
    name = merchant.name or "none"
    known = f" ({merchant.id})" if merchant.id else " (not in the gazetteer)" if merchant.name else ""
    through = f", through {merchant.processor}" if merchant.processor else ""
    website = f", {merchant.website}" if merchant.website else ""
    return f"{name}{known}{through}{website}"


def _section(title: str, evidence: list[Evidence], found: Classification) -> Iterator[str]:
    if not evidence:
        return
    yield f"\n  {title}"
    for item in evidence:
        share = f"{item.contribution:.3f} of {item.weight:.1f}" if item.counted else "-"
        matched = f' "{item.matched}"' if item.matched else ""
        category = "" if found.category and item.category == found.category.detailed else f" for {item.category or 'no category'}"
        yield f"    {item.signal:<9} {share:<13}{matched} {item.ref}{category}"
        if item.why:
            yield f"    {'':<9} {'':<13} {item.why}"
