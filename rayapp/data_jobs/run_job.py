"""One attempt at a job in a process of its own: ``python -m rayapp.data_jobs.run_job JOB_ID [ATTEMPT]``.

A worker starts it, on its machine or as a Ray Job, with the number of the attempt that it has claimed. Without a number it claims the job
itself, so ``ray job submit -- python -m rayapp.data_jobs.run_job JOB_ID`` runs a job that waits. Exit code 0: the attempt ended as it
should, whatever became of the job, which PostgreSQL knows; 1: it broke.
"""

import asyncio
import logging
import sys
from collections.abc import Sequence
from uuid import UUID

from rayapp.data_jobs.holding import holding, this_worker, when_asked_to_end
from rayapp.data_jobs.kinds import run_kind
from rayapp.data_jobs.log_lines import log_to
from rayapp.errors import InvalidInput, RayappError, Unavailable
from rayapp.settings import Settings, read_settings
from rayapp.store.database import connection, resolve_url
from rayapp.store.job_leases import LEASE_S, Lease, claim_job, take_over
from rayapp.store.jobs import Job, fetch_job

DONE, FAILED, WRONG_USE = 0, 1, 2

log = logging.getLogger(__name__)


def main(words: Sequence[str]) -> int:
    """Run the attempt that the words name."""
    try:
        job_id, attempt = UUID(words[0]), int(words[1]) if len(words) > 1 else None
    except (ValueError, IndexError):
        print(__doc__, file=sys.stderr)  # noqa: T201 - a program
        return WRONG_USE
    log_to()
    settings = read_settings()
    try:
        job = asyncio.run(_taken(settings, job_id, attempt))
        run_held(settings, job, settings.job_lease_s)
    except RayappError as error:
        print(f"rayapp: {error}", file=sys.stderr)  # noqa: T201 - what a Ray Job's log shows
        return FAILED
    return DONE


def run_held(settings: Settings, job: Job, lease_s: float = LEASE_S) -> Job:
    """Do a claimed job in this process, which gives it back when it is asked to end; gives the job as it stands then."""
    with holding(settings, job, lease_s) as held:
        when_asked_to_end(held.give_back)
        held.result = run_kind(settings, job, held.tell, held.should_stop)
    log.info("job.ended", extra={"job": str(job.id), "state": held.job.state})
    return held.job


async def _taken(settings: Settings, job_id: UUID, attempt: int | None) -> Job:
    async with connection(resolve_url(settings)) as session:
        if attempt is not None:
            job = await take_over(session, Lease(job_id, attempt, settings.job_lease_s), this_worker())
            if job is None:
                raise Unavailable(f"attempt {attempt} at job {job_id} is over: another has the job")
            return job
        job = await claim_job(session, job_id, this_worker(), settings.job_lease_s)
        if job is None:
            raise InvalidInput(f"job {job_id} is {(await fetch_job(session, job_id)).state}: only one that is queued can be begun")
        return job


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
