"""Workers on a real database, in this process and in processes that are killed; kinds of jobs are made up for the purpose."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from uuid import UUID

import pytest

from rayapp.data_jobs import kinds
from rayapp.data_jobs.holding import holding, job_of
from rayapp.data_jobs.kinds import Kind, absolute, request_of, source_is_large
from rayapp.errors import InvalidInput, Unavailable
from rayapp.settings import Settings
from rayapp.store.database import connection
from rayapp.store.job_leases import Claim, Rows, claim
from rayapp.store.jobs import JobRequest, Wanted, cancel, enqueue, fetch_job, list_jobs
from rayapp.store.schedules import ScheduleRequest, add_schedule
from tests.running_worker import a_worker

LEASE_S = 2
PATIENCE_S = 60
STEPS = 20


def count_to_three(settings, request, tell, should_stop):
    tell(Rows(total=3, before=0))
    tell(Rows(total=3, done=3, failed=request.get("bad", 0), pack="p"))
    return {"counted": 3, "by": request["job"]}


def go_on_until_stopped(settings, request, tell, should_stop):
    done = 0
    while not should_stop():
        done += 1
        tell(Rows(done=done))
        time.sleep(0.02)
    return {"done": done}


def break_down(settings, request, tell, should_stop):
    raise {"wrong": InvalidInput, "away": Unavailable, "bug": ZeroDivisionError}[request["how"]]("as asked")


@pytest.fixture
def made_up_kinds(monkeypatch):
    """Kinds that need no source and no engine."""
    here = sys.modules[__name__]
    for name in ("count_to_three", "go_on_until_stopped", "break_down"):
        monkeypatch.setitem(kinds.KINDS, name, Kind(name, lambda *_: False))
    real = Kind.function
    monkeypatch.setattr(Kind, "function", lambda kind: getattr(here, kind.runs, None) or real(kind))


def settings_of(database, tmp_path, **others):
    return Settings(data_dir=tmp_path, database_url=database, job_lease_s=LEASE_S, **others)


def asked(database, question):
    async def ask():
        async with connection(database) as session:
            return await question(session)

    return asyncio.run(ask())


def made(database, kind, **request):
    return asked(database, lambda session: enqueue(session, JobRequest(kind=kind, request=request, max_attempts=2))).job


def eventually(database, job, states):
    deadline = time.monotonic() + PATIENCE_S
    while (now := asked(database, lambda session: fetch_job(session, job.id))).state not in states and time.monotonic() < deadline:
        time.sleep(0.05)
    assert now.state in states, now
    return now


def test_a_worker_does_what_is_queued_and_what_comes_later(database, tmp_path, made_up_kinds):
    settings = settings_of(database, tmp_path)
    before = made(database, "count_to_three")
    with a_worker(settings):
        done = eventually(database, before, {"succeeded"})
        assert (done.rows_done, done.rows_total, done.pack, done.result) == (3, 3, "p", {"counted": 3, "by": str(done.id)})
        assert eventually(database, made(database, "count_to_three", bad=1), {"partially_failed"}).rows_failed == 1


ENDS = [("wrong", 1, "as asked"), ("away", 2, "as asked (given up after 2"), ("bug", 2, "ZeroDivisionError: as asked")]


def test_what_cannot_be_done_fails_at_once_and_what_may_be_mended_is_tried_again(database, tmp_path, made_up_kinds):
    with a_worker(settings_of(database, tmp_path, job_slots=3)):
        jobs = [made(database, "break_down", how=how) for how, _, _ in ENDS]
        ended = [eventually(database, job, {"failed"}) for job in jobs]
    for job, (_, attempts, cause) in zip(ended, ENDS, strict=True):
        assert job.attempts == attempts
        assert job.failure.startswith(cause)


def test_a_running_job_stops_when_it_is_cancelled(database, tmp_path, made_up_kinds):
    with a_worker(settings_of(database, tmp_path)):
        job = made(database, "go_on_until_stopped")
        eventually(database, job, {"running"})
        asked(database, lambda session: cancel(session, job.id))
        ended = eventually(database, job, {"cancelled"})
    assert ended.rows_done > 0


def test_a_worker_that_stops_gives_its_jobs_back_at_once(database, tmp_path, made_up_kinds):
    settings = settings_of(database, tmp_path)
    job = made(database, "go_on_until_stopped")
    with a_worker(settings):
        eventually(database, job, {"running"})
    back = asked(database, lambda session: fetch_job(session, job.id))
    assert (back.state, back.misses) == ("queued", 0)
    assert back.rows_done > 0


def test_a_worker_does_no_more_jobs_at_once_than_it_has_slots(database, tmp_path, made_up_kinds):
    with a_worker(settings_of(database, tmp_path, job_slots=2)):
        jobs = [made(database, "go_on_until_stopped") for _ in range(4)]
        for job in jobs[:2]:
            eventually(database, job, {"running"})
        states = sorted(asked(database, lambda session: list_jobs(session, Wanted())), key=lambda job: job.seq)
        assert [job.state for job in states] == ["running", "running", "queued", "queued"]
        asked(database, lambda session: cancel(session, jobs[0].id))
        eventually(database, jobs[2], {"running"})


def test_a_due_schedule_makes_a_job_that_is_done(database, tmp_path, made_up_kinds):
    async def schedule(session):
        await add_schedule(session, ScheduleRequest(name="now", cron="* * * * *", kind="count_to_three"))
        await session.execute("UPDATE rayapp.schedule SET next_at = now() + interval '1s'")

    with a_worker(settings_of(database, tmp_path)):
        asked(database, schedule)
        deadline = time.monotonic() + PATIENCE_S
        while (
            not (jobs := asked(database, lambda session: list_jobs(session, Wanted(states=("succeeded",))))) and time.monotonic() < deadline
        ):
            time.sleep(0.1)
    assert [job.schedule for job in jobs] == ["now"]


def test_the_holder_of_a_lost_job_stops_and_changes_nothing(database, tmp_path):
    settings = settings_of(database, tmp_path)
    job = made(database, "anything")

    async def take(session):
        return (await claim(session, Claim(("anything",), "first", 1, LEASE_S)))[0]

    async def another_takes_it(session):
        await session.execute("UPDATE rayapp.job SET attempts = attempts + 1, worker = 'second'")

    held_job = asked(database, take)

    def hold():
        with holding(settings, held_job, LEASE_S) as held:
            asked(database, another_takes_it)
            while not held.should_stop():
                time.sleep(0.02)
            held.result = {"from": "the first"}

    with pytest.raises(Unavailable, match="taken over"):
        hold()
    now = asked(database, lambda session: fetch_job(session, job.id))
    assert (now.state, now.worker, now.result) == ("running", "second", None)


def test_work_in_the_foreground_is_a_job_as_well(database, tmp_path):
    settings = settings_of(database, tmp_path)
    wanted = JobRequest(kind="ingest", request={"source": "/a"}, unique_key="a")
    with job_of(settings, wanted, LEASE_S) as held:
        assert asked(database, lambda session: fetch_job(session, held.job.id)).state == "running"
        with job_of(settings, wanted, LEASE_S) as beside:  # the same, while the first is at it
            assert beside.job.id != held.job.id
        held.tell(Rows(total=2, done=2))
        held.result = {"inserted": 2}
    assert (held.job.state, held.job.rows_done, held.job.result) == ("succeeded", 2, {"inserted": 2})
    with pytest.raises(KeyboardInterrupt), job_of(settings, wanted, LEASE_S) as held:
        raise KeyboardInterrupt
    assert asked(database, lambda session: fetch_job(session, held.job.id)).state == "cancelled"
    waiting = asked(database, lambda session: enqueue(session, wanted)).job
    with job_of(settings, wanted, LEASE_S) as held:
        assert held.job.id == waiting.id  # what waited for a worker is gone on with


HOLD = """
import sys, time
from pathlib import Path
from rayapp.data_jobs.holding import job_of
from rayapp.settings import Settings
from rayapp.store.job_leases import Rows
from rayapp.store.jobs import JobRequest
settings = Settings(data_dir=Path(sys.argv[2]), database_url=sys.argv[1], job_lease_s=2)
with job_of(settings, JobRequest(kind="count_to_three"), 2) as held:
    held.tell(Rows(total=3, done=1))
    print(held.job.id, flush=True)
    time.sleep(600)
