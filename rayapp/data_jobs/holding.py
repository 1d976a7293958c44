"""Holding a job while it runs in this process: heard by the database from a thread of its own, asked to stop, and ended once."""

import asyncio
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import msgspec

from rayapp.errors import InvalidInput, InvalidSetup, RayappError, Unavailable
from rayapp.settings import Settings
from rayapp.store.database import connect, connection, resolve_url
from rayapp.store.job_leases import LEASE_S, Lease, Rows, begin, claim_job, end, end_expired, heartbeat
from rayapp.store.job_states import Ending
from rayapp.store.jobs import Job, JobRequest

LONGEST_SILENCE_S = 2.0
"""Progress is written, and a wish to stop is read, at least so often."""

PAUSE_S = 0.5
TELL_S = 0.25

Tell = Callable[[Rows], None]
"""Called by a kind of job now and then with how far it is; cheap."""

ShouldStop = Callable[[], bool]
"""Asked by a kind of job between two pieces of work; once it says yes, the job returns with what it has done."""

log = logging.getLogger(__name__)


def this_worker() -> str:
    """Name this process for people."""
    return f"{socket.gethostname()}:{os.getpid()}"


class Holding:
    """A job that this process runs."""

    def __init__(self, settings: Settings, job: Job, lease_s: float) -> None:
        """Take a job that was claimed for this process."""
        self.job = job
        self.result: dict[str, Any] | None = None
        self._url = resolve_url(settings)
        self._lease = Lease(job.id, job.attempts, lease_s)
        self._rows: Rows | None = None
        self._stop = ""
        self._obeyed = False
        self._over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._keep_being_heard()), name=f"job {job.id}", daemon=True)

    @property
    def lost(self) -> bool:
        """Say whether another has the job now."""
        return self._stop == "lost"

    def tell(self, rows: Rows) -> None:
        """Note how far the job is; it is written soon."""
        self._rows = rows

    def should_stop(self) -> bool:
        """Say whether the job shall return with what it has done."""
        self._obeyed = self._obeyed or self._stop != ""
        return self._stop != ""

    def give_back(self) -> None:
        """Ask the job to stop so that another goes on with it."""
        self._stop = self._stop or "stopped"

    def cancel(self) -> None:
        """Ask the job to stop for good."""
        self._stop = self._stop or "cancelled"

    def start(self) -> None:
        """Begin to be heard."""
        self._thread.start()

    def finish(self, error: BaseException | None) -> Job | None:
        """Say how the job ended, for as long as the lease lasts; gives it as it stands then, ``None`` when it was lost."""
        self._over.set()
        self._thread.join()
        return None if self.lost else asyncio.run(self._end(self._ending(error)))

    def _ending(self, error: BaseException | None) -> Ending:
        match error:
            case None if not self._obeyed:
                return Ending("done")
            case None:
                return Ending("stopped") if self._stop == "stopped" else Ending("cancelled")
            case InvalidInput() | InvalidSetup():
                return Ending("wrong", str(error))
            case RayappError():
                return Ending("trouble", str(error))
            case KeyboardInterrupt() | SystemExit() | GeneratorExit():
                return Ending("cancelled", "interrupted")
        return Ending("trouble", f"{type(error).__name__}: {error}")

    async def _end(self, ending: Ending) -> Job | None:
        deadline = time.monotonic() + self._lease.seconds
        while True:
            try:
                async with connection(self._url) as session:
                    if self._rows is not None:
                        await heartbeat(session, self._lease, self._rows)
                    return await end(session, self._lease, ending, self.result)
            except Unavailable:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(PAUSE_S)

    async def _keep_being_heard(self) -> None:
        """Until it is over; a database that does not answer is waited for, since nobody else can take the job meanwhile either."""
        session: asyncpg.Connection | None = None
        written: Rows | None = None
        heard = 0.0
        while not self._over.is_set():
            told = self._rows
            if told is not written or time.monotonic() - heard > min(LONGEST_SILENCE_S, self._lease.seconds / 4):
                try:
                    session = session or await connect(self._url)
                    answer = await heartbeat(session, self._lease, told if told is not written else None)
                    self._stop = _stop_of(answer, self._stop)
                    written, heard = told, time.monotonic()
                except RayappError as error:
                    log.warning("job.not_heard", extra={"job": str(self.job.id), "reason": str(error)})
                    if session is not None:
                        session.terminate()
                        session = None
            await asyncio.to_thread(self._over.wait, TELL_S if session else PAUSE_S)
        if session is not None:
            session.terminate()


def _stop_of(answer: bool | None, former: str) -> str:  # noqa: FBT001 - the answer of a heartbeat
    """Give why the job shall stop, empty where it shall not."""
    if answer is None:
        return "lost"
    return "cancelled" if answer else former


@contextmanager
def holding(settings: Settings, job: Job, lease_s: float = LEASE_S) -> Iterator[Holding]:
    """Hold a claimed job for the length of the context, which sets ``result``; an error ends the attempt and goes on upwards.

    Raises ``Unavailable`` when the job was lost: another does it.
    """
    held = Holding(settings, job, lease_s)
    held.start()
    try:
        yield held
    except BaseException as error:
        held.finish(error)
        raise
    if (ended := held.finish(None)) is None:
        raise Unavailable(f"job {job.id} was taken over by another worker, since this one was not heard for {lease_s:.0f} s")
    held.job = ended


def when_asked_to_end(stop: Callable[[], None]) -> None:
    """Call ``stop`` on SIGTERM in place of ending at once; of a program's main thread."""
    signal.signal(signal.SIGTERM, lambda *_: stop())


@contextmanager
def job_of(settings: Settings, wanted: JobRequest, lease_s: float = LEASE_S) -> Iterator[Holding]:
    """Make a job of what this process is about to do itself, and hold it for the length of the context.

    A job with the same unique key that waits for a worker is gone on with. One that is running is left to its holder, and this one has
    no key: what both do is done once all the same, by the ledger.
    """
    job = asyncio.run(_begun(settings, wanted, lease_s))
    with holding(settings, job, lease_s) as held:
        yield held


async def _begun(settings: Settings, wanted: JobRequest, lease_s: float) -> Job:
    async with connection(resolve_url(settings)) as session:
        await end_expired(session)
        begun = await begin(session, wanted, this_worker(), lease_s)
        if begun.new:
            return begun.job
        taken = await claim_job(session, begun.job.id, this_worker(), lease_s)
        if taken is not None:
            return taken
        alone = msgspec.structs.replace(wanted, unique_key=None, idempotency_key=None)
        return (await begin(session, alone, this_worker(), lease_s)).job
