"""What a correction proposes to add to a pack: a merchant where the core names one that the pack does not know, else a rule."""

import csv
import io
import json
import re
from typing import Literal

import msgspec

from rayapp.scoring.classifier import Classifier
from rayapp.scoring.text import clean
from rayapp.scoring.transaction import Transaction

MERCHANT_COLUMNS = ("id", "name", "category", "aliases", "countries", "website", "match", "weight")
LONGEST_ID = 60


class Proposal(msgspec.Struct, frozen=True):
    """Lines to add to a file of a pack; ``text`` is a CSV line under ``MERCHANT_COLUMNS``, or a ``[[rule]]``."""

    kind: Literal["merchant", "rule"]
    file: str
    text: str


def propose(classifier: Classifier, transaction: Transaction, category: str, merchant: str | None = None) -> Proposal:
    """Propose how a pack could decide a transaction, and others like it, as a person says.

    A merchant's row where nothing but the core speaks for the row, or where the person names the merchant; a rule that sets merchant
    evidence aside where the pack knows the merchant as something else. Whether it is good is for a plan to show.
    """
    found = classifier.explain(transaction)
    core = found.facts.get("core", "") if found.facts else ""
    known = any(item.signal == "merchant" and item.category for item in found.evidence)
    if re.search(r"[A-Z]{3}", core) and (merchant or not known) and not (known and merchant and _same(merchant, found.merchant.name)):
        return Proposal("merchant", "merchants/corrections.csv", _merchant(core, category, merchant or found.merchant.name or core.title()))
    return Proposal("rule", "rules/corrections.toml", _rule(core, transaction, category))


def _same(one: str, other: str | None) -> bool:
    return one.casefold() == (other or "").casefold()


def _merchant(core: str, category: str, name: str) -> str:
    """Write the row of a merchant."""
    out = io.StringIO()
    alias = "" if core.casefold() == name.casefold() else core
    csv.writer(out, lineterminator="\n").writerow([_slug(name or core), name, category, alias, "", "", "", "0.95"])
    return ",".join(MERCHANT_COLUMNS) + "\n" + out.getvalue().rstrip("\n")


def _rule(core: str, transaction: Transaction, category: str) -> str:
    """Write a rule that fires on the transaction's own words."""
    view = clean(transaction.descriptor)
    words = core.split() or view.split()
    pattern = r"\b" + r".{0,12}\b".join(map(re.escape, words)) + r"\b"
    if not re.search(pattern, view):
        pattern = re.escape(view)
    pattern = re.sub(r"\\([ &#~-])", r"\1", pattern)
    quoted = f"'{pattern}'" if "'" not in pattern else json.dumps(pattern)
    lines = ["[[rule]]", f'id = "corrected.{_slug(" ".join(words))}"', f'category = "{category}"', f"patterns = [{quoted}]", "weight = 0.9"]
    lines += ["priority = 70", "overrides_merchant = true"]
    if transaction.direction:
        lines.append(f'when = {{ direction = "{transaction.direction}" }}')
    return "\n".join([*lines, f"examples = [{json.dumps(view, ensure_ascii=False)}]", 'why = "corrected by a person"'])


def _slug(name: str) -> str:
    """Make an id of a name."""
    slug = re.sub(r"[^a-z0-9]+", "-", clean(name).lower()).strip("-")[:LONGEST_ID].strip("-")
    return slug or "unnamed"
