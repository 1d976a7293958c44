"""Who still needs a shared server: a lease is a shared file lock, which the kernel itself frees when its holder dies."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path


class Lease:
    """One holder's lease on what ``path`` stands for. Forked children hold it too until they end or execute another program."""

    def __init__(self, path: Path) -> None:
        """Take the lease; waits only while someone asks whether they are the last."""
        self._file = FileIO(path, "a")
        fcntl.flock(self._file, fcntl.LOCK_SH)

    def alone(self) -> bool:
        """Say whether nobody else holds a lease; afterwards the lease is exclusive. Ask inside ``only_one`` alone."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        """Give the lease back."""
        self._file.close()


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Let one process at a time through; the others wait."""
    with FileIO(path, "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
