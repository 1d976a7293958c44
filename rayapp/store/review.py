"""Stored decisions that a person should look at: the less sure ones, in the order of their transactions' ids."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg
import msgspec

from rayapp.scoring.transaction import Level
from rayapp.store.database import errors_as_ours
from rayapp.store.statements import statements

SQL = statements("stored_transactions")


class Reviewed(msgspec.Struct, frozen=True, kw_only=True):
    """A stored transaction with its decision, as far as a person needs it to judge; decimal ``amount`` in units of ``currency``."""

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


async def to_review(session: asyncpg.Connection, below: float, after: str, most: int) -> list[Reviewed]:
    """Give at most so many decisions with a confidence ``below`` a bound, of transactions whose ids come ``after`` one.

    What a person has decided is not among them.
    """
    with errors_as_ours():
        rows: Sequence[asyncpg.Record] = await session.fetch(SQL["to_review"], below, after, most)
    return [Reviewed(**dict(row)) for row in rows]
