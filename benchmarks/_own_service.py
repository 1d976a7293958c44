"""A service of a benchmark's own: all of `rayapp up` in a directory and on ports of its own, for as long as it is needed."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

from rayapp.launch.ports import free_ports
from rayapp.launch.site import Site
from rayapp.settings import Settings, read_settings

START_S = 600
REPLICA = "ray::ServeReplica:rayapp:ingress"
FOREIGN = {"RAYAPP_DATABASE_URL", "RAYAPP_DATA_DIR", "RAYAPP_FILES"}


class Service(NamedTuple):
    """What runs: the environment that its commands run with, and its settings."""

    environment: dict[str, str]
    settings: Settings

    @property
    def url(self) -> str:
        """Where it answers."""
        return self.settings.http_url

    def run(self, *words: str) -> str:
        """Run a Python module with words, in the service's environment, to a good end; gives what it printed."""
        command = [sys.executable, "-m", *words]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=START_S, env=self.environment)
        if done.returncode:
            sys.exit(f"{' '.join(words)} failed:\n{done.stderr[-2_000:]}")
        return done.stdout

    def rayapp(self, *words: str) -> str:
        """Run a command of rayapp."""
        return self.run("rayapp.cli.main", *words)

    def processes(self, name: str = REPLICA) -> list[psutil.Process]:
        """Give the service's processes whose command begins with, or whose program has, this name."""
        return processes_of(self.settings, name)


def processes_of(settings: Settings, name: str = REPLICA) -> list[psutil.Process]:
    """Give the processes below the head of what runs under these settings, by how their command line begins or by their program's name."""
    state = Site(settings.data_dir).read()
    if state is None or state.head is None:
        return []
    below = psutil.Process(state.head.pid).children(recursive=True)
    return [found for found in below if is_called(found, name)]


def is_called(process: psutil.Process, name: str) -> bool:
    """Say whether a process has this name; one that has just ended has none."""
    try:
        return process.name() == name or (process.cmdline() or [""])[0].startswith(name)
    except psutil.Error:
        return False


def cpu_s(processes: list[psutil.Process]) -> float:
    """Give the CPU time that processes have used so far, in seconds."""
    return sum(times.user + times.system for times in (process.cpu_times() for process in processes))


@contextmanager
def own_service(**chosen: object) -> Iterator[Service]:
    """Run everything for the length of the context; ``replicas=4`` is ``RAYAPP_REPLICAS=4``."""
    folder = Path(tempfile.mkdtemp(prefix="rayapp-bench-", dir="/var/tmp"))
    folder.chmod(0o755)
    own = {"data_dir": folder, "http_port": free_ports(1)[0], **chosen}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_") and name not in FOREIGN}
    environment = kept | {f"RAYAPP_{name.upper()}": str(value) for name, value in own.items()}
    service = Service(environment, read_settings(environment))
    try:
        service.rayapp("up", "--detach")
        yield service
    finally:
        service.rayapp("down")
        shutil.rmtree(folder, ignore_errors=True)
