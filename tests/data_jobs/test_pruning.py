"""What is old is taken away: rows, then files; what somebody still needs stays."""

import asyncio
import os
import time
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from rayapp.data_jobs.ingest import Surroundings, Wanted, run_load
from rayapp.data_jobs.pruning import keeping_of, prunable, prune
from rayapp.datasets import dataset
from rayapp.settings import Settings
from rayapp.sources.options import SourceOptions
from rayapp.sources.planning import plan_source
from rayapp.store.database import connection
from rayapp.store.job_leases import Claim, Lease, claim, end
from rayapp.store.job_results import Part, Run, begin_run, done_parts, parts_after, write_part
from rayapp.store.job_states import Ending
from rayapp.store.jobs import JobRequest, enqueue, list_jobs, retry
from rayapp.store.jobs import Wanted as Listed
from rayapp.store.ledger import Progress
from rayapp.store.retention import Forgotten, Keeping, take_turn
from rayapp.store.webhooks import Webhook, add_webhook
from tests.running_worker import a_worker

DAY_S = 24 * 3600
KEEPING = Keeping(jobs_days=90, files_days=30, history_days=0)


@pytest.fixture
def settings(database: str, tmp_path: Path) -> Settings:
    return Settings(database_url=database, data_dir=tmp_path)


def asked(settings: Settings, question: Any) -> Any:
    async def ask() -> Any:
        async with connection(settings.database_url or "") as session:
            return await question(session)

    return asyncio.run(ask())


def ended(settings: Settings, days: float, how: Any = "done", **request: Any) -> UUID:
    """A job that ended so many days ago."""

    async def story(session: Any) -> UUID:
        made = (await enqueue(session, JobRequest(kind="classify", **request))).job
        (job,) = await claim(session, Claim(("classify",), "worker"))
        assert job.id == made.id
        await end(session, Lease(job.id, 1), Ending(how, "why"))
        await aged(session, job.id, days)
        return job.id

    job: UUID = asked(settings, story)
    return job


async def aged(session: Any, job: UUID, days: float) -> None:
    await session.execute("UPDATE rayapp.job SET finished_at = now() - make_interval(secs => $2) WHERE id = $1", job, days * DAY_S)


def retried(settings: Settings, job: UUID, days: float | None) -> UUID:
    """A retry of a job, which waits, or ended so many days ago."""

    async def story(session: Any) -> UUID:
        again = (await retry(session, job)).job
        if days is not None:
            await session.execute("UPDATE rayapp.job SET state = 'succeeded', finished_at = now() WHERE id = $1", again.id)
            await aged(session, again.id, days)
        return again.id

    again: UUID = asked(settings, story)
    return again


def file_of(path: Path, days: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * 10)
    os.utime(path, (time.time() - days * DAY_S,) * 2)
    return path


def pruned(settings: Settings, keeping: Keeping = KEEPING) -> Forgotten:
    expected = asyncio.run(prunable(settings, keeping))
    done = asyncio.run(prune(settings, keeping))
    assert done is not None
    assert msgspec.structs.replace(done, files=0, bytes=0) == msgspec.structs.replace(expected, files=0, bytes=0), "a dry run said so"
    return done


def jobs_left(settings: Settings) -> set[UUID]:
    return {job.id for job in asked(settings, lambda session: list_jobs(session, Listed()))}


def test_finished_jobs_go_and_those_that_live_or_that_a_kept_one_goes_on_with_stay(settings: Settings) -> None:
    old = [ended(settings, 91), ended(settings, 400, "wrong")]
    retried(settings, old[1], 200)
    young = ended(settings, 89)
    needed = ended(settings, 300, "wrong")
    needed_too = retried(settings, needed, 290)
    asked(settings, lambda session: session.execute("UPDATE rayapp.job SET state = 'failed', failure = 'x' WHERE id = $1", needed_too))
    waits = retried(settings, needed_too, None)
    asked(settings, lambda session: session.execute("UPDATE rayapp.job SET created_at = now() - interval '9 years' WHERE id = $1", waits))
    assert pruned(settings).jobs == 3
    assert jobs_left(settings) == {young, needed, needed_too, waits}
    assert pruned(settings) == Forgotten()
    assert pruned(settings, Keeping(0, 0, 0)) == Forgotten(), "0 keeps for ever"


