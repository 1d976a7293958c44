"""The keys and shared buckets in PostgreSQL as a replica uses them: it hears of changes, and waits for no database that is away."""

import asyncio
import logging
import time
import uuid
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress

import asyncpg

from rayapp.errors import RayappError, Unavailable
from rayapp.serve.admission import Gate
from rayapp.serve.database import Database
from rayapp.store import key_slots
from rayapp.store.api_keys import CHANNEL, Lease, give_back_rows, lease_rows, valid_keys
from rayapp.store.database import connection
from rayapp.store.key_slots import Holder, give_slots, keep_slots, take_slots

LEASE_WITHIN_S = 1.0
"""A request waits no longer for its lease."""

LOOK_S = 30.0
"""How often keys are read although nobody said that they have changed."""

FIRST_WITHIN_S = 5.0
"""How long a new replica waits for keys before it takes requests."""

GIVE_BACK_S = 1.0
RETRY_S = 1.0

log = logging.getLogger(__name__)


class KeyBook:
    """The bank of one replica's gate, and what tells the gate of its keys."""

    def __init__(self, database: Database) -> None:
        """Take the database; nothing is asked yet."""
        self._database = database
        self._name = uuid.uuid4().hex
        self._changed = asyncio.Event()
        self._read = asyncio.Event()

    async def lease(self, key_id: int, need: float, want: float) -> Lease:
        """Lease rows; raises ``Unavailable`` when the database does not answer soon."""
        return await self._database.ask(lambda session: lease_rows(session, key_id, need, want), LEASE_WITHIN_S)

    async def give_back(self, key_id: int, rows: float) -> None:
        """Give leased rows back."""
        await self._database.ask(lambda session: give_back_rows(session, key_id, rows), LEASE_WITHIN_S)

    async def take_slots(self, key_id: int, need: int, want: int) -> int:
        """Lease requests at a time; raises ``Unavailable`` as ``lease`` does."""
        return await self._database.ask(lambda session: take_slots(session, Holder(key_id, self._name), need, want), LEASE_WITHIN_S)

    async def keep_slots(self, key_ids: Sequence[int]) -> AbstractSet[int]:
        """Prolong the leases of requests at a time."""
        return await self._database.ask(lambda session: keep_slots(session, key_ids, self._name), LEASE_WITHIN_S)

    async def give_slots(self, key_id: int, left: int) -> None:
        """Give requests at a time back."""
        await self._database.ask(lambda session: give_slots(session, Holder(key_id, self._name), left), LEASE_WITHIN_S)

    async def follow(self, gate: Gate) -> None:
        """Keep a gate's keys up to date for ever, whatever happens to the database."""
        while True:
            try:
                async with connection(self._database.url) as session:
                    await session.add_listener(CHANNEL, lambda *_: self._changed.set())
                    await session.add_listener(key_slots.CHANNEL, lambda *said: self._heard(str(said[-1]), gate))
                    await self._keep_reading(session, gate)
            except RayappError as error:
                log.warning("keys.not_read", extra={"reason": str(error)})
                await asyncio.sleep(RETRY_S)

    async def first_read(self) -> None:
        """Wait until keys have been read, but not for long: while the database is away the service answers without it."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._read.wait(), FIRST_WITHIN_S)

    def _heard(self, payload: str, gate: Gate) -> None:
        """Give back what a replica lacks, unless it is this one."""
        key_id, _, name = payload.partition(" ")
        if name != self._name:
            gate.ask_back(int(key_id))

    async def _keep_reading(self, session: asyncpg.Connection, gate: Gate) -> None:
        read_at = -LOOK_S
        while True:
            if self._changed.is_set() or time.monotonic() - read_at >= LOOK_S:
                self._changed.clear()
                gate.use(await valid_keys(session))
                self._read.set()
                read_at = time.monotonic()
            with suppress(Unavailable):
                await gate.give_back()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), GIVE_BACK_S)
