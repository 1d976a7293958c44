"""A load from its plan to its last row: in this process, or on Ray Data when it is huge, with the ledger as the only count."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from uuid import UUID

import asyncpg
import msgspec

from rayapp.data_jobs.bad_rows import Limit, too_many_bad, write_rejects
from rayapp.data_jobs.loading import Loading
from rayapp.data_jobs.local_load import load_here, load_on_this_machine
from rayapp.data_jobs.one_session import OneSession
from rayapp.data_jobs.refused_rows import try_refused
from rayapp.data_jobs.watching import CANCELLED, TOO_MANY_BAD, ShouldStop, Tell, Watch
from rayapp.datasets import Dataset
from rayapp.datasets import dataset as declared
from rayapp.errors import InvalidInput, Unavailable
from rayapp.settings import Settings
from rayapp.sources.locations import lies_here
from rayapp.sources.pieces import Piece, Plan, ReadPiece
from rayapp.store.active_pack import digest_in_use
from rayapp.store.chunks import first_load_runs
from rayapp.store.database import connection, resolve_url
from rayapp.store.first_load import begin_first_load, end_first_load, first_load_of
from rayapp.store.ledger import (
    Job,
    Progress,
    Source,
    find_job,
    finish_job,
    job_progress,
    loaded_chunks,
    open_job,
    quarantined,
    stop_job,
)
from rayapp.store.mended_rows import refused_chunks

HUGE = "huge"
ROUNDS = 3
"""Times that pieces are gone through, since who worked on one may have been killed meanwhile."""

Cluster = Callable[[], AbstractContextManager[object]]
"""Makes a context in which this process is connected to Ray."""


class Wanted(msgspec.Struct, frozen=True):
    """What is to be loaded how. ``pack`` is the digest of the stored pack that decides, of the active one if not given."""

    dataset: str = "transactions"
    pack: str | None = None
    max_bad: str | None = None
    rejects: Path | None = None
    again: bool = False
    """Rows that an earlier load of the same source refused are tried again."""


class Surroundings(msgspec.Struct, frozen=True):
    """Who is told of a load, who may stop it, and how this process comes to a Ray cluster when the load is huge."""

    begun: Callable[[Job, Progress], None] = lambda _job, _progress: None
    tell: Tell = lambda _progress: None
    should_stop: ShouldStop = lambda: False
    cluster: Cluster | None = None
    """Without one, a huge load uses the processors of this machine."""


def run_load(settings: Settings, wanted: Wanted, planned: tuple[Plan, ReadPiece], around: Surroundings) -> Progress:
    """Load a planned source, or go on with its load; gives the counts, with ``stopped_why`` when it was cancelled.

    Raises ``InvalidInput`` when there are more bad rows than may be, ``Unavailable`` when something broke; run again it goes on.
    """
    plan, read = planned
    limit = Limit.read(wanted.max_bad)
    dataset = declared(wanted.dataset, settings.datasets)
    with OneSession(resolve_url(settings)) as database:
        job, before, first, left = database.ask(lambda session: _begin(session, settings, wanted, dataset, plan))
        refused = database.ask(lambda session: _refused(session, job, plan)) if wanted.again and before.quarantined else []
        around.begun(job, before)
        most_bad = limit.most(before.source_rows or plan.rows)
        here = any(lies_here(file.text, settings.files_dir) for file in plan.files)
        loading = Loading(settings, job, dataset, before.pack, read, most_bad, first, here)
        try:
            stopped = "" if job.finished else _load(loading, plan, left, around, database)
            progress = database.ask(lambda session: _end(session, loading, stopped))
            if refused and not stopped:
                progress = asyncio.run(_try_refused(loading, refused, around.should_stop))
        finally:
            if wanted.rejects is not None:
                write_rejects(wanted.rejects, database.ask(lambda session: quarantined(session, job)))
    around.tell(progress)
    if stopped == TOO_MANY_BAD and loading.most_bad is not None:
        raise too_many_bad(progress.quarantined, progress.rows, loading.most_bad)
    if not stopped and progress.chunks_done < progress.chunks:
        raise Unavailable(f"{progress.chunks - progress.chunks_done} of {progress.chunks} pieces are not loaded: run it again to go on")
    return progress


async def _begin(
    session: asyncpg.Connection, settings: Settings, wanted: Wanted, dataset: Dataset, plan: Plan
) -> tuple[Job, Progress, bool, list[Piece]]:
    """Begin a load, or go on with the one that loaded the same source with the same pack before.

    Says whether it is a first load, and which pieces are to be loaded.
    """
    pack = (wanted.pack or await digest_in_use(session, settings)) if dataset.decides else None
    source = Source(
        dataset=dataset.name,
        name=plan.source,
        digest=plan.content,
        bytes=plan.bytes,
        rows=plan.rows,
        chunks=len(plan.pieces),
        tier=plan.tier,
        manifest=msgspec.json.encode(plan.pieces).decode(),
        pack=pack,
    )
    job = await open_job(session, source)
    first = not job.finished and await _begin_first(session, job, dataset)
    return job, await job_progress(session, job), first, await _left(session, job, plan)


async def _refused(session: asyncpg.Connection, job: Job, plan: Plan) -> list[Piece]:
    """Give the pieces of which rows were refused."""
    numbers = await refused_chunks(session, job)
    return [piece for piece in _cut(job, plan) if piece.number in numbers]


async def _try_refused(loading: Loading, pieces: list[Piece], should_stop: ShouldStop) -> Progress:
    await try_refused(loading, pieces, should_stop)
    async with connection(resolve_url(loading.settings)) as session:
        return await job_progress(session, loading.job)


async def _begin_first(session: asyncpg.Connection, job: Job, dataset: Dataset) -> bool:
    """Fill empty tables without their keys, when much is to come; raises ``Unavailable`` while another load does."""
    if job.tier == HUGE:
        return await begin_first_load(session, job, dataset)
    running = await first_load_of(session, dataset.name)
    if running is not None:
        raise first_load_runs(dataset.name, running)
    return False


def _load(loading: Loading, plan: Plan, pieces: list[Piece], around: Surroundings, database: OneSession) -> str:
    """Load the pieces that are left; says why it was stopped, nothing when it was not."""
    with Watch(loading, around.tell, around.should_stop) as watch:
        try:
            for _ in range(ROUNDS):
                if pieces and not watch.stopping():
                    _load_pieces(loading, pieces, around.cluster, watch.stopping, database)
                    pieces = database.ask(lambda session: _left(session, loading.job, plan))
        except InvalidInput:
            watch.stopped = watch.stopped or TOO_MANY_BAD
            database.ask(lambda session: _end(session, loading, watch.stopped))
            raise
    return watch.stopped


def _load_pieces(
    loading: Loading, pieces: list[Piece], cluster: Cluster | None, stopping: Callable[[], bool], database: OneSession
) -> None:
    """Load pieces as their tier wants; those that another process works on at the moment are left to it."""
    if loading.job.tier != HUGE:
        database.ask(lambda session: load_here(loading, pieces, stopping, session))
    elif cluster is None:
        load_on_this_machine(loading, pieces, stopping)
    else:
        from rayapp.data_jobs.ray_load import load_on_ray

        with cluster():
            load_on_ray(loading, pieces)


async def _left(session: asyncpg.Connection, job: Job, plan: Plan) -> list[Piece]:
    """Give the pieces that are not loaded yet."""
    done = await loaded_chunks(session, job)
    return [piece for piece in _cut(job, plan) if piece.number not in done]


def _cut(job: Job, plan: Plan) -> tuple[Piece, ...]:
    """Give all pieces, by the cut that the load began with."""
    return plan.pieces if job.manifest is None else msgspec.json.decode(job.manifest, type=tuple[Piece, ...])


async def _end(session: asyncpg.Connection, loading: Loading, stopped: str) -> Progress:
    """Close the load if nothing is left of it, or note why it was stopped; either way its tables have their keys again."""
    done = len(await loaded_chunks(session, loading.job)) == loading.job.chunks
    if (done or stopped) and loading.first:
        await end_first_load(session, resolve_url(loading.settings), loading.job, loading.dataset)
    if stopped and not done:
        await stop_job(session, loading.job, stopped)
    return await finish_job(session, loading.job)


async def cancel_load(settings: Settings, load: UUID) -> Progress:
    """Stop a load, wherever it runs; its tables get their keys, what is loaded stays, and the same source goes on with it later."""
    async with connection(resolve_url(settings)) as session:
        job = await find_job(session, load)
        await stop_job(session, job, CANCELLED)
        await end_first_load(session, resolve_url(settings), job, declared(job.dataset, settings.datasets))
        return await job_progress(session, job)
