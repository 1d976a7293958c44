"""How many of a key's requests at a time each replica may work on: slots, leased for a while, together never more than the key may have."""

from collections.abc import Sequence
from typing import NamedTuple

import asyncpg

from rayapp.store.database import errors_as_ours
from rayapp.store.statements import statements

SQL = statements("api_keys")
CHANNEL = "rayapp_api_key_slots"
"""LISTEN here to hear that a replica lacks slots of a key: the payload is the key's id and the replica's name, a space between."""

LEASE_S = 5.0
"""How long slots are a replica's own without a word from it."""


class Holder(NamedTuple):
    """A replica that holds slots of a key."""

    key_id: int
    name: str


async def take_slots(session: asyncpg.Connection, holder: Holder, need: int, want: int) -> int:
    """Lease at most ``want`` slots in place of what the replica held, as many as others leave; gives how many.

    The others hear of it where that are fewer than ``need``.
    """
    with errors_as_ours():
        async with session.transaction():
            await session.execute(SQL["lock_slots"], [holder.key_id])
            slots = await session.fetchval(SQL["take_slots"], *holder, need, want, LEASE_S)
    return slots or 0


async def keep_slots(session: asyncpg.Connection, key_ids: Sequence[int], name: str) -> set[int]:
    """Say that a replica lives and keeps its slots of these keys; gives the keys of which it still had any."""
    with errors_as_ours():
        async with session.transaction():
            await session.execute(SQL["lock_slots"], key_ids)
            rows = await session.fetch(SQL["keep_slots"], key_ids, name, LEASE_S)
    return {row["key_id"] for row in rows}


async def give_slots(session: asyncpg.Connection, holder: Holder, left: int) -> None:
    """Give slots back, down to ``left``."""
    with errors_as_ours():
        await session.execute(SQL["give_slots"], *holder, left)
