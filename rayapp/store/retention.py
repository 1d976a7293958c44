"""What the database forgets after a time, in small transactions, so that nobody waits: jobs, what was given, planned and changed.

The ledgers of loads (``ingest_job``, ``ingest_chunk``, with the quarantine) and of reclassifications (``changeset``, ``changeset_range``)
are never touched: a source that was loaded two years ago is still known by its bytes and not loaded a second time.
"""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
import msgspec

from rayapp.store.database import errors_as_ours
from rayapp.store.given_answers import KEPT_H
from rayapp.store.statements import statements

SQL = statements("retention")

JOBS_AT_ONCE = 500
ROWS_AT_ONCE = 10_000
MOST_ROUNDS = 1_000
"""Transactions in which one kind of thing is forgotten before others have their turn; the rest is for the next time."""


class Keeping(msgspec.Struct, frozen=True):
    """For how many days what is kept after its end; 0 is for ever."""

    jobs_days: int
    files_days: int
    history_days: int


class Forgotten(msgspec.Struct, frozen=True, kw_only=True):
    """How much was forgotten, or would be: rows of the database by what they are, and ``files`` with their ``bytes``."""

    jobs: int = 0
    results: int = 0
    """Parts of jobs' results."""
    answers: int = 0
    """Answers that were kept for requests with an Idempotency-Key."""
    planned: int = 0
    """Rows of plans that were carried out or cannot be any more."""
    history: int = 0
    """Rows of changesets, which cannot be taken back from then on."""
    files: int = 0
    bytes: int = 0


async def take_turn(session: asyncpg.Connection) -> bool:
    """Say whether nobody else is forgetting at the moment; holds until the connection ends."""
    with errors_as_ours():
        return bool(await session.fetchval(SQL["alone"]))


async def forget(session: asyncpg.Connection, keeping: Keeping) -> Forgotten:
    """Forget what is old enough; gives how much that was. A job that is queued or runs is not old, however long it does."""
    with errors_as_ours():
        return Forgotten(
            results=await _in_rounds(session, "forget_results", keeping.files_days, JOBS_AT_ONCE) if keeping.files_days else 0,
            history=await _history(session, keeping.history_days) if keeping.history_days else 0,
            planned=await _in_rounds(session, "forget_planned", keeping.jobs_days, ROWS_AT_ONCE) if keeping.jobs_days else 0,
            jobs=await _in_rounds(session, "forget_jobs", keeping.jobs_days, JOBS_AT_ONCE) if keeping.jobs_days else 0,
            answers=_count(await session.execute(SQL["forget_answers"], KEPT_H)),
        )


async def forgettable(session: asyncpg.Connection, keeping: Keeping) -> Forgotten:
    """Say how much ``forget`` would forget, and change nothing."""
    with errors_as_ours():
        return Forgotten(
            results=await session.fetchval(SQL["old_results"], keeping.files_days) if keeping.files_days else 0,
            history=await session.fetchval(SQL["old_history"], keeping.history_days) if keeping.history_days else 0,
            planned=await session.fetchval(SQL["old_planned"], keeping.jobs_days) if keeping.jobs_days else 0,
            jobs=await session.fetchval(SQL["old_jobs"], keeping.jobs_days) if keeping.jobs_days else 0,
            answers=await session.fetchval(SQL["old_answers"], KEPT_H),
        )


async def wanted_uploads(session: asyncpg.Connection, names: Sequence[str], days: int) -> set[str]:
    """Give those of some files that jobs need, or needed less than so many days ago, by their sources' names, or that a schedule names.

    With 0 days a source is needed for as long as the job is kept.
    """
    with errors_as_ours():
        return {row["name"] for row in await session.fetch(SQL["wanted_uploads"], list(names), days or None)}


async def wanted_results(session: asyncpg.Connection, jobs: Sequence[UUID]) -> set[UUID]:
    """Give those of some jobs that write result files, or have some that are kept."""
    with errors_as_ours():
        return {row["job"] for row in await session.fetch(SQL["wanted_results"], list(jobs))}


async def _history(session: asyncpg.Connection, days: int) -> int:
    async with session.transaction():
        await session.execute(SQL["share"])
        await session.execute(SQL["forget_changesets"], days)
    return await _in_rounds(session, "forget_history", ROWS_AT_ONCE)


async def _in_rounds(session: asyncpg.Connection, statement: str, *values: int) -> int:
    """Repeat a statement, each time in a transaction of its own, until it finds nothing."""
    forgotten = 0
    for _ in range(MOST_ROUNDS):
        count = _count(await session.execute(SQL[statement], *values))
        if not count:
            break
        forgotten += count
    return forgotten


def _count(tag: str) -> int:
    return int(tag.rsplit(" ", 1)[-1])
