"""A worker in a thread of the test's own process."""

import asyncio
import threading
from contextlib import contextmanager

from rayapp.data_jobs.worker import Worker


@contextmanager
def a_worker(settings):
    worker = Worker(settings)
    thread = threading.Thread(target=lambda: asyncio.run(worker.run()))
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join()
