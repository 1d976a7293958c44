"""The processes that are killed: workers that are started again as ``rayapp up`` would, what they start, and PostgreSQL."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from rayapp.launch.processes import Process, process_of
from rayapp.store.embedded import EmbeddedPostgres

PROC = Path("/proc")
TARGETS = {"worker": 3, "driver": 1, "ray worker": 20, "postmaster": 3, "backend": 6}
"""What is killed, and how often in comparison."""

CLUSTER = """
import sys, ray
own = {"object_store_memory": 200 * 10**6, "_node_ip_address": "127.0.0.1", "log_to_driver": False}
ray.init(address="local", num_cpus=2, include_dashboard=False, **own)
print(ray.get_runtime_context().gcs_address, flush=True)
sys.stdin.read()
"""


class Installation:
    """Workers of one data directory, and a Ray cluster for their large jobs."""

    def __init__(self, environment: Mapping[str, str], data_dir: Path, workers: int) -> None:
        """Prepare; nothing runs yet."""
        self._environment = dict(environment)
        self._server = EmbeddedPostgres(data_dir)
        self._log = data_dir.parent / "workers.log"
        self._workers: list[subprocess.Popen[bytes]] = []
        self._count = workers
        self._cluster: subprocess.Popen[str] | None = None
        self.restarts = 0

    def start(self) -> None:
        """Start the cluster and the workers."""
        command = [sys.executable, "-c", CLUSTER]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._cluster = subprocess.Popen(command, env=self._environment, text=True, start_new_session=True, **pipes)
        assert self._cluster.stdout is not None
        self._environment["RAY_ADDRESS"] = self._cluster.stdout.readline().strip()
        assert self._environment["RAY_ADDRESS"], "Ray did not start"
        self.tend()
        self.restarts = 0

    def tend(self) -> None:
        """Start workers until there are as many as there should be."""
        self._workers = [worker for worker in self._workers if worker.poll() is None]
        while len(self._workers) < self._count:
            command = [sys.executable, "-m", "rayapp.cli.main", "worker"]
            with self._log.open("ab") as log:
                pipes = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
                self._workers.append(subprocess.Popen(command, env=self._environment, start_new_session=True, **pipes))
            self.restarts += 1

    def candidates(self) -> dict[str, list[Process]]:
        """Find what can be killed now, all of it begun by this installation."""
        ours = set(below([worker.pid for worker in self._workers if worker.poll() is None]))
        drivers = [pid for pid in _all() if b"rayapp.data_jobs.run_job" in _command(pid) and self._is_ours(pid)]
        cluster = below([self._cluster.pid] if self._cluster is not None else [])
        server = self._server.process()
        found = {
            "worker": [worker.pid for worker in self._workers if worker.poll() is None],
            "driver": [pid for pid in drivers if pid in ours or self._is_ours(pid)],
            "ray worker": [pid for pid in cluster if b"Piece" in _command(pid) or b"MapWorker" in _command(pid)],
            "postmaster": [server] if server and _command(server) else [],
            "backend": backends_of(server),
        }
        return {name: [process for pid in pids if (process := process_of(pid)) is not None] for name, pids in found.items()}

    def stop(self) -> None:
        """Stop everything; what does not end in order is killed."""
        for worker in self._workers:
            worker.terminate()
        for worker in self._workers:
            with contextlib.suppress(subprocess.TimeoutExpired):
                worker.wait(20)
            worker.kill()
            worker.wait()
        for name in ("driver", "ray worker"):
            for process in self.candidates()[name]:
                process.end(signal.SIGKILL)
        if self._cluster is not None:
            assert self._cluster.stdin is not None
            assert self._cluster.stdout is not None
            self._cluster.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._cluster.wait(30)
            self._cluster.kill()
            self._cluster.wait()
            self._cluster.stdout.close()
        self._server.stop()

    def _is_ours(self, pid: int) -> bool:
        """Say whether a process was started with this installation's data directory."""
        with contextlib.suppress(OSError):
            return os.fsencode(f"RAYAPP_DATA_DIR={self._server.data_dir}") in (PROC / str(pid) / "environ").read_bytes().split(b"\0")
        return False


def _all() -> list[int]:
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdecimal()]


def _command(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return (PROC / str(pid) / "cmdline").read_bytes()
    return b""


def backends_of(server: int | None) -> list[int]:
    """Give PostgreSQL's processes that serve a connection."""
    return [pid for pid in below([server]) if b"[local]" in _command(pid)] if server else []


def below(roots: list[int]) -> list[int]:
    """Give the processes that these started, and those that they did."""
    children: dict[int, list[int]] = {}
    for pid in _all():
        with contextlib.suppress(OSError, IndexError):
            parent = int((PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(pid)
    found: set[int] = set()
    left = list(roots)
    while left:
        for child in children.get(left.pop(), []):
            if child not in found:
                found.add(child)
                left.append(child)
    return sorted(found)
