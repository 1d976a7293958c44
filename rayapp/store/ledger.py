"""The ledger: which sources were loaded with which pack, how they were cut, and what became of their rows."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec
import numpy as np

from rayapp.errors import InvalidInput, InvalidSetup
from rayapp.store.database import errors_as_ours
from rayapp.store.statements import statements

SQL = statements("ingest")

MOST_SHOWN = 1000


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What a job loads. ``digest`` covers the bytes and what the columns mean; ``manifest`` is the cut into ``chunks``, as JSON."""

    dataset: str
    name: str
    digest: str
    bytes: int
    rows: int | None = None
    chunks: int
    tier: str = "huge"
    manifest: str | None = None
    pack: str | None = None
    """Digest of the stored pack that decides, for a dataset that is classified."""


class Job(msgspec.Struct, frozen=True):
    """A job in the ledger; ``seq`` is its number here, ``id`` what the world calls it. The cut is the one that it began with."""

    seq: int
    id: UUID
    dataset: str
    pack_id: int | None
    chunks: int
    tier: str
    manifest: str | None
    finished: bool


class Rejected(msgspec.Struct, frozen=True):
    """A value that kept its row from being loaded; ``line`` is one-based in ``file``, the source's own where it has but one."""

    line: int
    column: str
    value: str | None
    reason: str
    file: str = ""


class Counts(msgspec.Struct, frozen=True):
    """What became of the rows of a chunk, which add up to ``rows``."""

    rows: int
    inserted: int
    updated: int
    superseded: int
    """The table had the key with a higher version."""
    repeated: int
    """The key came again later in the chunk."""
    quarantined: int


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a job is, from the ledger, which is the only count that a retried task cannot inflate."""

    id: UUID
    dataset: str
    source: str
    pack: str | None
    tier: str
    source_rows: int | None
    """Rows to come in all, counted or estimated."""
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
    stopped_at: datetime | None
    stopped_why: str | None


async def open_job(session: asyncpg.Connection, source: Source) -> Job:
    """Begin a job, or go on with the one that loaded the same source with the same pack before, by the cut that it began with.

    Raises ``InvalidSetup`` when the pack is not stored: a decision must be repeatable.
    """
    what = (source.dataset, source.name, source.digest, source.bytes, source.rows)
    how = (source.pack, source.chunks, source.tier, source.manifest)
    with errors_as_ours():
        row = await session.fetchrow(SQL["open_job"], *what, *how)
    if row is None:
        raise InvalidSetup(f"pack {source.pack} is not stored in this database: save it before a load")
    return Job(**dict(row))


async def find_job(session: asyncpg.Connection, job_id: UUID) -> Job:
    """Give a job by its id; raises ``InvalidInput`` when there is none."""
    with errors_as_ours():
        row = await session.fetchrow(SQL["find_job"], job_id)
    if row is None:
        raise InvalidInput(f"there is no load {job_id}")
    return Job(**dict(row))


async def was_loaded(session: asyncpg.Connection, dataset: str, digest: str) -> bool:
    """Say whether a source was loaded to its end, with whatever pack."""
    with errors_as_ours():
        return bool(await session.fetchval(SQL["was_loaded"], dataset, digest))


async def stop_job(session: asyncpg.Connection, job: Job, why: str) -> None:
    """Note that a job stopped before its end; it is resumed by opening it again."""
    with errors_as_ours():
        await session.execute(SQL["stop_job"], job.seq, why)


async def loaded_chunks(session: asyncpg.Connection, job: Job) -> frozenset[int]:
    """Give the numbers of the chunks that need no work."""
    with errors_as_ours():
        return frozenset(row["number"] for row in await session.fetch(SQL["loaded_chunks"], job.seq))


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


async def quarantine(session: asyncpg.Connection, job: Job, number: int, rejected: Sequence[Rejected]) -> int:
    """Write the values that were refused in a chunk; gives the number of rows that they are from."""
    if not rejected:
        return 0
    lines = [bad.line for bad in rejected]
    columns = [bad.column for bad in rejected]
    values = [None if bad.value is None else _shown(bad.value) for bad in rejected]
    reasons = [_shown(bad.reason) for bad in rejected]
    await session.execute(SQL["quarantine"], job.seq, number, lines, columns, values, reasons, rejected[0].file)
    return len(np.unique(lines))


def _shown(value: str) -> str:
    """Make a value fit for a text column: no NUL, no half of a surrogate pair, not endless."""
    return value[:MOST_SHOWN].replace("\0", "\ufffd").encode("utf-8", "replace").decode()
