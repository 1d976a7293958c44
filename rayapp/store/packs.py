"""Compiled packs in PostgreSQL: kept for ever under their digest, one of them active, the history of activations beside them."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import asyncpg
import msgspec

from rayapp.errors import InvalidInput
from rayapp.packs.cache import keep_pack, kept_pack
from rayapp.scoring.pack import CompiledPack
from rayapp.store.database import errors_as_ours
from rayapp.store.statements import statements

CHANNEL = "rayapp_pack"
"""LISTEN here for the digest of a pack that became active."""

SQL = statements("packs")


class StoredPack(msgspec.Struct, frozen=True):
    """What is known of a stored pack without reading it."""

    digest: str
    name: str
    bytes: int
    saved_at: datetime
    activated_at: datetime | None
    active: bool


class Activation(msgspec.Struct, frozen=True):
    """One entry of the history, ``id`` growing with time."""

    id: int
    digest: str
    reason: str
    activated_at: datetime


async def save_pack(session: asyncpg.Connection, digest: str, name: str, artefact: bytes) -> bool:
    """Store a compiled pack; says whether it is new. A digest names one content for ever, so a second time does nothing."""
    with errors_as_ours():
        return bool(await session.execute(SQL["save"], digest, name, artefact) == "INSERT 0 1")


async def fetch_pack(session: asyncpg.Connection, digest: str) -> bytes:
    """Give the compiled pack; raises ``InvalidInput`` when there is none with this digest."""
    with errors_as_ours():
        artefact = await session.fetchval(SQL["fetch"], digest)
    if artefact is None:
        raise _unknown(digest)
    return bytes(artefact)


async def read_pack(session: asyncpg.Connection, digest: str) -> CompiledPack:
    """Give a stored pack ready for use, from this machine's cache where it is there.

    Raises ``InvalidInput`` when there is none with this digest, ``InvalidPack`` when it is of an earlier format.
    """
    kept = await asyncio.to_thread(kept_pack, digest)
    if kept is not None:
        return kept
    artefact = await fetch_pack(session, digest)
    pack = CompiledPack.load(artefact)
    await asyncio.to_thread(keep_pack, digest, artefact)
    return pack


async def activate_pack(session: asyncpg.Connection, digest: str, reason: str = "") -> int:
    """Make a stored pack the active one and tell all who listen on ``CHANNEL``; gives the activation's id.

    A rollback is the activation of the former digest. Raises ``InvalidInput`` when there is no pack with this digest.
    """
    with errors_as_ours():
        async with session.transaction():
            activation = await session.fetchval(SQL["activate"], digest, reason)
            if activation is None:
                raise _unknown(digest)
            await session.execute(SQL["announce"], digest)
    return int(activation)


async def current_pack(session: asyncpg.Connection) -> str | None:
    """Give the digest of the active pack, ``None`` before the first activation."""
    with errors_as_ours():
        digest: str | None = await session.fetchval(SQL["current"])
    return digest


async def list_packs(session: asyncpg.Connection) -> list[StoredPack]:
    """Give all stored packs, the oldest first."""
    with errors_as_ours():
        rows: Sequence[asyncpg.Record] = await session.fetch(SQL["list"])
    return [StoredPack(**dict(row)) for row in rows]


async def stored_digest(session: asyncpg.Connection, beginning: str) -> str:
    """Give the one stored digest that begins so; raises ``InvalidInput`` when there is none or several."""
    found = [pack.digest for pack in await list_packs(session) if pack.digest.startswith(beginning)]
    if len(found) != 1:
        raise InvalidInput(f"{len(found) or 'no'} stored packs begin with {beginning!r}: `rayapp packs list` shows them")
    return found[0]


async def list_activations(session: asyncpg.Connection, most: int = 100) -> list[Activation]:
    """Give the last ``most`` activations, the newest first."""
    with errors_as_ours():
        rows: Sequence[asyncpg.Record] = await session.fetch(SQL["activations"], most)
    return [Activation(**dict(row)) for row in rows]


def _unknown(digest: str) -> InvalidInput:
    return InvalidInput(f"no pack {digest!r} is stored here: `rayapp packs list` shows those that are")
