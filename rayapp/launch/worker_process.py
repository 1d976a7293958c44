"""The worker's process below the launcher: started, started again when it ends, and stopped."""

import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from rayapp.launch.processes import Process, process_of

STOP_S = 15.0
"""A worker that is asked to stop gives its jobs back, after the pieces that it is at."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
STEADY_S = 60.0
"""A worker that ran so long is started again at once."""


class WorkerProcess:
    """One worker."""

    def __init__(self, jobs_url: str, environment: Mapping[str, str], log: Path) -> None:
        """Prepare; ``jobs_url`` is the address of Ray's job API."""
        self._command = [sys.executable, "-m", "rayapp.launch.worker", jobs_url]
        self._environment = environment
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._begun = 0.0
        self._pause = FIRST_PAUSE_S

    def start(self) -> Process | None:
        """Start it; gives its process."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=dict(self._environment), start_new_session=True
            )
        self._begun = time.monotonic()
        return process_of(self._process.pid)

    def tend(self) -> Process | None:
        """Start it again if it has ended, with growing pauses while it keeps ending; gives the new process, ``None`` if there is none."""
        if self._process is None or self._process.poll() is None:
            return None
        ran = time.monotonic() - self._begun
        if ran >= STEADY_S:
            self._pause = FIRST_PAUSE_S
        if ran < self._pause:
            return None
        self._pause = min(2 * self._pause, LONGEST_PAUSE_S)
        return self.start()

    def stop(self) -> None:
        """Ask it to end, and end it by force if it does not."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
