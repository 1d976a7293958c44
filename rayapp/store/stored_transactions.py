"""Stored transactions as the engine takes them, by their ids, in one query however many there are."""

from collections.abc import Sequence

import asyncpg
import msgspec

from rayapp.scoring.transaction import Transaction
from rayapp.store.database import errors_as_ours
from rayapp.store.statements import statements

SQL = statements("stored_transactions")


async def fetch_transactions(session: asyncpg.Connection, ids: Sequence[str]) -> dict[str, Transaction]:
    """Give the transactions that are stored under these ids; others are missing from the answer."""
    readable = [name for name in ids if "\0" not in name]  # PostgreSQL's text holds none, so none is stored under such an id
    with errors_as_ours():
        rows: Sequence[asyncpg.Record] = await session.fetch(SQL["by_id"], readable)
    return {row["id"]: msgspec.convert(dict(row), Transaction) for row in rows}
