"""Jobs in a real database: who gets one, who keeps it, and that nobody else can change it."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from rayapp.errors import InvalidInput
from rayapp.store.database import connection
from rayapp.store.job_leases import Claim, Lease, Rows, begin, claim, end, end_expired, heartbeat, take_over
from rayapp.store.job_states import Ending
from rayapp.store.jobs import (
    CHANNEL,
    JobRequest,
    Wanted,
    cancel,
    enqueue,
    fetch_job,
    find_job,
    job_counts,
    jobs_ahead,
    list_jobs,
    retry,
)

INGEST = JobRequest(kind="ingest", request={"source": "/a.csv"})
ANY = Claim(("ingest", "reclassify"), "w1")


def with_session(database, story):
    """Run a story that takes a session."""

    async def run():
        async with connection(database) as session:
            return await story(session)

    return asyncio.run(run())


async def claimed(session, worker="w1", most=1):
    return await claim(session, Claim(("ingest", "reclassify"), worker, most))


async def let_time_pass(session, job):
    """Make a lease run out, or a pause end, now."""
    await session.execute("UPDATE rayapp.job SET lease_until = now() - interval '1s' WHERE id = $1 AND state = 'running'", job.id)
    await session.execute("UPDATE rayapp.job SET run_at = now() WHERE id = $1 AND state = 'queued'", job.id)


def test_a_job_is_enqueued_claimed_and_done(database):
    async def story(session):
        made = await enqueue(session, INGEST)
        assert (made.new, made.job.state, made.job.request) == (True, "queued", {"source": "/a.csv"})
        (job,) = await claimed(session)
        assert (job.id, job.state, job.attempts, job.worker) == (made.job.id, "running", 1, "w1")
        lease = Lease(job.id, job.attempts)
        assert await heartbeat(session, lease, Rows(total=10, done=4, failed=1, pack="p", before=4)) is False
        assert await heartbeat(session, lease, Rows(done=10, failed=1)) is False
        done = await end(session, lease, Ending("done"), {"inserted": 9})
        assert (done.state, done.result, done.rows_done, done.rows_total, done.pack) == ("partially_failed", {"inserted": 9}, 10, 10, "p")
        assert done.rows_at_attempt == 4
        assert done.finished_at is not None
        assert await claimed(session) == []

    with_session(database, story)


def test_many_who_claim_at_once_get_each_job_once(database):
    async def story():
        async with connection(database) as session:
            wanted = {(await enqueue(session, JobRequest(kind="ingest", request={"n": n}))).job.id for n in range(40)}

        async def worker(name):
            got = []
            async with connection(database) as session:
                while jobs := await claimed(session, name, 3):
                    got += [job.id for job in jobs]
            return got

        got = [job for jobs in await asyncio.gather(*(worker(f"w{n}") for n in range(6))) for job in jobs]
        assert sorted(got) == sorted(wanted)

    asyncio.run(story())


def test_the_higher_priority_is_first_then_the_earlier_and_a_scheduled_one_waits(database):
    async def story(session):
        later = datetime.now(UTC) + timedelta(hours=1)
        names = {}
        for name, priority, run_at in [("low", -1, None), ("first", 0, None), ("second", 0, None), ("high", 9, None), ("tomorrow", 99, later)]:
            names[(await enqueue(session, JobRequest(kind="ingest", priority=priority, run_at=run_at))).job.id] = name
        ahead = {names[job]: await jobs_ahead(session, job) for job in names}
        assert ahead == {"high": 0, "first": 1, "second": 2, "low": 3, "tomorrow": None}
        assert [names[job.id] for job in await claimed(session, most=9)] == ["high", "first", "second", "low"]

    with_session(database, story)


def test_a_worker_takes_only_the_kinds_it_knows(database):
    async def story(session):
        await enqueue(session, JobRequest(kind="webhook"))
        assert await claimed(session) == []

    with_session(database, story)


def test_who_was_silent_too_long_loses_the_job_and_can_change_nothing_any_more(database):
    async def story(session):
        await enqueue(session, INGEST)
        (first,) = await claimed(session)
        old = Lease(first.id, first.attempts)
        assert await end_expired(session) == []
        await let_time_pass(session, first)
        (queued,) = await end_expired(session)
        assert (queued.state, queued.misses, queued.failure) == ("queued", 1, "w1 was not heard any more")
        await let_time_pass(session, first)
        (second,) = await claimed(session, "w2")
        assert second.attempts == 2
        assert await heartbeat(session, old, Rows(done=99)) is None
        assert await end(session, old, Ending("done")) is None
        assert await take_over(session, old, "w1 again") is None
        assert (await fetch_job(session, first.id)).rows_done == 0
        assert (await end(session, Lease(second.id, 2), Ending("done"))).state == "succeeded"

    with_session(database, story)


def test_a_silent_holder_that_is_heard_before_anyone_noticed_keeps_the_job(database):
    async def story(session):
        await enqueue(session, INGEST)
        (job,) = await claimed(session)
        await let_time_pass(session, job)
        assert await heartbeat(session, Lease(job.id, 1)) is False
        assert await end_expired(session) == []

    with_session(database, story)


def test_a_job_that_kills_its_worker_each_time_is_given_up_and_one_that_gets_on_is_not(database):
    async def story(session):
        poison = (await enqueue(session, JobRequest(kind="ingest", max_attempts=3))).job
        steady = (await enqueue(session, JobRequest(kind="ingest", max_attempts=3))).job
        for attempt in range(1, 8):
            for job in await claimed(session, most=2):
                if job.id == steady.id:
                    await heartbeat(session, Lease(job.id, job.attempts), Rows(done=attempt))
                await let_time_pass(session, job)
            await end_expired(session)
            await let_time_pass(session, poison)
        lost = await fetch_job(session, poison.id)
        assert (lost.state, lost.attempts) == ("failed", 3)
        assert lost.failure == "w1 was not heard any more (given up after 3 attempts without any progress)"
        going = await fetch_job(session, steady.id)
        assert (going.state, going.attempts, going.misses) == ("queued", 7, 0)

    with_session(database, story)


def test_progress_that_only_the_ledger_knew_of_counts_when_the_next_attempt_tells_it(database):
    async def story(session):
        job = (await enqueue(session, JobRequest(kind="ingest", max_attempts=2))).job
        for attempt in range(1, 5):
            (job,) = await claimed(session)
            await heartbeat(session, Lease(job.id, job.attempts), Rows(done=attempt, before=attempt))
            await let_time_pass(session, job)
            (job,) = await end_expired(session)
            assert (job.state, job.misses) == ("queued", 1)
            await let_time_pass(session, job)

    with_session(database, story)


def test_a_queued_job_is_cancelled_at_once_and_a_running_one_is_asked(database):
    async def story(session):
        queued = (await enqueue(session, INGEST)).job
        assert (await cancel(session, queued.id)).state == "cancelled"
        running = (await enqueue(session, INGEST)).job
        await claimed(session)
        assert (await cancel(session, running.id)).state == "running"
        assert await heartbeat(session, Lease(running.id, 1)) is True
        assert (await end(session, Lease(running.id, 1), Ending("cancelled"))).state == "cancelled"
        assert (await cancel(session, running.id)).state == "cancelled"

    with_session(database, story)


def test_a_job_that_was_asked_to_stop_and_whose_worker_died_is_cancelled(database):
    async def story(session):
        job = (await enqueue(session, INGEST)).job
        await claimed(session)
        await cancel(session, job.id)
        await let_time_pass(session, job)
        (ended,) = await end_expired(session)
        assert ended.state == "cancelled"

    with_session(database, story)


def test_two_live_jobs_never_share_a_unique_key_but_a_finished_one_frees_it(database):
    async def story(session):
        wanted = JobRequest(kind="ingest", unique_key="load a")
        first = await enqueue(session, wanted)
        again = await enqueue(session, wanted)
        assert (again.new, again.job.id) == (False, first.job.id)
        held = await begin(session, wanted, "me")
        assert (held.new, held.job.id) == (False, first.job.id)
        await cancel(session, first.job.id)
        assert (await enqueue(session, wanted)).new

    with_session(database, story)


def test_an_idempotency_key_gives_the_same_job_for_ever_and_refuses_another_request(database):
    async def story(session):
        wanted = JobRequest(kind="ingest", request={"a": 1}, created_by="x", idempotency_key="k")
        first = (await enqueue(session, wanted)).job
        await cancel(session, first.id)
        again = await enqueue(session, wanted)
        assert (again.new, again.job.id, again.job.state) == (False, first.id, "cancelled")
        other_creator = JobRequest(kind="ingest", request={"a": 1}, created_by="y", idempotency_key="k")
        assert (await enqueue(session, other_creator)).new
        with pytest.raises(InvalidInput, match="was used for another request"):
            await enqueue(session, JobRequest(kind="ingest", request={"a": 2}, created_by="x", idempotency_key="k"))

    with_session(database, story)


def test_a_job_that_is_begun_by_its_creator_is_never_offered_to_a_worker(database):
    async def story(session):
        held = await begin(session, INGEST, "me")
        assert (held.job.state, held.job.attempts) == ("running", 1)
        assert await claimed(session) == []

    with_session(database, story)


def test_a_retry_is_a_new_job_that_names_the_old_one_and_there_is_one_at_a_time(database):
    async def story(session):
        job = (await enqueue(session, INGEST)).job
        with pytest.raises(InvalidInput, match="is queued"):
            await retry(session, job.id)
        await claimed(session)
        await end(session, Lease(job.id, 1), Ending("wrong", "no such file"))
        assert (await fetch_job(session, job.id)).failure == "no such file"
        again = await retry(session, job.id, "someone")
        assert (again.new, again.job.retry_of, again.job.request, again.job.created_by) == (True, job.id, job.request, "someone")
        assert (await retry(session, job.id)).job.id == again.job.id

    with_session(database, story)


def test_jobs_are_found_by_the_beginning_of_their_id_and_listed_newest_first(database):
    async def story(session):
        jobs = [(await enqueue(session, JobRequest(kind="ingest", created_by=name))).job for name in "aba"]
        assert (await find_job(session, str(jobs[1].id)[:13])).id == jobs[1].id
        listed = await list_jobs(session, Wanted(created_by="a"))
        assert [job.id for job in listed] == [jobs[2].id, jobs[0].id]
        assert [job.id for job in await list_jobs(session, Wanted(before=jobs[2].seq, most=1))] == [jobs[1].id]
        assert await list_jobs(session, Wanted(states=("failed",), kinds=("ingest",))) == []
        assert await job_counts(session) == {"queued": 3}
        for wrong in ("zzzzzz", "ab", str(jobs[0].id)[:-4] + "0000", "%"):
            with pytest.raises(InvalidInput):
                await find_job(session, wrong)

    with_session(database, story)


def test_who_listens_is_told_of_new_ended_and_cancelled_jobs(database):
    async def story(session):
        told = []
        async with connection(database) as other:
            await other.add_listener(CHANNEL, lambda *words: told.append(words[-1]))
            job = (await enqueue(session, INGEST)).job
            await claimed(session)
            await cancel(session, job.id)
            await end(session, Lease(job.id, 1), Ending("cancelled"))
            for _ in range(100):
                await other.fetchval("SELECT 1")
                if len(told) == 3:
                    break
        assert told == [f"queued {job.id}", f"cancel {job.id}", f"ended {job.id}"]

    with_session(database, story)


def test_rate_and_time_left_are_those_of_the_present_attempt(database):
    async def story(session):
        job = (await enqueue(session, INGEST)).job
        assert (job.rows_per_s, job.eta_s, job.seconds) == (None, None, None)
        await claimed(session)
        await heartbeat(session, Lease(job.id, 1), Rows(total=1000, done=500, before=500))
        await session.execute("UPDATE rayapp.job SET attempt_at = heartbeat_at - interval '10s', rows_done = 600")
        job = await fetch_job(session, job.id)
        assert job.rows_per_s == pytest.approx(10)
        assert job.eta_s == pytest.approx(40)

    with_session(database, story)
