"""Large jobs as Ray Jobs, submitted through the job API. What becomes of a job PostgreSQL knows; Ray is asked only whether it runs."""

import asyncio
import shlex

from ray.job_submission import JobStatus, JobSubmissionClient

from rayapp.data_jobs.elsewhere import Elsewhere, Run, entrypoint
from rayapp.errors import Unavailable
from rayapp.settings import Settings
from rayapp.store.database import connection, resolve_url
from rayapp.store.job_leases import Lease, runs_as
from rayapp.store.jobs import Job

MOST_UNANSWERED = 30
"""Times in a row that the job API may not answer before the attempt counts as gone with the cluster."""


class RayJobs(Elsewhere):
    """The cluster whose job API is at ``address``, such as ``http://127.0.0.1:8265``; the token is found as Ray finds it."""

    def __init__(self, address: str) -> None:
        """Name the cluster; it is connected to when the first job comes."""
        self._address = address
        self._client: JobSubmissionClient | None = None

    async def start(self, settings: Settings, job: Job) -> Run:
        """Submit an attempt under the job's id and the attempt's number, so that one attempt never runs twice."""
        name = f"{job.id}-{job.attempts}"
        try:
            self._client = self._client or await asyncio.to_thread(JobSubmissionClient, self._address)
            words = shlex.join(entrypoint(job))
            metadata = {"job": str(job.id), "kind": job.kind}
            await asyncio.to_thread(lambda: self._api().submit_job(entrypoint=words, submission_id=name, metadata=metadata))
        except (RuntimeError, OSError) as error:
            raise Unavailable(f"the cluster takes no job: {error}") from error
        async with connection(resolve_url(settings)) as session:
            await runs_as(session, Lease(job.id, job.attempts), name)
        return _RayJob(self._api(), name)

    def _api(self) -> JobSubmissionClient:
        if self._client is None:
            raise Unavailable("the cluster's job API was not found")
        return self._client


class _RayJob(Run):
    def __init__(self, client: JobSubmissionClient, name: str) -> None:
        self._client = client
        self._name = name
        self._unanswered = 0

    async def ended(self) -> str | None:
        try:
            info = await asyncio.to_thread(self._client.get_job_info, self._name)
        except (RuntimeError, OSError) as error:
            self._unanswered += 1
            return f"the cluster does not answer any more: {error}" if self._unanswered > MOST_UNANSWERED else None
        self._unanswered = 0
        if not info.status.is_terminal():
            return None
        said = f": {info.message.strip().splitlines()[-1]}" if info.message and info.status is not JobStatus.SUCCEEDED else ""
        return f"its Ray Job {self._name} is {info.status.value.lower()}{said}"

    async def kill(self) -> None:
        await asyncio.to_thread(self._client.stop_job, self._name)

    async def let_go(self) -> None:
        """Leave it to itself: it holds the job without a worker too."""
