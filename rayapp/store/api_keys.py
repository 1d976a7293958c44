"""Keys of the service's clients, and their token buckets, which all replicas share."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple

import asyncpg
import msgspec

from rayapp.errors import InvalidInput
from rayapp.store.database import errors_as_ours
from rayapp.store.statements import statements

SQL = statements("api_keys")
CHANNEL = "rayapp_api_keys"
"""LISTEN here to hear of keys that were added or revoked."""

KeyTier = Literal["priority", "standard", "bulk"]

PREFIXES: dict[KeyTier, str] = {"priority": "rayapp_priority_", "standard": "rayapp_", "bulk": "rayapp_bulk_"}
"""A key begins with its tier, so that what stands before the replicas knows whose turn it is without asking."""

MARK_CHARACTERS = 8
"""Of a key after its prefix: they name it."""


class Allowance(msgspec.Struct, frozen=True):
    """What a client may do: rows a second, rows at once, and requests at a time, over all replicas."""

    rows_per_s: float
    burst_rows: float
    at_once: int


ALLOWANCES: dict[KeyTier, Allowance] = {
    "priority": Allowance(20_000, 200_000, 128),
    "standard": Allowance(5_000, 50_000, 64),
    "bulk": Allowance(50_000, 1_000_000, 16),
}
"""What a key of a tier gets if nothing else is said."""


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a key; ``mark`` is its beginning."""

    id: int
    name: str
    mark: str
    tier: KeyTier
    allowance: Allowance
    operator: bool = False
    """Whether it may change packs, and so the answers that everybody gets."""
    hash: bytes = b""
    created_at: datetime | None = None
    revoked_at: datetime | None = None


class Lease(NamedTuple):
    """Rows that were leased, and what is left in the bucket (below nought: a debt)."""

    granted: float
    left: float


class Debit(NamedTuple):
    """What is left in the bucket, and the seconds until it is out of debt where rows could not be taken, else 0."""

    left: float
    wait_s: float


def hash_of(key: str) -> bytes:
    """Give what is kept of a key."""
    return hashlib.sha256(key.encode()).digest()


def mark_of(key: str, tier: KeyTier) -> str:
    """Give the beginning of a key, by which a person knows it again."""
    return key[: len(PREFIXES[tier]) + MARK_CHARACTERS]


async def add_key(session: asyncpg.Connection, name: str, tier: KeyTier, allowance: Allowance, *, operator: bool = False) -> str:
    """Make a key and give it; this is the only time that it can be seen."""
    key = PREFIXES[tier] + secrets.token_urlsafe(32)
    given = (allowance.rows_per_s, allowance.burst_rows, allowance.at_once)
    with errors_as_ours():
        await session.fetchval(SQL["add"], name, mark_of(key, tier), hash_of(key), tier, *given, operator)
        await session.execute(SQL["announce"])
    return key


async def list_keys(session: asyncpg.Connection) -> list[ApiKey]:
    """Give all keys that ever were, the oldest first."""
    with errors_as_ours():
        rows: Sequence[asyncpg.Record] = await session.fetch(SQL["list"])
    return [_key(row) for row in rows]


async def valid_keys(session: asyncpg.Connection) -> list[ApiKey]:
    """Give the keys that are good now, with their hashes."""
    with errors_as_ours():
        rows: Sequence[asyncpg.Record] = await session.fetch(SQL["valid"])
    return [_key(row) for row in rows]


async def revoke_key(session: asyncpg.Connection, mark: str) -> None:
    """Make a key good for nothing; raises ``InvalidInput`` when no good key begins so."""
    with errors_as_ours():
        if await session.fetchval(SQL["revoke"], mark) is None:
            raise InvalidInput(f"no key that is good begins with {mark!r}: `rayapp keys list` shows them")
        await session.execute(SQL["announce"])


async def lease_rows(session: asyncpg.Connection, key_id: int, need: float, want: float) -> Lease:
    """Take at least ``need`` and at most ``want`` rows out of a key's bucket, or nothing when it does not hold as many."""
    with errors_as_ours():
        row = await session.fetchrow(SQL["lease"], key_id, need, want)
    return Lease(row["granted"], row["left"]) if row is not None else Lease(0.0, 0.0)


async def debit_rows(session: asyncpg.Connection, key_id: int, rows: float) -> Debit:
    """Take rows out of a key's bucket that others will deal with later, though it then is in debt; nothing while it is.

    Joins the caller's transaction, and until its end no other request of the key takes any.
    """
    with errors_as_ours():
        row = await session.fetchrow(SQL["debit"], key_id, rows)
    return Debit(row["left"], row["wait_s"]) if row is not None else Debit(0.0, 0.0)


async def give_back_rows(session: asyncpg.Connection, key_id: int, rows: float) -> None:
    """Put leased rows back that nobody used."""
    with errors_as_ours():
        await session.execute(SQL["give_back"], key_id, rows)


def _key(row: asyncpg.Record) -> ApiKey:
    columns = dict(row)
    allowance = Allowance(columns.pop("rows_per_s"), columns.pop("burst_rows"), columns.pop("at_once"))
    return ApiKey(allowance=allowance, **columns)
