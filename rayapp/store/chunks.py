"""Loading a source exactly once: a job cuts it into chunks, and each chunk's rows and ledger entry are committed together."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec
import numpy as np
import pyarrow as pa

from rayapp.errors import InvalidInput, InvalidSetup
from rayapp.store.binary_copy import binary_copy
from rayapp.store.database import errors_as_ours
from rayapp.store.staging import staging_table
from rayapp.store.statements import statements

SQL = statements("ingest")

JOB_SHIFT, CHUNK_SHIFT = 40, 20
MOST_ROWS = 1 << CHUNK_SHIFT
MOST_SHOWN = 1000


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What a job loads. ``digest`` covers the bytes and the way they are cut into ``chunks``, so that a resumed job cuts alike."""

    dataset: str
    name: str
    digest: str
    bytes: int
    chunks: int
    pack: str
    """Digest of the stored pack that decides."""


class Job(msgspec.Struct, frozen=True):
    """A job in the ledger; ``seq`` is its number here, ``id`` what the world calls it."""

    seq: int
    id: UUID
    pack_id: int
    chunks: int
    finished: bool


class Chunk(msgspec.Struct, frozen=True):
    """One chunk of a job: its classified rows, and what had to be left out.

    ``transactions`` has the engine's input columns and ``decisions`` its output columns, one row for each loaded row in the order
    of the source. ``rows`` (int32) gives each row's place in the chunk.
    """

    number: int
    transactions: pa.Table
    decisions: pa.Table
    rows: pa.Array
    rejected: Sequence["Rejected"] = ()


class Rejected(msgspec.Struct, frozen=True):
    """A value that kept its row from being loaded; ``line`` is one-based in the source."""

    line: int
    column: str
    value: str | None
    reason: str


class Counts(msgspec.Struct, frozen=True):
    """What became of the rows of a chunk, which add up to ``rows``."""

    rows: int
    inserted: int
    updated: int
    superseded: int
    """The table had the id with a higher version."""
    repeated: int
    """The id came again later in the chunk."""
    quarantined: int


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a job is, from the ledger, which is the only count that a retried task cannot inflate."""

    id: UUID
    source: str
    pack: str
    chunks: int
    chunks_done: int
    rows: int
    inserted: int
    updated: int
    superseded: int
    repeated: int
    quarantined: int
    started_at: datetime
    finished_at: datetime | None


async def open_job(session: asyncpg.Connection, source: Source) -> Job:
    """Begin a job, or go on with the one that loaded the same source with the same pack before.

    Raises ``InvalidSetup`` when the pack is not stored: a decision must be repeatable.
    """
    with errors_as_ours():
        row = await session.fetchrow(
            SQL["open_job"], source.dataset, source.name, source.digest, source.bytes, source.pack, source.chunks
        )
    if row is None:
        raise InvalidSetup(f"pack {source.pack} is not stored in this database: save it before a load")
    return Job(**dict(row))


async def loaded_chunks(session: asyncpg.Connection, job: Job) -> frozenset[int]:
    """Give the numbers of the chunks that need no work."""
    with errors_as_ours():
        return frozenset(row["number"] for row in await session.fetch(SQL["loaded_chunks"], job.seq))


async def load_chunk(session: asyncpg.Connection, job: Job, chunk: Chunk) -> Counts | None:
    """Load one chunk exactly once, however often and by however many it is tried; ``None`` when it was loaded already.

    One transaction: claim in the ledger, binary COPY into staging, merge, quarantine, counts. A row that is there with a higher
    version stays. After ``Unavailable`` the caller drops the connection and tries again on a new one, also when the answer to the
    commit was lost. Values must be valid already: one that PostgreSQL refuses takes the whole chunk with it.
    """
    _check_lengths(chunk)
    staging = staging_table(chunk.transactions, chunk.decisions, chunk.rows)
    with errors_as_ours():
        async with session.transaction():
            if not await session.fetchval(SQL["claim_chunk"], job.seq, chunk.number):
                return None
            await session.execute(SQL["create_staging"])
            await session.copy_to_table("staging", source=binary_copy(staging), columns=staging.column_names, format="binary")
            version = (job.seq << JOB_SHIFT) + (chunk.number << CHUNK_SHIFT)
            merged = await session.fetchrow(SQL["merge_staging"], version, job.pack_id)
            quarantined = await _quarantine(session, job, chunk)
            counts = _counts(merged, quarantined)
            await session.execute(SQL["count_chunk"], job.seq, chunk.number, *msgspec.structs.astuple(counts))
    return counts


async def finish_job(session: asyncpg.Connection, job: Job) -> Progress:
    """Close the job if all of its chunks are in the ledger, and give its counts."""
    with errors_as_ours():
        await session.execute(SQL["finish_job"], job.seq)
    return await job_progress(session, job)


async def job_progress(session: asyncpg.Connection, job: Job) -> Progress:
    """Give the job's counts so far."""
    with errors_as_ours():
        row = await session.fetchrow(SQL["progress"], job.seq)
    if row is None:
        raise InvalidInput(f"no job {job.id}")
    return Progress(**dict(row))


async def quarantined(session: asyncpg.Connection, job: Job, most: int = 1_000_000) -> list[Rejected]:
    """Give the values that kept rows from being loaded, in the order of the source."""
    with errors_as_ours():
        rows = await session.fetch(SQL["quarantined"], job.seq, most)
    return [Rejected(*row) for row in rows]


def _check_lengths(chunk: Chunk) -> None:
    given, decided, rows = chunk.transactions.num_rows, chunk.decisions.num_rows, len(chunk.rows)
    if not given == decided == rows <= MOST_ROWS:
        raise InvalidInput(f"chunk {chunk.number}: {given} transactions, {decided} decisions, {rows} rows; the most is {MOST_ROWS}")


async def _quarantine(session: asyncpg.Connection, job: Job, chunk: Chunk) -> int:
    """Write the rejected values; gives the number of rows that they are from."""
    if not chunk.rejected:
        return 0
    lines = [bad.line for bad in chunk.rejected]
    columns = [bad.column for bad in chunk.rejected]
    values = [None if bad.value is None else _shown(bad.value) for bad in chunk.rejected]
    reasons = [_shown(bad.reason) for bad in chunk.rejected]
    await session.execute(SQL["quarantine"], job.seq, chunk.number, lines, columns, values, reasons)
    return len(np.unique(lines))


def _shown(value: str) -> str:
    """Make a value fit for a text column: no NUL, no half of a surrogate pair, not endless."""
    return value[:MOST_SHOWN].replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _counts(merged: asyncpg.Record, quarantined_rows: int) -> Counts:
    staged, latest, inserted, updated = merged
    return Counts(
        rows=staged + quarantined_rows,
        inserted=inserted,
        updated=updated,
        superseded=latest - inserted - updated,
        repeated=staged - latest,
        quarantined=quarantined_rows,
    )
