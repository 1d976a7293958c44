"""Jobs: the rows that say what was asked for, how far it is and how it ended. Holding one is in ``rayapp.store.job_leases``."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from rayapp.errors import InvalidInput
from rayapp.store.database import errors_as_ours
from rayapp.store.job_states import LIVE, RETRIABLE, State
from rayapp.store.statements import statements

CHANNEL = "rayapp_job"
"""LISTEN here: ``queued ID``, ``cancel ID`` and ``ended ID`` are told when they are committed."""

SQL = statements("jobs")
MOST_LISTED = 1_000
LEAST_NAME = 4
"""Characters of an id that name a job."""


class JobRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What someone wants done. ``request`` is what the kind needs to know, as JSON values."""

    kind: str
    request: dict[str, Any] = {}
    priority: int = 0
    """Higher first, -32768..32767."""
    created_by: str = ""
    idempotency_key: str | None = None
    """The same creator gets the same job for the same key, for as long as the job is kept."""
    unique_key: str | None = None
    """While a job with this key is queued or running, that job is given instead of a second one."""
    pack: str | None = None
    parent: UUID | None = None
    retry_of: UUID | None = None
    schedule: str | None = None
    max_attempts: int = 5
    """Attempts in a row that may end without any progress."""
    run_at: datetime | None = None
    """Not before; at once when ``None``."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A job as it stands; the columns of ``rayapp.job``, where each is explained."""

    id: UUID
    seq: int
    kind: str
    state: State
    request: dict[str, Any]
    priority: int
    created_by: str
    idempotency_key: str | None
    unique_key: str | None
    pack: str | None
    parent: UUID | None
    retry_of: UUID | None
    schedule: str | None
    run_at: datetime
    max_attempts: int
    attempts: int
    misses: int
    worker: str | None
    ray_job: str | None
    lease_until: datetime | None
    heartbeat_at: datetime | None
    cancel_requested_at: datetime | None
    rows_total: int | None
    rows_done: int
    rows_failed: int
    rows_at_attempt: int
    result: dict[str, Any] | None
    failure: str | None
    created_at: datetime
    started_at: datetime | None
    attempt_at: datetime | None
    finished_at: datetime | None

    @property
    def live(self) -> bool:
        """Say whether it is queued or running."""
        return self.state in LIVE

    @property
    def seconds(self) -> float | None:
        """How long it has run since it was first begun, waiting between attempts included."""
        end = self.finished_at or self.heartbeat_at
        return None if self.started_at is None or end is None else max(0.0, (end - self.started_at).total_seconds())

    @property
    def rows_per_s(self) -> float | None:
        """Rows dealt with per second in the present or last attempt, ``None`` before any was."""
        end = self.finished_at or self.heartbeat_at
        if self.attempt_at is None or end is None or self.rows_done <= self.rows_at_attempt:
            return None
        return (self.rows_done - self.rows_at_attempt) / max((end - self.attempt_at).total_seconds(), 1e-3)

    @property
    def eta_s(self) -> float | None:
        """Seconds that are left at the present rate, ``None`` where nobody can know."""
        if self.state != "running" or self.rows_total is None or (rate := self.rows_per_s) is None:
            return None
        return max(0, self.rows_total - self.rows_done) / rate


class Enqueued(msgspec.Struct, frozen=True):
    """A job, and whether the request made it; if not, an earlier one with the same key did."""

    job: Job
    new: bool


async def enqueue(session: asyncpg.Connection, wanted: JobRequest) -> Enqueued:
    """Write a job down for any worker to do.

    Joins the caller's transaction if there is one. Raises ``InvalidInput`` when the idempotency key stands for another request.
    """
    with errors_as_ours():
        async with session.transaction():
            row = await session.fetchrow(SQL["enqueue"], *columns_of(wanted), wanted.run_at)
            if row is None:
                return Enqueued(await job_with_same_key(session, wanted), new=False)
            await session.execute(SQL["announce"], f"queued {row['id']}")
    return Enqueued(job_of(row), new=True)


async def fetch_job(session: asyncpg.Connection, job_id: UUID) -> Job:
    """Give the job as it stands; raises ``InvalidInput`` when there is none."""
    with errors_as_ours():
        row = await session.fetchrow(SQL["job"], job_id)
    if row is None:
        raise InvalidInput(f"there is no job {job_id}")
    return job_of(row)