def test_a_job_goes_with_the_deliveries_that_told_of_it(settings: Settings) -> None:
    async def story(session: Any) -> None:
        job = (await enqueue(session, JobRequest(kind="classify"))).job
        await add_webhook(session, job.id, Webhook("https://client.example", ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",)))
        await claim(session, Claim(("classify",), "worker"))
        await end(session, Lease(job.id, 1), Ending("done"))
        (told,) = await claim(session, Claim(("webhook",), "worker"))
        await aged(session, job.id, 100)
        assert (await prune(settings, KEEPING), len(await list_jobs(session, Listed()))) == (Forgotten(), 2), "it is being told of still"
        await end(session, Lease(told.id, 1), Ending("done"))
        await aged(session, told.id, 99)

    asked(settings, story)
    assert pruned(settings).jobs == 2
    assert asked(settings, lambda session: session.fetchval("SELECT count(*) FROM rayapp.webhook")) == 0


def test_uploads_go_when_no_job_needs_them_and_orphans_after_a_day(settings: Settings) -> None:
    uploads = settings.files_dir / "uploads"
    names = {name: uploads / f"{number:064x}.csv" for number, name in enumerate(("done", "shared", "waits", "orphan", "fresh", "young"))}
    for name, path in names.items():
        file_of(path, 0.5 if name == "fresh" else 100)
    unfinished = file_of(uploads / f".{uuid4().hex}", 2)
    foreign = file_of(uploads / "notes.txt", 900)
    ended(settings, 31, request={"source": str(names["done"])})
    ended(settings, 31, request={"source": str(names["shared"])})
    ended(settings, 29, request={"source": str(names["young"])})
    asked(settings, lambda session: enqueue(session, JobRequest(kind="ingest", request={"source": str(names["waits"])})))
    asked(settings, lambda session: enqueue(session, JobRequest(kind="ingest", request={"source": str(names["shared"])})))
    done = pruned(settings)
    assert (done.files, done.bytes, done.jobs) == (3, 30, 0)
    left = {names[name] for name in ("shared", "waits", "fresh", "young")}
    assert set(uploads.iterdir()) == {*left, foreign}
    assert not unfinished.exists()


def written(settings: Settings, run: UUID, job: UUID, number: int, days: float) -> Path:
    path = f"results/{job}/{number:07}.parquet"

    async def story(session: Any) -> None:
        begun = await begin_run(session, Run(run, "pack", "digest", "small", 10))
        await write_part(session, begun, job, Part(number, 10 * (number + 1), 10, 0, path))

    asked(settings, story)
    return file_of(settings.files_dir / path, days)


def test_results_go_when_the_last_job_of_their_run_is_old_and_a_retry_then_begins_anew(settings: Settings) -> None:
    old, needed = ended(settings, 40, "wrong"), ended(settings, 50, "wrong")
    again = retried(settings, needed, 20)
    gone = written(settings, old, old, 0, 41)
    kept = [written(settings, needed, needed, 0, 51), written(settings, needed, again, 1, 21)]
    orphan = file_of(settings.files_dir / "results" / str(uuid4()) / "0000000.parquet", 3)
    unfinished = file_of(kept[0].with_name(f".{kept[0].name}.{uuid4().hex}"), 3)
    done = pruned(settings)
    assert (done.results, done.files, done.jobs) == (1, 3, 0)
    assert not any(path.exists() for path in (gone, orphan, unfinished, gone.parent, orphan.parent))
    assert all(path.exists() for path in kept)

    async def story(session: Any) -> None:
        run = await begin_run(session, Run(old, "pack", "digest", "small", 10))
        assert len(await parts_after(session, old, 0, 10)) == 1, "which says that there were some"
        last = (await retry(session, old)).job.id
        assert (await done_parts(session, run, last)).numbers == frozenset()
        await write_part(session, run, last, Part(0, 10, 10, 0, "new"))
        assert (await done_parts(session, run, last)).numbers == {0}

    asked(settings, story)


def load(settings: Settings, source: Path) -> Progress:
    with plan_source(str(source), dataset("order_lines"), SourceOptions(), settings) as planned:
        return run_load(settings, Wanted("order_lines"), planned, Surroundings())


def test_a_source_is_known_by_its_ledger_when_its_job_is_forgotten(settings: Settings, tmp_path: Path) -> None:
    source = tmp_path / "lines.csv"
    source.write_text("csv_upload_id,order_id,line_item_id,variant_id,quantity\n" + "".join(f"1,o{n},l{n},v{n},1\n" for n in range(20)))
    first = load(settings, source)
    ended(settings, 5_000, request={"source": str(source)})
    assert pruned(settings).jobs == 1
    again = load(settings, source)
    assert (again.id, again.inserted, again.finished_at) == (first.id, 20, first.finished_at)
    assert asked(settings, lambda session: session.fetchval("SELECT count(*) FROM rayapp.ingest_chunk")) == first.chunks


def test_only_one_process_prunes_at_a_time(settings: Settings) -> None:
    async def story(session: Any) -> None:
        assert await take_turn(session)
        assert await prune(settings, keeping_of(settings)) is None

    asked(settings, story)
    assert asyncio.run(prune(settings, keeping_of(settings))) == Forgotten()


def test_a_worker_prunes_by_itself(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rayapp.data_jobs.worker.FIRST_PRUNED_S", 0.0)
    kept, _ = ended(settings, 1), ended(settings, 100)
    with a_worker(settings):
        deadline = time.monotonic() + 30
        while jobs_left(settings) != {kept} and time.monotonic() < deadline:
            time.sleep(0.1)
    assert jobs_left(settings) == {kept}
