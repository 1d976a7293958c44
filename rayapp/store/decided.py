"""Stored transactions with their decisions, a page of a list at a time: whatever the list, a page begins behind the last row of another."""

from collections.abc import Sequence
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

import asyncpg
import msgspec

from rayapp.scoring.transaction import Level
from rayapp.store.database import errors_as_ours
from rayapp.store.statements import statements

SQL = statements("stored_transactions")

Key = TypeVar("Key", bound=tuple[object, str])
"""Where a row stands in a list: the value that the list is in the order of, and the transaction's id."""


class DecidedTransaction(msgspec.Struct, frozen=True, kw_only=True):
    """A stored transaction with its decision; decimal ``amount`` in units of ``currency``."""

    id: str
    descriptor: str
    amount: str | None
    currency: str | None
    direction: str | None
    mcc: str | None
    country: str | None
    booked_at: datetime | None
    merchant: str | None
    category: str | None
    """The detailed one; ``None`` where nothing was decided."""
    confidence: float
    level: Level


class Page(NamedTuple, Generic[Key]):
    """Rows of a list, and where the last of them stands; ``None`` at the list's end."""

    transactions: list[DecidedTransaction]
    last: Key | None


async def page_of(session: asyncpg.Connection, found: Sequence[Key], most: int) -> Page[Key]:
    """Give the first ``most`` of the rows that stand at ``found``, which has one more where there is one."""
    shown = found[:most]
    with errors_as_ours():
        rows: Sequence[asyncpg.Record] = await session.fetch(SQL["decided"], [name for _, name in shown])
    return Page([DecidedTransaction(**dict(row)) for row in rows], shown[-1] if len(found) > most else None)
