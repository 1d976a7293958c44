"""``rayapp jobs`` and ``rayapp worker``: what is to be done, how far it is, and who does it."""

import asyncio
import os
import sys
from argparse import Namespace
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import asyncpg

from rayapp.cli.job_views import as_json, details, print_table, progress_line, table_of
from rayapp.launch.driver import cluster_address, prepare_environment
from rayapp.launch.site import Site
from rayapp.settings import Settings
from rayapp.store.database import connection, running_database
from rayapp.store.jobs import Job, Wanted, cancel, fetch_job, find_job, jobs_ahead, list_jobs, retry

DONE, FAILED, REJECTED = 0, 1, 3
EXIT_CODES = {"succeeded": DONE, "partially_failed": REJECTED, "failed": FAILED, "cancelled": FAILED}
WATCH_S = 1.0

T = TypeVar("T")


def ask(settings: Settings, question: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
    """Put a question to the database, which is started if it is the embedded one and does not run."""

    async def asked(url: str) -> T:
        async with connection(url) as session:
            return await question(session)

    with running_database(settings) as url:
        return asyncio.run(asked(url))


def show_list(settings: Settings, arguments: Namespace) -> int:
    """Print jobs, the newest first."""
    states = tuple(arguments.state) if arguments.state else None
    wanted = Wanted(states=states, kinds=tuple(arguments.kind) if arguments.kind else None, most=arguments.most)
    jobs = ask(settings, lambda session: list_jobs(session, wanted))
    if arguments.json:
        for job in jobs:
            print(as_json(job))
    else:
        print_table(table_of(jobs))
    return DONE


def show(settings: Settings, arguments: Namespace) -> int:
    """Print everything about one job; the exit code is that of the job, 0 while it is not finished."""

    async def look(session: asyncpg.Connection) -> tuple[Job, int | None]:
        job = await find_job(session, arguments.job)
        return job, await jobs_ahead(session, job.id)

    job, ahead = ask(settings, look)
    if arguments.json:
        print(as_json(job, ahead))
    else:
        print_table(details(job, ahead))
    return EXIT_CODES.get(job.state, DONE)


def cancel_jobs(settings: Settings, arguments: Namespace) -> int:
    """Cancel jobs; fails when one of them was finished already."""

    async def stop(session: asyncpg.Connection) -> list[tuple[bool, Job]]:
        jobs = [await find_job(session, name) for name in arguments.jobs]
        return [(job.live, await cancel(session, job.id)) for job in jobs]

    told = {"cancelled": "cancelled", "running": "asked to stop"}
    jobs = ask(settings, stop)
    for was_live, job in jobs:
        words = told.get(job.state) if was_live else None
        print(as_json(job) if arguments.json else f"{job.id} {words or f'is {job.state} already'}")
    return DONE if all(was_live and job.state in told for was_live, job in jobs) else FAILED


def retry_job(settings: Settings, arguments: Namespace) -> int:
    """Have done what a job left undone, as a new job whose id is printed; says where that can only be nothing."""

    async def again(session: asyncpg.Connection) -> tuple[Job, Job, bool]:
        former = await find_job(session, arguments.job)
        made = await retry(session, former.id, "cli")
        return former, made.job, made.new

    former, job, new = ask(settings, again)
    print(as_json(job) if arguments.json else job.id)
    if not new:
        print(f"rayapp: it is being tried again already, as job {job.id}", file=sys.stderr)
    elif former.kind == "ingest" and former.state == "partially_failed":
        print(f"rayapp: {former.rows_failed:,} bad rows are tried again; what the source has wrong is to be mended there", file=sys.stderr)
    return DONE


def watch(settings: Settings, arguments: Namespace) -> int:
    """Follow a job to its end, with a line that renews itself in a terminal; the exit code is that of the job."""
    live = sys.stderr.isatty() and not arguments.json

    async def follow(session: asyncpg.Connection) -> Job:
        job = await find_job(session, arguments.job)
        told: Any = None
        while True:
            line = as_json(job) if arguments.json else progress_line(job, await jobs_ahead(session, job.id))
            if line != told:
                print(f"\r\033[K{line}" if live else line, end="" if live else "\n", file=sys.stderr if live else sys.stdout, flush=True)
                told = line
            if not job.live:
                return job
            await asyncio.sleep(WATCH_S)
            job = await fetch_job(session, job.id)

    job = ask(settings, follow)
    if live:
        print(file=sys.stderr)
    return EXIT_CODES[job.state]


def work(settings: Settings, _arguments: Namespace) -> int:
    """Work on jobs until Ctrl-C or SIGTERM."""
    prepare_environment(settings)
    from rayapp.data_jobs.log_lines import log_to
    from rayapp.data_jobs.worker import work_until_signalled

    log_to(sys.stderr, settings.log_level)
    with running_database(settings):
        print(f"rayapp: worker {os.getpid()} takes jobs until Ctrl-C", file=sys.stderr, flush=True)
        asyncio.run(work_until_signalled(settings, _elsewhere(settings)))
    return DONE


def _elsewhere(settings: Settings) -> Any:  # noqa: ANN401 - imported only where there is a cluster
    """Give the cluster that runs here, if any, to do large jobs."""
    state = Site(settings.data_dir).read()
    if not cluster_address(settings) or state is None or not state.jobs_url:
        return None
    from rayapp.data_jobs.ray_jobs import RayJobs

    return RayJobs(state.jobs_url)