async def find_job(session: asyncpg.Connection, name: str) -> Job:
    """Give the job that a person names by its id or by the first characters of it."""
    if len(name) < LEAST_NAME or not set(name.lower()) <= set("0123456789abcdef-"):
        raise InvalidInput(f"{name!r} is no job's id, nor the first {LEAST_NAME} or more characters of one")
    with errors_as_ours():
        rows = await session.fetch(SQL["named"], name.lower())
    if not rows:
        raise InvalidInput(f"there is no job {name}: `rayapp jobs list` shows those that there are")
    if len(rows) > 1:
        raise InvalidInput(f"{name} stands for several jobs, {rows[0]['id']} for one: give more of the id")
    return job_of(rows[0])


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which jobs to list; ``None`` for any. ``before`` is the lowest ``seq`` of the page before."""

    states: tuple[State, ...] | None = None
    kinds: tuple[str, ...] | None = None
    created_by: str | None = None
    before: int | None = None
    most: int = 50


async def list_jobs(session: asyncpg.Connection, wanted: Wanted) -> list[Job]:
    """Give jobs, the newest first."""
    most = max(1, min(wanted.most, MOST_LISTED))
    with errors_as_ours():
        rows = await session.fetch(SQL["list"], wanted.states, wanted.kinds, wanted.created_by, wanted.before, most)
    return [job_of(row) for row in rows]


async def jobs_ahead(session: asyncpg.Connection, job_id: UUID) -> int | None:
    """Say how many jobs are claimed before this one; ``None`` unless it waits for a worker and for nothing else."""
    with errors_as_ours():
        ahead: int | None = await session.fetchval(SQL["ahead"], job_id)
    return ahead


async def job_counts(session: asyncpg.Connection) -> dict[str, int]:
    """Say how many jobs there are in each state that has any."""
    with errors_as_ours():
        return {row["state"]: row["jobs"] for row in await session.fetch(SQL["counts"])}


async def seconds_to_start(session: asyncpg.Connection, kinds: Sequence[str]) -> float | None:
    """Give the seconds until a queued job of these kinds may be begun, below zero when one may; ``None`` when there is none."""
    with errors_as_ours():
        seconds: float | None = await session.fetchval(SQL["next_start"], list(kinds))
    return seconds


async def cancel(session: asyncpg.Connection, job_id: UUID) -> Job:
    """Cancel a queued job, or ask a running one to stop; one that is finished stays as it is."""
    with errors_as_ours():
        async with session.transaction():
            row = await session.fetchrow(SQL["cancel"], job_id)
            if row is not None:
                await session.execute(SQL["announce"], f"{'ended' if row['state'] == 'cancelled' else 'cancel'} {job_id}")
                return job_of(row)
    return await fetch_job(session, job_id)


async def retry(session: asyncpg.Connection, job_id: UUID, created_by: str = "") -> Enqueued:
    """Have done what a job left undone: a new job, one at a time; the kind sees to it that nothing is done twice.

    Raises ``InvalidInput`` for a job that is not finished, or that has nothing left to do.
    """
    former = await fetch_job(session, job_id)
    if former.state not in RETRIABLE:
        raise InvalidInput(f"job {job_id} is {former.state}: only what failed or was cancelled can be tried again")
    again = JobRequest(
        kind=former.kind,
        request=former.request,
        priority=former.priority,
        created_by=created_by or former.created_by,
        unique_key=former.unique_key or f"retry:{job_id}",
        pack=former.pack,
        parent=former.parent,
        retry_of=job_id,
        max_attempts=former.max_attempts,
    )
    return await enqueue(session, again)


async def job_with_same_key(session: asyncpg.Connection, wanted: JobRequest) -> Job:
    """Give the job that kept ``wanted`` from being written; raises ``InvalidInput`` when its idempotency key means something else."""
    row = await session.fetchrow(SQL["same"], wanted.unique_key, wanted.created_by, wanted.idempotency_key)
    if row is None:  # it ended between the two statements
        raise InvalidInput("a job with the same key has just ended: ask again")
    job = job_of(row)
    keyed = wanted.idempotency_key is not None and job.idempotency_key == wanted.idempotency_key
    if keyed and (job.kind, job.request) != (wanted.kind, msgspec.to_builtins(wanted.request)):
        raise InvalidInput(f"the idempotency key {wanted.idempotency_key!r} was used for another request before (job {job.id})")
    return job


def columns_of(wanted: JobRequest) -> Sequence[object]:
    """Give the first eleven values of a new row."""
    return (
        wanted.kind,
        msgspec.json.encode(wanted.request).decode(),
        wanted.priority,
        wanted.created_by,
        wanted.idempotency_key,
        wanted.unique_key,
        wanted.pack,
        wanted.parent,
        wanted.retry_of,
        wanted.schedule,
        wanted.max_attempts,
    )


def job_of(row: asyncpg.Record) -> Job:
    """Read a row of ``rayapp.job``; columns of a later schema are passed over."""
    values = {name: row[name] for name in Job.__struct_fields__}
    for name in ("request", "result"):
        values[name] = None if values[name] is None else msgspec.json.decode(values[name])
    return Job(**values)
