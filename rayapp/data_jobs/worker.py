"""The worker: claims jobs, does the small ones in this process, has the large ones done elsewhere and watches them.

``python -m rayapp.data_jobs.worker [ADDRESS]``; ADDRESS is that of Ray's job API, without which large jobs get a process of their own on
this machine. Any number of workers may run anywhere. What they know is in PostgreSQL alone, so each may be killed at any moment.
"""

import asyncio
import logging
import signal
import sys
import time
from collections.abc import Sequence
from uuid import UUID

import asyncpg
import msgspec

from rayapp.data_jobs.elsewhere import Elsewhere, OwnProcesses
from rayapp.data_jobs.holding import Holding, holding, this_worker
from rayapp.data_jobs.kinds import KINDS, is_large, run_kind
from rayapp.data_jobs.log_lines import log_to
from rayapp.data_jobs.pruning import keeping_of, prune
from rayapp.errors import RayappError
from rayapp.settings import Settings, read_settings
from rayapp.store.database import connection, resolve_url
from rayapp.store.job_leases import Claim, Lease, claim, end, end_expired
from rayapp.store.job_states import Ending
from rayapp.store.jobs import CHANNEL, Job, seconds_to_start
from rayapp.store.schedules import fire_due, seconds_to_next

LARGE_SLOTS = 2
"""Large jobs that a worker watches at once; the cluster shares itself out among them."""

POLL_S = 5.0
"""The queue is looked at so often although nobody told of anything; expired leases too."""

PRUNED_EVERY_S = 3600.0
FIRST_PRUNED_S = 120.0
"""After a start; what is old is taken away so often."""

LEAST_WAIT_S = 0.05
RETRY_S = 1.0

log = logging.getLogger(__name__)


class Worker:
    """One worker."""

    def __init__(self, settings: Settings, elsewhere: Elsewhere | None = None) -> None:
        """Prepare; nothing is connected yet. ``elsewhere`` does large jobs, processes of this machine where ``None``."""
        self._settings = settings
        self._elsewhere = elsewhere or OwnProcesses()
        self._small: dict[asyncio.Task[None], Holding | None] = {}
        self._large: set[asyncio.Task[None]] = set()
        self._too_large: set[UUID] = set()
        self._wake = asyncio.Event()
        self._stopping = False
        self._prune_at = time.monotonic() + FIRST_PRUNED_S
        self._pruning: asyncio.Task[None] | None = None

    def stop(self) -> None:
        """Ask the worker to end: jobs in this process are given back, large ones go on without it where they can."""
        self._stopping = True
        for held in self._small.values():
            if held is not None:
                held.give_back()
        self._wake.set()

    async def run(self) -> None:
        """Work until asked to stop, whatever happens to the database."""
        log.info("worker.started", extra={"worker": this_worker(), "slots": self._settings.job_slots})
        while not self._stopping:
            try:
                await self._work()
            except RayappError as error:
                log.warning("worker.database_unavailable", extra={"reason": str(error)})
                await asyncio.sleep(RETRY_S)
        for task in self._large:
            task.cancel()
        if self._pruning is not None:
            self._pruning.cancel()
        await asyncio.gather(*self._small, *self._large, return_exceptions=True)

    async def _work(self) -> None:
        async with connection(resolve_url(self._settings)) as session:
            await session.add_listener(CHANNEL, lambda *_: self._wake.set())
            while not self._stopping:
                self._wake.clear()
                await end_expired(session)
                await fire_due(session)
                self._prune_when_due()
                for job in await self._claim(session):
                    self._begin(job)
                await self._wait(await self._patience(session))

    def _prune_when_due(self) -> None:
        """Take away what is old beside the work; what breaks off is gone on with the next time."""
        if time.monotonic() >= self._prune_at:
            self._prune_at = time.monotonic() + PRUNED_EVERY_S
            self._pruning = asyncio.create_task(_prune(self._settings))

    async def _claim(self, session: asyncpg.Connection) -> list[Job]:
        """Take as many jobs as there is room for; large ones that there is no room for go back into the queue."""
        free = self._settings.job_slots - len(self._small)
        if free <= 0:
            return []
        full = len(self._large) >= LARGE_SLOTS
        without = tuple(self._too_large) if full else ()
        wanted = Claim(tuple(KINDS), this_worker(), free if full else 1, self._settings.job_lease_s, without)
        jobs = await claim(session, wanted)
        fitting = [job for job in jobs if not (full and is_large(self._settings, job))]
        for job in jobs:
            if job not in fitting:
                self._too_large.add(job.id)
                await end(session, Lease(job.id, job.attempts), Ending("stopped"))
        if jobs:
            self._wake.set()  # there may be more
        return fitting

    def _begin(self, job: Job) -> None:
        log.info("job.claimed", extra={"job": str(job.id), "kind": job.kind, "attempt": job.attempts})
        if is_large(self._settings, job):
            task = asyncio.create_task(self._watched(job))
            self._large.add(task)
        else:
            task = asyncio.create_task(self._done_here(job))
            self._small[task] = None
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._small.pop(task, None)
        if task in self._large:
            self._large.discard(task)
            self._too_large.clear()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("job.attempt_ended_early", extra={"reason": f"{type(error).__name__}: {error}"})
        self._wake.set()

    async def _done_here(self, job: Job) -> None:
        task = asyncio.current_task()

        def work() -> None:
            with holding(self._settings, job, self._settings.job_lease_s) as held:
                if task is not None:
                    self._small[task] = held
                if self._stopping:
                    held.give_back()
                held.result = run_kind(self._settings, job, held.tell, held.should_stop)

        await asyncio.to_thread(work)

    async def _watched(self, job: Job) -> None:
        await self._elsewhere.do(self._settings, job)

    async def _patience(self, session: asyncpg.Connection) -> float:
        """Say how long nothing can happen that nobody would tell of."""
        start, fire = await seconds_to_start(session, tuple(KINDS)), await seconds_to_next(session)
        longest = min(POLL_S, self._settings.job_lease_s / 2)
        soon = [longest if start is None or start <= 0 else start, longest if fire is None else fire]  # what may start now has no room
        return max(LEAST_WAIT_S, min(longest, *soon))

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), seconds)
        except TimeoutError:
            return


async def _prune(settings: Settings) -> None:
    try:
        done = await prune(settings, keeping_of(settings))
    except RayappError as error:
        log.warning("retention.broke_off", extra={"reason": str(error)})
        return
    if done is not None and any(msgspec.structs.astuple(done)):
        log.info("retention.pruned", extra=msgspec.structs.asdict(done))


async def work_until_signalled(settings: Settings, elsewhere: Elsewhere | None = None) -> None:
    """Run a worker until SIGTERM or SIGINT."""
    worker = Worker(settings, elsewhere)
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, worker.stop)
    await worker.run()


def main(words: Sequence[str]) -> int:
    """Run a worker of the machine that this is called on."""
    log_to()
    settings = read_settings()
    elsewhere: Elsewhere | None = None
    if words:
        from rayapp.data_jobs.ray_jobs import RayJobs

        elsewhere = RayJobs(words[0])
    try:
        asyncio.run(work_until_signalled(settings, elsewhere))
    except RayappError as error:
        print(f"rayapp: {error}", file=sys.stderr)  # noqa: T201 - the launcher shows the end of this log
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
