"""Schedules: the right times, and one job for each however many look."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rayapp.errors import InvalidInput
from rayapp.store.database import connection
from rayapp.store.jobs import Wanted, cancel, list_jobs
from rayapp.store.schedules import (
    ScheduleRequest,
    add_schedule,
    enable_schedule,
    fire_due,
    list_schedules,
    next_time,
    remove_schedule,
    seconds_to_next,
)

NIGHTLY = ScheduleRequest(name="nightly", cron="0 3 * * *", kind="ingest", request={"source": "s3://bucket/a.csv"}, created_by="someone")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("cron", "zone", "after", "following"),
    [
        ("0 3 * * *", "UTC", "2026-11-22T03:00:00+00:00", "2026-11-23T03:00:00+00:00"),
        ("0 3 * * *", "UTC", "2026-11-22T02:59:59+00:00", "2026-11-22T03:00:00+00:00"),
        ("*/15 * * * *", "UTC", "2026-11-22T02:50:00+00:00", "2026-11-22T03:00:00+00:00"),
        ("0 9 * * 1-5", "Europe/Berlin", "2026-11-21T12:00:00+00:00", "2026-11-23T08:00:00+00:00"),
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00+00:00", "2026-03-29T01:00:00+00:00"),  # 02:30 is skipped: right after
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00+00:00", "2026-10-26T01:30:00+00:00"),  # 02:30 comes twice: once
        ("0 0 29 2 *", "UTC", "2026-11-22T00:00:00+00:00", "2028-02-29T00:00:00+00:00"),
    ],
)
def test_the_next_time(cron, zone, after, following):
    assert next_time(cron, zone, at(after)) == at(following)


@pytest.mark.parametrize(
    ("cron", "zone", "words"),
    [
        ("61 * * * *", "UTC", "bad minute"),
        ("* * * *", "UTC", "five fields"),
        ("0 0 3 * * *", "UTC", "five fields"),
        ("", "UTC", "five fields"),
        ("0 0 31 2 *", "UTC", "bad day"),
        ("0 3 * * *", "Mars/Olympus", "no timezone"),
        ("0 3 * * *", "../etc/passwd", "no timezone"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(cron, zone, words):
    with pytest.raises(InvalidInput, match=words):
        next_time(cron, zone, at("2026-11-22T00:00:00+00:00"))


@given(
    st.sampled_from(["* * * * *", "*/7 1-5 * * *", "30 2 * * *", "0 0 1 * 1", "59 23 L * *"]),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)),
)
def test_times_only_ever_move_on(cron, zone, after):
    first = next_time(cron, zone, after.replace(tzinfo=UTC))
    assert first > after.replace(tzinfo=UTC)
    assert next_time(cron, zone, first) > first


def with_session(database, story):
    async def run():
        async with connection(database) as session:
            return await story(session)

    return asyncio.run(run())


async def make_due(session, name, ago=timedelta(hours=50)):
    await session.execute("UPDATE rayapp.schedule SET next_at = now() - $2::interval WHERE name = $1", name, ago)


def test_however_many_look_there_is_one_job_for_a_time(database):
    async def story(session):
        await add_schedule(session, NIGHTLY)
        assert await fire_due(session) == []
        await make_due(session, "nightly")
        assert await seconds_to_next(session) < 0

        async def look():
            async with connection(database) as other:
                return await fire_due(other)

        made = [job for jobs in await asyncio.gather(*(look() for _ in range(8))) for job in jobs]
        (job,) = made
        assert (job.kind, job.request, job.schedule, job.created_by) == ("ingest", {"source": "s3://bucket/a.csv"}, "nightly", "someone")
        (schedule,) = await list_schedules(session)
        assert schedule.next_at > datetime.now(UTC)  # the times that nobody was there for made one job together
        assert await fire_due(session) == []

    with_session(database, story)


def test_a_time_at_which_the_former_job_is_not_finished_makes_none_and_is_counted(database):
    async def story(session):
        await add_schedule(session, NIGHTLY)
        await make_due(session, "nightly")
        (job,) = await fire_due(session)
        await make_due(session, "nightly", timedelta(hours=1))
        assert await fire_due(session) == []
        assert (await list_schedules(session))[0].skipped == 1
        await cancel(session, job.id)
        await make_due(session, "nightly", timedelta(minutes=1))
        assert len(await fire_due(session)) == 1
        assert len(await list_jobs(session, Wanted())) == 2

    with_session(database, story)


def test_a_disabled_schedule_makes_nothing_and_an_enabled_one_goes_on_from_its_next_time(database):
    async def story(session):
        await add_schedule(session, NIGHTLY)
        await enable_schedule(session, "nightly", enabled=False)
        await make_due(session, "nightly")
        assert await fire_due(session) == []
        assert await seconds_to_next(session) is None
        again = await enable_schedule(session, "nightly", enabled=True)
        assert again.next_at > datetime.now(UTC)
        assert await fire_due(session) == []

    with_session(database, story)


def test_names_are_taken_once_and_unknown_ones_are_told(database):
    async def story(session):
        await add_schedule(session, NIGHTLY)
        with pytest.raises(InvalidInput, match="already"):
            await add_schedule(session, NIGHTLY)
        with pytest.raises(InvalidInput, match="no name"):
            await add_schedule(session, ScheduleRequest(name="a b", cron="* * * * *", kind="ingest"))
        await remove_schedule(session, "nightly")
        for act in (remove_schedule(session, "nightly"), enable_schedule(session, "nightly", enabled=True)):
            with pytest.raises(InvalidInput, match="no schedule 'nightly'"):
                await act

    with_session(database, story)
