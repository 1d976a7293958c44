"""Keeping the embedded server running while someone needs it: one that was killed is started again at once."""

import logging
import os
import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rayapp.errors import RayappError
from rayapp.store.embedded import EmbeddedPostgres

LOOK_S = 1.0
"""How often it is looked at where the system cannot tell of a process's end, and when there is no server to watch."""

log = logging.getLogger(__name__)


@contextmanager
def kept_running(server: EmbeddedPostgres) -> Iterator[None]:
    """Start the server again whenever it is killed, for the length of the context; one that is stopped in order stays so."""
    keeper = _Keeper(server)
    keeper.start()
    try:
        yield
    finally:
        keeper.stop()


class _Keeper:
    """Waits for the server's process to end without asking it anything, since each question would cost it a process."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self._server = server
        self._over = threading.Event()
        self._awake, self._wake = os.pipe()
        self._thread = threading.Thread(target=self._keep, name="embedded PostgreSQL", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        os.write(self._wake, b"x")
        self._thread.join()
        os.close(self._wake)
        os.close(self._awake)

    def _keep(self) -> None:
        while not self._over.is_set():
            process = self._server.process()
            if process is not None:
                self._wait_for_end(process)
            if not self._over.is_set() and self._server.was_killed():
                self._start_again()
            if process is None:
                self._over.wait(LOOK_S)

    def _wait_for_end(self, process: int) -> None:
        """Return when the process has ended, when this shall stop, or where the system cannot tell, after a while."""
        try:
            watched = os.pidfd_open(process)
        except ProcessLookupError:
            return
        except (AttributeError, OSError):
            self._over.wait(LOOK_S)
            return
        try:
            select.select([watched, self._awake], [], [])
        finally:
            os.close(watched)

    def _start_again(self) -> None:
        log.warning("embedded_postgresql.killed", extra={"data_dir": str(self._server.data_dir)})
        again = EmbeddedPostgres(self._server.data_dir)
        try:
            again.start()
        except RayappError as error:
            log.warning("embedded_postgresql.not_started", extra={"reason": str(error)})
            self._over.wait(LOOK_S)
        else:
            again.release()  # the holder's own lease goes on
