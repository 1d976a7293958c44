"""How a transaction's decision came to be what it is: every change by changeset, with the packs and what each went by."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg
import msgspec

from rayapp.errors import InvalidInput
from rayapp.store.database import errors_as_ours
from rayapp.store.statements import statements

SQL = statements("plans")


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change of one decision, with both sides of it."""

    changeset: int
    kind: str
    made_by: str
    reason: str
    at: datetime
    pack_before: str | None
    pack_after: str | None
    category_before: str | None
    category_after: str | None
    merchant_before: str | None
    merchant_after: str | None
    confidence_before: float
    confidence_after: float
    rules_before: list[str]
    rules_after: list[str]
    alias_before: str | None
    alias_after: str | None


async def decision_history(session: asyncpg.Connection, transaction_id: str) -> list[Change]:
    """Give the changes of a transaction's decision, the oldest first; raises ``InvalidInput`` when there is no such transaction."""
    with errors_as_ours():
        if not await session.fetchval(SQL["is_decided"], transaction_id):
            raise InvalidInput(f"there is no transaction {transaction_id!r}")
        rows: Sequence[asyncpg.Record] = await session.fetch(SQL["history"], transaction_id)
    return [Change(**dict(row)) for row in rows]
