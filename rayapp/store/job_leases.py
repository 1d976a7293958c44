"""Holding a job: who claims one has a lease on it, is heard now and then, and says how it ended.

A lease is the pair of a job and the number of its attempt. When it has run out, another may claim the job with the next number, and from
then on the former holder can change nothing. All times are the database's.
"""

import random
from collections.abc import Sequence
from uuid import UUID

import asyncpg
import msgspec

from rayapp.store.database import errors_as_ours
from rayapp.store.job_states import Ending, Standing, verdict
from rayapp.store.jobs import SQL, Enqueued, Job, JobRequest, columns_of, job_of, job_with_same_key

LEASE_S = 30.0
"""How long a holder may be silent."""

MOST_EXPIRED = 100


class Lease(msgspec.Struct, frozen=True):
    """One attempt at a job. ``seconds``: how long its holder may be silent."""

    job_id: UUID
    attempt: int
    seconds: float = LEASE_S


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """How far a job is, from its kind's ledger; ``None`` for what is not known.

    ``done`` counts the rows that were dealt with, ``failed`` those among them that could not be used, ``before`` those that were done
    before this attempt began. ``pack`` is the digest of the pack that decides.
    """

    total: int | None = None
    done: int = 0
    failed: int = 0
    pack: str | None = None
    before: int | None = None


class Claim(msgspec.Struct, frozen=True):
    """Who claims what: jobs of these kinds, at most so many, and none of ``without``."""

    kinds: Sequence[str]
    worker: str
    most: int = 1
    lease_s: float = LEASE_S
    without: Sequence[UUID] = ()


async def claim(session: asyncpg.Connection, wanted: Claim) -> list[Job]:
    """Take the next jobs that wait, each of which no other gets."""
    with errors_as_ours():
        rows = await session.fetch(SQL["claim"], list(wanted.kinds), wanted.worker, wanted.lease_s, wanted.most, list(wanted.without))
    return sorted((job_of(row) for row in rows), key=lambda job: (-job.priority, job.run_at, job.seq))


async def claim_job(session: asyncpg.Connection, job_id: UUID, worker: str, lease_s: float = LEASE_S) -> Job | None:
    """Take this job, ``None`` when it does not wait."""
    with errors_as_ours():
        row = await session.fetchrow(SQL["claim_job"], job_id, worker, lease_s)
    return None if row is None else job_of(row)


async def begin(session: asyncpg.Connection, wanted: JobRequest, worker: str, lease_s: float = LEASE_S) -> Enqueued:
    """Write a job down and hold it from the start; not new when a job with the same key is there, which is not held then."""
    with errors_as_ours():
        row = await session.fetchrow(SQL["begun"], *columns_of(wanted), worker, lease_s)
        if row is None:
            return Enqueued(await job_with_same_key(session, wanted), new=False)
    return Enqueued(job_of(row), new=True)


async def heartbeat(session: asyncpg.Connection, lease: Lease, rows: Rows | None = None) -> bool | None:
    """Be heard, and say how far it is if that is known; gives whether the job shall stop, ``None`` when the lease was lost."""
    with errors_as_ours():
        statement, told = SQL["heartbeat"], tuple[object, ...]()
        if rows is not None:
            statement, told = SQL["progress"], (rows.total, rows.done, rows.failed, rows.pack, rows.before)
        stop: bool | None = await session.fetchval(statement, lease.job_id, lease.attempt, lease.seconds, *told)
    return stop


async def runs_as(session: asyncpg.Connection, lease: Lease, ray_job: str) -> bool:
    """Note the Ray Job that runs the attempt; says whether the lease is still held."""
    with errors_as_ours():
        return bool(await session.fetchval(SQL["runs_as"], lease.job_id, lease.attempt, ray_job))


async def take_over(session: asyncpg.Connection, lease: Lease, worker: str) -> Job | None:
    """Go on holding an attempt that another process claimed for this one; ``None`` when it was lost."""
    with errors_as_ours():
        row = await session.fetchrow(SQL["takes_over"], lease.job_id, lease.attempt, worker)
    return None if row is None else job_of(row)


async def end(session: asyncpg.Connection, lease: Lease, ending: Ending, result: dict[str, object] | None = None) -> Job | None:
    """Say how the attempt ended; gives the job as it stands then, ``None`` when the lease was lost, in which case nothing changes."""
    with errors_as_ours():
        async with session.transaction():
            row = await session.fetchrow(SQL["held"], lease.job_id, lease.attempt)
            return None if row is None else await _end(session, job_of(row), ending, result)


async def end_expired(session: asyncpg.Connection) -> list[Job]:
    """End the attempts whose holders were not heard in time; gives their jobs as they stand then."""
    with errors_as_ours():
        async with session.transaction():
            rows = await session.fetch(SQL["expired"], MOST_EXPIRED)
            ended = [await _end(session, job_of(row), Ending("lost", f"{row['worker']} was not heard any more"), None) for row in rows]
    return [job for job in ended if job is not None]


async def _end(session: asyncpg.Connection, job: Job, ending: Ending, result: dict[str, object] | None) -> Job | None:
    """Write what becomes of a job whose row is locked."""
    progressed, asked = job.rows_done > job.rows_at_attempt, job.cancel_requested_at is not None
    standing = Standing(job.misses, job.max_attempts, progressed, job.rows_failed, asked)
    then = verdict(standing, ending, random.random())  # noqa: S311 - spreads retries
    told = None if result is None else msgspec.json.encode(result).decode()
    values = (then.state, then.pause_s, then.failure, told, then.misses)
    row = await session.fetchrow(SQL["end_attempt"], job.id, job.attempts, *values)
    await session.execute(SQL["announce"], f"{'queued' if then.state == 'queued' else 'ended'} {job.id}")
    return None if row is None else job_of(row)
