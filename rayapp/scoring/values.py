"""Single values at the border: each function turns one value as people write it into the engine's number, or raises ``ValueError``.

Both borders of the core (tables and single transactions) go through these, so that they accept and refuse the same.
"""

import math
import re
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

from rayapp.scoring.codes import COUNTRIES, CURRENCIES
from rayapp.scoring.evidence import NO_DATE
from rayapp.scoring.geography import country_number, currency_number

MAX_DESCRIPTOR = 512
"""Characters."""

MISSING = -1
DIRECTIONS = {"debit": 0, "credit": 1}

_EPOCH = date(1970, 1, 1).toordinal()
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*(?:e[+-]?[0-9]+)?|\.[0-9]+(?:e[+-]?[0-9]+)?|nan|inf|infinity)", re.IGNORECASE | re.ASCII)
_MCC = re.compile(r"[0-9]{3,4}|0+")
_DAY = re.compile(r"\d{4}-\d\d-\d\d(?:[T ].*)?")
_SHOWN = 40


def shown(value: object) -> str:
    """Quote a value for a message, shortened."""
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def descriptor_fault(descriptor: str | None) -> str | None:
    """Say what is wrong with a descriptor, or ``None``."""
    if descriptor is None:
        return "is missing"
    if len(descriptor) > MAX_DESCRIPTOR:
        return f"has {len(descriptor):,} characters; the most is {MAX_DESCRIPTOR}"
    return None if descriptor.strip() else "is empty"


def id_fault(row_id: str) -> str | None:
    """Say what is wrong with an identifier, or ``None``."""
    return None if row_id and not row_id.isspace() else "is empty"


@lru_cache(maxsize=4096)
def currency_of(value: str) -> int:
    """Number an ISO 4217 code."""
    code = value.strip().upper()
    if not code:
        return MISSING
    if code not in CURRENCIES:
        raise ValueError(f"{shown(value)} is not an ISO 4217 currency code")
    return currency_number(code)


@lru_cache(maxsize=4096)
def country_of(value: str) -> int:
    """Number an ISO 3166-1 alpha-2 code; ``UK`` is read as GB."""
    code = value.strip().upper()
    if not code:
        return MISSING
    code = "GB" if code == "UK" else code
    if code not in COUNTRIES:
        raise ValueError(f"{shown(value)} is not an ISO 3166-1 alpha-2 country code")
    return country_number(code)


@lru_cache(maxsize=64)
def direction_of(value: str) -> int:
    """Number a direction: debit 0, credit 1."""
    word = value.strip().lower()
    if not word:
        return MISSING
    if word not in DIRECTIONS:
        raise ValueError(f"{shown(value)} is neither 'debit' nor 'credit'")
    return DIRECTIONS[word]


@lru_cache(maxsize=16384)
def mcc_of(value: str | int) -> int:
    """Read an ISO 18245 code of four digits; its leading zero may be missing, as in a spreadsheet, and noughts alone stand for none.

    A code of one or two digits cannot be such a one: the lowest that there is is 0742.
    """
    text = str(value).strip()
    if not text:
        return MISSING
    if not _MCC.fullmatch(text):
        raise ValueError(f"{shown(value)} is not an MCC of four digits (ISO 18245)")
    return int(text) or MISSING


def amount_of(value: str | float | Decimal) -> float:
    """Read a decimal amount; NaN stands for a missing one."""
    if isinstance(value, str) and not value.strip():
        return math.nan
    if isinstance(value, str) and not _NUMBER.fullmatch(value.strip()):
        raise ValueError(f"{shown(value)} is not a decimal number")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{shown(value)} is not a finite number")
    return number


@lru_cache(maxsize=4096)
def day_of(value: str | date | datetime) -> int:
    """Read an ISO 8601 date or date-time as days since 1970."""
    text = str(value).strip()
    if not text:
        return NO_DATE
    try:
        return date.fromisoformat(text[:10] if _DAY.fullmatch(text) else "").toordinal() - _EPOCH
    except ValueError:
        raise ValueError(f"{shown(value)} is not an ISO 8601 date") from None
