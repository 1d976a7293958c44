"""The messages at the borders of the scoring core: a transaction goes in, a classification comes out."""

from typing import Literal

import msgspec

Direction = Literal["debit", "credit"]
Status = Literal["classified", "unclassified", "partial"]
Level = Literal["VERY_HIGH", "HIGH", "MEDIUM", "LOW"]
Signal = Literal["merchant", "semantic", "rule", "mcc"]


class Transaction(msgspec.Struct, frozen=True, omit_defaults=True):
    """One bank or card transaction as the bank prints it."""

    id: str
    descriptor: str
    """The bank's text, 1 to 512 characters."""
    amount: str | int | float | None = None
    """In units of ``currency``; a decimal string or a finite number."""
    currency: str | None = None
    """ISO 4217 alphabetic code."""
    direction: Direction | None = None
    """``debit`` is money leaving the account."""
    mcc: str | int | None = None
    """ISO 18245 merchant category code, four digits."""
    country: str | None = None
    """ISO 3166-1 alpha-2 code of the merchant's country."""
    booked_at: str | None = None
    """ISO 8601 date or date-time."""
    account_id: str | None = None
    user_id: str | None = None


class StrictTransaction(Transaction, frozen=True, forbid_unknown_fields=True):
    """A transaction that is refused with a field which is none of these."""


class Merchant(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who was paid; ``id`` only where the gazetteer knows the merchant, ``processor`` where a payment company stood between."""

    name: str | None
    id: str | None = None
    website: str | None = None
    processor: str | None = None


class Category(msgspec.Struct, frozen=True):
    """A category of the pack's taxonomy."""

    primary: str
    detailed: str


class Evidence(msgspec.Struct, frozen=True, omit_defaults=True):
    """One reason for a category.

    ``contribution`` is what it adds to the category's score; ``weight`` is the most that its signal can add. ``matched`` is the
    text that matched and ``start``/``end`` its place in the clean view of the descriptor. Evidence of a signal that is not the
    strongest of its kind for its category, or that a rule set aside, has ``counted`` false and adds nothing.
    """

    signal: Signal
    category: str
    ref: str
    weight: float
    contribution: float
    matched: str = ""
    start: int = -1
    end: int = -1
    counted: bool = True
    why: str = ""


class Alternative(msgspec.Struct, frozen=True):
    """A category that came after the chosen one."""

    category: Category
    score: float


class Classification(msgspec.Struct, frozen=True, omit_defaults=True):
    """The decision for one transaction; ``category`` is ``None`` exactly when ``status`` is ``unclassified``."""

    id: str
    status: Status
    merchant: Merchant
    category: Category | None
    score: float
    """Sum of the counted contributions, clipped to 1."""
    confidence: float
    """Calibrated probability that the detailed category is right."""
    level: Level
    merchant_score: float
    semantic_score: float
    rule_score: float
    alias_id: str | None
    rule_ids: tuple[str, ...]
    pack: str
    evidence: tuple[Evidence, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    facts: dict[str, str] = {}
    """What was peeled off the descriptor: processor, channel, store_number, city, region, country, phone."""
