"""Large jobs outside of the worker's own process: started there, watched from here, ended if they do not end themselves."""

import asyncio
import logging
import sys
import time
from abc import ABC, abstractmethod
from subprocess import DEVNULL

from rayapp.errors import Unavailable
from rayapp.settings import Settings
from rayapp.store.database import connection, resolve_url
from rayapp.store.job_leases import Lease, end, heartbeat
from rayapp.store.job_states import Ending
from rayapp.store.jobs import Job

LOOK_S = 1.0
OBEY_S = 30.0
"""How long a job that was asked to stop has for the piece that it is at."""

log = logging.getLogger(__name__)


def entrypoint(job: Job) -> list[str]:
    """Give the command that does this attempt."""
    return [sys.executable, "-m", "rayapp.data_jobs.run_job", str(job.id), str(job.attempts)]


class Run(ABC):
    """One attempt that runs elsewhere."""

    @abstractmethod
    async def ended(self) -> str | None:
        """Say how it ended, ``None`` while it runs."""

    @abstractmethod
    async def kill(self) -> None:
        """End it by force."""

    @abstractmethod
    async def let_go(self) -> None:
        """Stop watching since the worker ends."""


class Elsewhere(ABC):
    """A place where large jobs run."""

    @abstractmethod
    async def start(self, settings: Settings, job: Job) -> Run:
        """Start an attempt; raises ``Unavailable`` when that cannot be done now."""

    async def do(self, settings: Settings, job: Job) -> None:
        """Have an attempt done and watch it to its end.

        Both the process that does it and this one are heard by the database, so the job is held while it waits to be started, and goes on
        when the worker is killed.
        """
        lease = Lease(job.id, job.attempts, settings.job_lease_s)
        try:
            run = await self.start(settings, job)
        except Unavailable as error:
            await _end(settings, lease, Ending("trouble", str(error)))
            return
        try:
            cause = await _watch(settings, lease, run)
        except asyncio.CancelledError:
            await run.let_go()
            raise
        await _end(settings, lease, Ending("trouble", cause))


class OwnProcesses(Elsewhere):
    """Processes of this machine, children of the worker."""

    async def start(self, settings: Settings, job: Job) -> "Run":  # noqa: ARG002 - children read the settings themselves
        """Start a child, in a session of its own so that Ctrl-C at the worker's terminal is the worker's."""
        return _Child(await asyncio.create_subprocess_exec(*entrypoint(job), stdin=DEVNULL, start_new_session=True))


class _Child(Run):
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ended(self) -> str | None:
        code = self._process.returncode
        if code is None:
            return None
        return f"its process ended with exit code {code}" if code >= 0 else f"its process was ended by signal {-code}"

    async def kill(self) -> None:
        self._process.kill()
        await self._process.wait()

    async def let_go(self) -> None:
        """Ask the child to give the job back, and wait for that."""
        if self._process.returncode is None:
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), OBEY_S)
        except TimeoutError:
            await self.kill()


async def _watch(settings: Settings, lease: Lease, run: Run) -> str:
    """Wait until an attempt has ended; gives how."""
    asked: float | None = None
    while (cause := await run.ended()) is None:
        stop = await _heard(settings, lease)
        if stop and asked is None:
            asked = time.monotonic()
        if asked is not None and time.monotonic() - asked > OBEY_S:
            await run.kill()
            return "it did not stop when asked, and was ended"
        await asyncio.sleep(LOOK_S)
    return cause


async def _heard(settings: Settings, lease: Lease) -> bool:
    """Hold the attempt; says whether it shall stop, which it also shall when it is lost."""
    try:
        async with connection(resolve_url(settings)) as session:
            answer = await heartbeat(session, lease)
    except Unavailable:
        return False
    return answer is None or answer


async def _end(settings: Settings, lease: Lease, ending: Ending) -> None:
    """End an attempt that has not ended itself; where the database does not answer, the lease runs out."""
    try:
        async with connection(resolve_url(settings)) as session:
            await end(session, lease, ending)
    except Unavailable as error:
        log.warning("job.end_not_told", extra={"job": str(lease.job_id), "reason": str(error)})
