"""Watching a load from a thread of its own: it tells how far the ledger says it is, and stops it when somebody wishes so."""

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Self

import asyncpg

from rayapp.data_jobs.loading import Loading
from rayapp.errors import RayappError
from rayapp.store.database import connect, resolve_url
from rayapp.store.ledger import Progress, job_progress, stop_job

LOOK_S = 0.5

CANCELLED, TOO_MANY_BAD = "cancelled", "too many bad rows"

Tell = Callable[[Progress], None]
"""Called now and then with how far a load is."""

ShouldStop = Callable[[], bool]
"""Asked now and then whether the load shall stop; cheap."""


class Watch:
    """A context in which a load runs. ``stopped`` says why the load was stopped, nothing while it was not."""

    def __init__(self, loading: Loading, tell: Tell, should_stop: ShouldStop) -> None:
        """Take what to watch."""
        self.stopped = ""
        self._loading = loading
        self._tell = tell
        self._should_stop = should_stop
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="rayapp load watch", daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._over.set()
        self._thread.join()

    def stopping(self) -> bool:
        """Say whether the load shall stop, asked between two pieces in the process that watches."""
        if not self.stopped and self._should_stop():
            self.stopped = CANCELLED
        return bool(self.stopped)

    def _watch(self) -> None:
        if not self._over.wait(LOOK_S):  # most loads are over by then
            asyncio.run(self._look_again())

    async def _look_again(self) -> None:
        session: asyncpg.Connection | None = None
        while not self._over.is_set():
            try:
                session = session or await connect(resolve_url(self._loading.settings))
                await self._look(session)
            except RayappError as error:
                logging.getLogger(__name__).warning("ingest.progress_unknown", extra={"reason": str(error)})
                if session is not None:
                    session.terminate()
                    session = None
            await asyncio.to_thread(self._over.wait, LOOK_S)
        if session is not None:
            session.terminate()

    async def _look(self, session: asyncpg.Connection) -> None:
        progress = await job_progress(session, self._loading.job)
        self._tell(progress)
        most = self._loading.most_bad
        if most is not None and progress.quarantined > most:
            self.stopped = TOO_MANY_BAD
        if self.stopping():
            await stop_job(session, self._loading.job, self.stopped)