"""


def test_when_a_holder_is_killed_a_worker_goes_on(database, tmp_path, made_up_kinds):
    child = subprocess.Popen([sys.executable, "-c", HOLD, database, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    job_id = UUID(child.stdout.readline().strip())
    job = asked(database, lambda session: fetch_job(session, job_id))
    with a_worker(settings_of(database, tmp_path)):
        time.sleep(LEASE_S + 1)
        assert asked(database, lambda session: fetch_job(session, job_id)).attempts == 1  # it is heard
        os.kill(child.pid, signal.SIGKILL)
        ended = eventually(database, job, {"succeeded"})
    child.wait()
    child.stdout.close()
    assert (ended.attempts, ended.rows_done) == (2, 3)


def test_a_request_in_words_is_read_and_files_are_named_from_the_root(tmp_path):
    assert request_of("ingest", ["source=s3://bucket/a=b.csv", "dataset=inventory"]) == {
        "source": "s3://bucket/a=b.csv",
        "dataset": "inventory",
    }
    assert request_of("ingest", ["source=a.csv"])["source"] == absolute("a.csv") == os.path.join(os.getcwd(), "a.csv")  # noqa: PTH109, PTH118
    for kind, words in [("nothing", []), ("ingest", ["source"]), ("ingest", ["dataset=x"])]:
        with pytest.raises(InvalidInput):
            request_of(kind, words)


def test_large_is_what_is_large_or_cannot_be_known(tmp_path):
    settings = Settings(data_dir=tmp_path, tier_large=10)
    (tmp_path / "few.csv").write_bytes(b"x" * 900)
    (tmp_path / "many.csv").write_bytes(b"x" * 1000)
    (tmp_path / "packed.csv.gz").write_bytes(b"x" * 200)
    expected = {"few.csv": False, "many.csv": True, "packed.csv.gz": True, "nothing.csv": False, ".": True}
    assert {name: source_is_large(settings, {"source": str(tmp_path / name)}) for name in expected} == expected
    assert source_is_large(settings, {"source": "s3://bucket/a.csv"})
