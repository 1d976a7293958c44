"""Reclassifications: stored rows decided anew, range by range, each exactly once, with their history.

A range is a run of the table's blocks. One transaction claims it in the ledger, reads its rows, writes what came out otherwise with the
history, and notes the new pack with each row that was decided again. The transaction sees one state of the data: where a load writes a row
meanwhile, the database refuses the later of both and the range is done again.
"""

import asyncio
from datetime import datetime

import asyncpg
import msgspec

from rayapp.errors import InvalidInput, InvalidSetup, Unavailable
from rayapp.scoring.classifier import Classifier
from rayapp.store.binary_copy import binary_copy
from rayapp.store.database import connect, errors_as_ours
from rayapp.store.statements import statements
from rayapp.store.stored_rows import Decided, Range, decide, read_rows, redecided_table

SQL = statements("redeciding")

TRIES = 8
FIRST_PAUSE_S = 0.2

STEP = 2048
"""Blocks of a range: 16 MB, some 100,000 transactions."""


class Changeset(msgspec.Struct, frozen=True):
    """A reclassification under way."""

    id: int
    pack_id: int
    whole: bool
    blocks: int
    step: int
    is_new: bool

    @property
    def ranges(self) -> int:
        """How many ranges there are."""
        return -(-self.blocks // self.step)

    def range(self, number: int) -> Range:
        """Give the blocks of a range; the last has no end, so that rows written meanwhile are in it."""
        return Range(number * self.step, (number + 1) * self.step)


class Redecided(msgspec.Struct, frozen=True, kw_only=True):
    """How far a reclassification is, from its ledger. ``rows`` is about how many transactions there are."""

    id: int
    pack: str
    whole: bool
    rows: int
    ranges: int
    ranges_done: int
    decided: int
    changed: int
    unreadable: int
    begun_at: datetime
    finished_at: datetime | None

    @property
    def looked_at(self) -> int:
        """About how many rows were looked at, of which those that nothing can touch were not decided again."""
        return self.rows if self.finished_at or not self.ranges else self.rows * self.ranges_done // self.ranges


async def open_reclassification(session: asyncpg.Connection, digest: str, *, whole: bool, made_by: str = "", reason: str = "") -> Changeset:
    """Begin to decide stored rows by a stored pack, or go on with what broke off and found no load in between."""
    with errors_as_ours():
        await refuse_first_load(session)
        pack_id = await session.fetchval(SQL["pack_id"], digest)
        if pack_id is None:
            raise InvalidInput(f"no pack {digest!r} is stored here: `rayapp packs list` shows those that are")
        async with session.transaction():
            loads = await session.fetchval(SQL["loads"])
            await session.execute(SQL["close_outdated"], pack_id, whole, loads)
            blocks = await session.fetchval(SQL["blocks"])
            row = await session.fetchrow(SQL["open"], pack_id, whole, loads, blocks, STEP, made_by, reason)
    return Changeset(**dict(row))


async def refuse_first_load(session: asyncpg.Connection) -> None:
    """Raise ``Unavailable`` while the tables are filled for the first time, without their keys."""
    if await session.fetchval(SQL["first_load"]) and await session.fetchval(SQL["in_first_load"]):
        raise Unavailable("transactions are being loaded for the first time: decide them again when that is done")


async def done_ranges(session: asyncpg.Connection, changeset: Changeset) -> frozenset[int]:
    """Give the numbers of the ranges that need no work."""
    with errors_as_ours():
        return frozenset(row["number"] for row in await session.fetch(SQL["done_ranges"], changeset.id))


async def redecide_range(
    session: asyncpg.Connection, changeset: Changeset, number: int, classifier: Classifier, condition: str
) -> Decided | None:
    """Decide one range again, exactly once however often it is tried; ``None`` when it was done already.

    Raises ``Unavailable`` when a load wrote one of its rows meanwhile: try again.
    """
    if not condition:
        raise InvalidSetup("a range needs a condition")
    with errors_as_ours():
        async with session.transaction(isolation="repeatable_read"):
            await session.execute(SQL["share"])
            if not await session.fetchval(SQL["claim_range"], changeset.id, number):
                return None
            stored = await read_rows(session, changeset.range(number), f"NOT d.locked AND {condition}")
            decided = await asyncio.to_thread(decide, classifier, stored)
            await _write(session, changeset, decided)
            counts = len(decided.changed), int(decided.changed.sum()), decided.unreadable
            await session.execute(SQL["count_range"], changeset.id, number, *counts)
    return decided


class RangeWorker:
    """Decides ranges again over one connection, which is renewed when it breaks."""

    def __init__(self, url: str, changeset: Changeset, classifier: Classifier, condition: str) -> None:
        """Take what all ranges share; nothing is connected yet."""
        self._url = url
        self._changeset = changeset
        self._classifier = classifier
        self._condition = condition
        self._session: asyncpg.Connection | None = None

    async def redecide(self, number: int) -> Redecided:
        """Decide a range again and give how far all are. Raises ``Unavailable`` when the database does not come back."""
        for trial in range(TRIES):
            try:
                self._session = self._session or await connect(self._url)
                await redecide_range(self._session, self._changeset, number, self._classifier, self._condition)
                return await reclassification(self._session, self._changeset.id)
            except Unavailable:
                self.close()
                if trial == TRIES - 1:
                    raise
                await asyncio.sleep(FIRST_PAUSE_S * 2**trial)
        raise AssertionError

    def close(self) -> None:
        """Drop the connection."""
        if self._session is not None:
            self._session.terminate()
            self._session = None


async def _write(session: asyncpg.Connection, changeset: Changeset, decided: Decided) -> None:
    if not decided.stored.num_rows:
        return
    await stage(session, decided, only_changed=False)
    if decided.changed.any():
        await session.execute(SQL["keep_history"], changeset.id, changeset.pack_id)
        await session.execute(SQL["write_changed"], changeset.pack_id)
    if not decided.changed.all():
        await session.execute(SQL["write_unchanged"], changeset.pack_id)


async def stage(session: asyncpg.Connection, decided: Decided, *, only_changed: bool) -> None:
    """Copy decided rows into the temporary table ``redecided``."""
    table = redecided_table(decided, only_changed=only_changed)
    await session.execute(SQL["create_redecided"])
    await session.copy_to_table("redecided", source=binary_copy(table), columns=table.column_names, format="binary")


async def finish_reclassification(session: asyncpg.Connection, changeset: Changeset) -> Redecided:
    """Close a reclassification whose ranges are done, and give its counts."""
    with errors_as_ours():
        await session.execute(SQL["finish"], changeset.id)
    return await reclassification(session, changeset.id)


async def reclassification(session: asyncpg.Connection, changeset_id: int) -> Redecided:
    """Give the counts so far."""
    with errors_as_ours():
        row = await session.fetchrow(SQL["progress"], changeset_id)
    if row is None:
        raise InvalidInput(f"there is no changeset {changeset_id}")
    return Redecided(**dict(row))
