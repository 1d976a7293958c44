"""Schedules: jobs made by the clock, one for each time however many workers look at it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import asyncpg
import msgspec
from cronsim import CronSim, CronSimError

from rayapp.errors import InvalidInput
from rayapp.store.database import errors_as_ours
from rayapp.store.jobs import Job, JobRequest, enqueue
from rayapp.store.statements import statements

SQL = statements("schedules")
FIELDS = 5
MOST_DUE = 100


class ScheduleRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule that someone wants. ``cron`` has five fields (minute, hour, day of month, month, day of week) in ``timezone``."""

    name: str
    cron: str
    timezone: str = "UTC"
    kind: str
    request: dict[str, Any] = {}
    priority: int = 0
    max_attempts: int = 5
    created_by: str = ""


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule as it stands; the columns of ``rayapp.schedule``, where each is explained."""

    name: str
    cron: str
    timezone: str
    kind: str
    request: dict[str, Any]
    priority: int
    max_attempts: int
    enabled: bool
    next_at: datetime
    fired_at: datetime | None
    skipped: int
    created_by: str
    created_at: datetime


def next_time(cron: str, timezone: str, after: datetime) -> datetime:
    """Give the first time after ``after``; raises ``InvalidInput`` for an expression that cannot be read or never comes true.

    Times that a change of the clock skips come right after it, and times that it repeats come once, as in Debian's cron.
    """
    if len(cron.split()) != FIELDS:
        raise InvalidInput(f"{cron!r} does not have the five fields minute, hour, day of month, month, day of week")
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput(f"there is no timezone {timezone!r}: give a name such as Europe/Berlin") from None
    try:
        return next(CronSim(cron, after.astimezone(zone)))
    except CronSimError as error:
        raise InvalidInput(f"{cron!r}: {str(error).lower()}") from None
    except StopIteration:
        raise InvalidInput(f"{cron!r} never comes true") from None


async def add_schedule(session: asyncpg.Connection, wanted: ScheduleRequest) -> Schedule:
    """Write a schedule down; raises ``InvalidInput`` when it cannot be read or its name is taken."""
    request = msgspec.json.encode(wanted.request).decode()
    with errors_as_ours():
        first = next_time(wanted.cron, wanted.timezone, await session.fetchval(SQL["clock"]))
        meant = (wanted.name, wanted.cron, wanted.timezone, wanted.kind, request)
        told = (*meant, wanted.priority, wanted.max_attempts, first, wanted.created_by)
        try:
            row = await session.fetchrow(SQL["add"], *told)
        except asyncpg.CheckViolationError:
            raise InvalidInput(f"{wanted.name!r} is no name for a schedule: letters, digits and ._- only, 80 at most") from None
    if row is None:
        raise InvalidInput(f"there is a schedule {wanted.name!r} already: remove it first")
    return _schedule(row)


async def remove_schedule(session: asyncpg.Connection, name: str) -> None:
    """Forget a schedule; jobs that it made stay. Raises ``InvalidInput`` when there is none."""
    with errors_as_ours():
        if await session.fetchval(SQL["remove"], name) is None:
            raise _unknown(name)


async def enable_schedule(session: asyncpg.Connection, name: str, *, enabled: bool) -> Schedule:
    """Switch a schedule on, from its next time on, or off. Raises ``InvalidInput`` when there is none."""
    with errors_as_ours():
        found = await session.fetchrow(SQL["schedule"], name)
        if found is None:
            raise _unknown(name)
        following = next_time(found["cron"], found["timezone"], await session.fetchval(SQL["clock"])) if enabled else found["next_at"]
        row = await session.fetchrow(SQL["enable"], name, enabled, following)
    if row is None:
        raise _unknown(name)
    return _schedule(row)


async def list_schedules(session: asyncpg.Connection) -> list[Schedule]:
    """Give all schedules by name."""
    with errors_as_ours():
        rows: Sequence[asyncpg.Record] = await session.fetch(SQL["list"])
    return [_schedule(row) for row in rows]


async def fire_due(session: asyncpg.Connection) -> list[Job]:
    """Make the jobs that are due; gives those that this call has made.

    A time at which the former job of the schedule is not finished makes none, and is counted. Times that passed while nobody
    looked make one job together.
    """
    with errors_as_ours():
        due = await session.fetch(SQL["due"], MOST_DUE)
        made = [await _fire(session, row) for row in due]
    return [job for job in made if job is not None]


async def seconds_to_next(session: asyncpg.Connection) -> float | None:
    """Give the seconds until a schedule is due, below zero when one is; ``None`` when there is none."""
    with errors_as_ours():
        seconds: float | None = await session.fetchval(SQL["next_due"])
    return seconds


async def _fire(session: asyncpg.Connection, row: asyncpg.Record) -> Job | None:
    due: datetime = row["next_at"]
    async with session.transaction():
        following = next_time(row["cron"], row["timezone"], row["clock"])
        if await session.fetchrow(SQL["move_on"], row["name"], due, following) is None:
            return None  # another has made the job, or the schedule is gone
        if await session.fetchval(SQL["busy"], row["name"]):
            await session.execute(SQL["skip"], row["name"])
            return None
        wanted = JobRequest(
            kind=row["kind"],
            request=msgspec.json.decode(row["request"]),
            priority=row["priority"],
            created_by=row["created_by"],
            unique_key=f"schedule:{row['name']}:{due.isoformat()}",
            schedule=row["name"],
            max_attempts=row["max_attempts"],
        )
        return (await enqueue(session, wanted)).job


def _schedule(row: asyncpg.Record) -> Schedule:
    values = {name: row[name] for name in Schedule.__struct_fields__}
    return Schedule(**(values | {"request": msgspec.json.decode(values["request"])}))


def _unknown(name: str) -> InvalidInput:
    return InvalidInput(f"there is no schedule {name!r}: `rayapp schedules list` shows those that there are")
