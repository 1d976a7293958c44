"""`rayapp jobs`, `rayapp schedules` and loads in the background, as they are typed."""

import asyncio
import json
import os
import subprocess
import sys

import pytest

from rayapp.store.database import connection
from rayapp.store.job_leases import Claim, Lease, Rows, claim, end, heartbeat
from rayapp.store.job_states import Ending
from rayapp.store.jobs import JobRequest, enqueue


@pytest.fixture
def rayapp(database, tmp_path):
    environment = {**os.environ, "RAYAPP_DATABASE_URL": database, "RAYAPP_DATA_DIR": str(tmp_path)}

    def run(*words):
        command = [sys.executable, "-m", "rayapp.cli.main", *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)

    return run


def asked(database, question):
    async def ask():
        async with connection(database) as session:
            return await question(session)

    return asyncio.run(ask())


async def two_jobs(session):
    """One job that is done, with a bad row, and one that waits."""
    await enqueue(session, JobRequest(kind="ingest", request={"source": "/done.csv"}))
    (done,) = await claim(session, Claim(("ingest",), "worker"))
    await heartbeat(session, Lease(done.id, 1), Rows(total=1000, done=1000, failed=1))
    await end(session, Lease(done.id, 1), Ending("done"), {"inserted": 999})
    waits = await enqueue(session, JobRequest(kind="ingest", request={"source": "/waits.csv"}))
    return str(done.id), str(waits.job.id)


def test_jobs_are_listed_shown_cancelled_watched_and_retried(rayapp, database):
    done, waits = asked(database, two_jobs)
    listed = rayapp("jobs", "list").stdout
    assert [line.split()[:3] for line in listed.splitlines()[1:]] == [[waits[:8], "ingest", "queued"], [done[:8], "ingest", "partially"]]
    assert [json.loads(line)["id"] for line in rayapp("jobs", "list", "--state", "queued", "--json").stdout.splitlines()] == [waits]
    shown = rayapp("jobs", "show", done[:6])
    assert shown.returncode == 3
    assert "1,000, 1 bad" in shown.stdout
    told = json.loads(rayapp("jobs", "show", waits, "--json").stdout)
    assert (told["state"], told["jobs_ahead"], told["request"]) == ("queued", 0, {"source": "/waits.csv"})
    assert rayapp("jobs", "cancel", waits).stdout == f"{waits} cancelled\n"
    again = rayapp("jobs", "cancel", waits)
    assert (again.returncode, again.stdout) == (1, f"{waits} is cancelled already\n")
    watched = rayapp("jobs", "watch", waits)
    assert (watched.returncode, watched.stdout) == (1, f"{waits[:8]} ingest cancelled\n")
    retried = rayapp("jobs", "retry", waits).stdout.strip()
    assert json.loads(rayapp("jobs", "show", retried, "--json").stdout)["retry_of"] == waits
    assert rayapp("jobs", "retry", done).stderr == "rayapp: 1 bad rows are tried again; what the source has wrong is to be mended there\n"
    unknown = rayapp("jobs", "show", "00000000")
    assert (unknown.returncode, unknown.stderr) == (1, "rayapp: there is no job 00000000: `rayapp jobs list` shows those that there are\n")


def test_schedules_are_added_listed_switched_and_removed(rayapp):
    added = rayapp("schedules", "add", "nightly", "0 3 * * *", "ingest", "source=day.csv", "--timezone", "Europe/Berlin")
    assert added.stdout.startswith("nightly: next at ")
    (listed,) = (json.loads(line) for line in rayapp("schedules", "list", "--json").stdout.splitlines())
    assert (listed["cron"], listed["enabled"], listed["request"]) == ("0 3 * * *", True, {"source": os.path.abspath("day.csv")})  # noqa: PTH100
    assert rayapp("schedules", "disable", "nightly").stdout == "nightly: disabled\n"
    assert " no " in rayapp("schedules", "list").stdout
    assert rayapp("schedules", "remove", "nightly").returncode == 0
    wrong = rayapp("schedules", "add", "x", "61 * * * *", "ingest", "source=a.csv")
    assert (wrong.returncode, wrong.stderr) == (1, "rayapp: '61 * * * *': bad minute\n")


def test_a_load_in_the_background_is_left_to_a_worker_once(rayapp, tmp_path):
    (tmp_path / "a.csv").write_text("id,descriptor\n1,SHOP\n")
    first = rayapp("ingest", str(tmp_path / "a.csv"), "--background")
    again = rayapp("ingest", str(tmp_path / "a.csv"), "--background")
    assert first.stdout == again.stdout
    assert "loads this already" in again.stderr
    job = json.loads(rayapp("jobs", "show", first.stdout.strip(), "--json").stdout)
    assert (job["state"], job["request"]["source"], job["request"]["dataset"]) == ("queued", str(tmp_path / "a.csv"), "transactions")
