"""Loading a source exactly once: a chunk's rows and its entry in the ledger are committed together."""

from collections.abc import Sequence

import asyncpg
import msgspec

from rayapp.datasets import Dataset
from rayapp.errors import Unavailable
from rayapp.store.database import errors_as_ours
from rayapp.store.ledger import SQL, Counts, Job, Rejected, quarantine
from rayapp.store.staging import Chunk, Copied, copies

DOUBTS = 16
"""Chunks that are merged without a try to copy them, after keys were found in the table that a probe had missed."""


class _StoppedError(Exception):
    """The job was stopped; what the transaction has done so far is to be forgotten."""


class Prepared(msgspec.Struct, frozen=True):
    """A chunk ready to be sent: what goes into each table, one row for each key, in the order of keys."""

    number: int
    rows: int
    copied: tuple[Copied, ...]
    rejected: Sequence[Rejected]


class ChunkLoader:
    """Loads the chunks of one job, by copying them straight into the tables where none of their keys is there yet."""

    def __init__(self, job: Job, dataset: Dataset, *, first: bool = False) -> None:
        """Take what all chunks share; ``first`` for a job in the state of a first load."""
        self.job = job
        self._first = first
        self.dataset = dataset
        self.stopped = False
        """The job was found stopped: nothing more of it is loaded."""
        self._doubts = 0
        self._reserved: dict[int, asyncpg.Connection] = {}

    def prepare(self, chunk: Chunk) -> Prepared:
        """Sort, make unique and encode a chunk: all of the work that needs no database."""
        return Prepared(chunk.number, chunk.rows.num_rows, copies(self.job, self.dataset, chunk, straight=self._first), chunk.rejected)

    async def reserve(self, session: asyncpg.Connection, number: int) -> bool:
        """Take a chunk to work on, unless it is loaded or another works on it; held until it is loaded or the connection ends.

        It spares work and nothing more: a chunk that two load nevertheless is loaded once.
        """
        with errors_as_ours():
            reserved = bool(await session.fetchval(SQL["reserve"], self.job.seq, number))
        if reserved:
            self._reserved[number] = session
        return reserved

    async def load(self, session: asyncpg.Connection, chunk: Prepared) -> Counts | None:
        """Load one chunk exactly once, however often and by however many it is tried.

        Gives ``None`` when it was loaded already, or when the job was stopped. One transaction: claim in the ledger, rows, quarantine,
        counts. A row that is there with a higher version stays. After ``Unavailable`` the caller drops the connection and tries again on a
        new one, also when the answer to the commit was lost.
        """
        if self.stopped:
            return None
        counts = None
        with errors_as_ours():
            try:
                async with session.transaction():
                    counts = await self._load(session, chunk)
            except _StoppedError:
                self.stopped = True
            if self._reserved.pop(chunk.number, None) is session:
                await session.execute(SQL["release"], self.job.seq, chunk.number)
        return counts

    async def refuse(self, session: asyncpg.Connection, chunk: Prepared) -> None:
        """Keep what is wrong with a chunk that is not loaded, since too much is."""
        with errors_as_ours():
            await quarantine(session, self.job, chunk.number, chunk.rejected)

    async def _load(self, session: asyncpg.Connection, chunk: Prepared) -> Counts | None:
        await session.execute(SQL["take_turn"], self.dataset.name, self.dataset.decides)
        claimed = await session.fetchrow(SQL["claim_chunk"], self.job.seq, chunk.number, self.dataset.name)
        if claimed is None:
            return None
        first, stopped = claimed
        if stopped:
            raise _StoppedError
        if first not in {None, self.job.seq}:
            raise first_load_runs(self.dataset.name, await session.fetchval(SQL["job_id"], first))
        if self._first and first is None:
            raise Unavailable(f"the first load of {self.dataset.name} was ended meanwhile: run it again to go on")
        inserted, updated = await self._write(session, chunk, straight=first is not None)
        bad = await quarantine(session, self.job, chunk.number, chunk.rejected)
        counts = _counts(chunk, inserted, updated, bad)
        await session.execute(SQL["count_chunk"], self.job.seq, chunk.number, *msgspec.structs.astuple(counts))
        return counts

    async def _write(self, session: asyncpg.Connection, chunk: Prepared, *, straight: bool) -> tuple[int, int]:
        """Write the rows; gives how many are new, and how many were replaced."""
        if not chunk.rows:
            return 0, 0
        if straight:
            await _copy(session, chunk)
            return chunk.copied[0].rows, 0
        if await self._are_new(session, chunk) and await self._copied(session, chunk):
            return chunk.copied[0].rows, 0
        merged = [await merge(session, copied) for copied in chunk.copied]
        return merged[0]

    async def _are_new(self, session: asyncpg.Connection, chunk: Prepared) -> bool:
        """Look whether some of the chunk's keys are in the table, and whether there is reason to believe the answer for all."""
        if self._doubts:
            self._doubts -= 1
            return False
        return not await session.fetchval(*chunk.copied[0].probe)

    async def _copied(self, session: asyncpg.Connection, chunk: Prepared) -> bool:
        """Try to copy the rows straight into the tables; nothing is changed when one of them is there."""
        try:
            async with session.transaction():
                await _copy(session, chunk)
        except asyncpg.UniqueViolationError:
            self._doubts = DOUBTS
            return False
        return True


def first_load_runs(dataset: str, job: object) -> Unavailable:
    """Say why a dataset takes no other load now."""
    return Unavailable(f"a first load of {dataset} runs (load {job}): let it end, run it again if it broke off, or cancel it")


async def _copy(session: asyncpg.Connection, chunk: Prepared) -> None:
    for copied in chunk.copied:
        await _send(session, copied, copied.target.name, copied.target.schema)


async def merge(session: asyncpg.Connection, copied: Copied) -> tuple[int, int]:
    """Merge rows into their table; gives how many are new, and how many were replaced. What has the same or a higher version stays."""
    await session.execute(copied.target.create_staging(copied.columns))
    await _send(session, copied, copied.target.staging, None)
    inserted, updated = await session.fetchrow(copied.target.merge(copied.columns))
    return inserted, updated


async def _send(session: asyncpg.Connection, copied: Copied, table: str, schema: str | None) -> None:
    await session.copy_to_table(table, schema_name=schema, source=copied.content, columns=copied.columns, format="binary")


def _counts(chunk: Prepared, inserted: int, updated: int, bad: int) -> Counts:
    unique = chunk.copied[0].rows
    return Counts(
        rows=chunk.rows + bad,
        inserted=inserted,
        updated=updated,
        superseded=unique - inserted - updated,
        repeated=chunk.rows - unique,
        quarantined=bad,
    )
