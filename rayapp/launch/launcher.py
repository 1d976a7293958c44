"""The launcher: starts PostgreSQL, then the head with Ray and the service, stays while they run, and leaves nothing behind.

It holds no Ray of its own, so that it is small, quick to stop, and outlives what it watches.
"""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from signal import Signals

from rayapp.errors import InvalidSetup, Unavailable
from rayapp.launch.environment import JOBS_PORT, cluster_environment, find_haproxy, ports_of, with_own
from rayapp.launch.ports import holder, is_free
from rayapp.launch.processes import Process, end_all, process_of, started_with, wait_until_gone
from rayapp.launch.site import RUN_DIR_VARIABLE, Site, State
from rayapp.launch.worker_process import WorkerProcess
from rayapp.settings import Settings
from rayapp.store.database import running_database

START_S = 600.0
"""A first start compiles kernels and the pack."""

STOP_S = 60.0
REAP_S = 5.0
PORT_S = 10.0
PAUSE_S = 0.1
LAST_LINES = 15

Say = Callable[[str], None]


@contextmanager
def running(settings: Settings, say: Say) -> Iterator["Cluster"]:
    """Run everything for the length of the context. Raises ``InvalidSetup`` when it runs already or a port is taken."""
    site = Site(settings.data_dir)
    if not site.take():
        raise InvalidSetup(f"it runs already ({settings.http_url}): `rayapp status` shows it, `rayapp down` stops it")
    try:
        reap(site, say)
        check_port(settings)
        say("starting PostgreSQL" if settings.database_url is None else "using the database of RAYAPP_DATABASE_URL")
        with running_database(settings):
            cluster = Cluster(settings, site)
            try:
                cluster.start(say)
                yield cluster
            finally:
                cluster.stop(say)
    finally:
        site.leave()


def check_port(settings: Settings) -> None:
    """Raise ``InvalidSetup`` when something else listens where the service should."""
    deadline = time.monotonic() + PAUSE_S
    while not is_free(settings.http_host, settings.http_port):
        if time.monotonic() > deadline:
            port = settings.http_port
            raise InvalidSetup(f"port {port} is taken by {holder(port)}: stop that, or set RAYAPP_HTTP_PORT to another port")
        time.sleep(PAUSE_S)


def reap(site: Site, say: Say = lambda _: None) -> None:
    """End what a former launcher of this installation left behind, if it was killed."""
    left = started_with(RUN_DIR_VARIABLE, str(site.run_dir))
    if left:
        say(f"ending {len(left)} processes that a former run left behind")
        stubborn = end_all(left, REAP_S)
        if stubborn:
            raise InvalidSetup(f"processes of a former run do not end: {', '.join(str(process.pid) for process in stubborn)}")
    site.clear_run_dir()
    site.forget()


class Cluster:
    """Ray and the service on it, below one head process."""

    def __init__(self, settings: Settings, site: Site) -> None:
        """Prepare; nothing runs yet."""
        self._settings = settings
        self._site = site
        self._head: subprocess.Popen[bytes] | None = None
        self._worker: WorkerProcess | None = None
        self._haproxy = find_haproxy() if settings.ingress == "haproxy" else None
        self._environment: dict[str, str] = {}
        self._log_from = site.log.stat().st_size if site.log.exists() else 0
        me = process_of(_own_pid())
        if me is None:
            raise InvalidSetup("this system has no /proc: `rayapp up` needs Linux")
        self.state = State(
            phase="starting",
            launcher=me,
            run_dir=str(site.run_dir),
            url=settings.http_url,
            haproxy=self._haproxy is not None,
            embedded_database=settings.database_url is None,
        )

    def start(self, say: Say) -> None:
        """Start the head and wait until the service answers."""
        self._site.renew_run_dir()
        self._environment = cluster_environment(self._site, self._settings.http_host, self._haproxy)
        if self._haproxy is None and self._settings.ingress == "haproxy":
            say("HAProxy does not run here: serving through Ray's own proxy, which is slower")
        say("starting Ray and the service, which takes a minute or two the first time")
        with self._site.log.open("ab") as log:
            command = [sys.executable, "-m", "rayapp.launch.head", str(self._site.run_dir)]
            environment = with_own(self._environment)
            self._head = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True
            )
        self._say_state(phase="starting", head=process_of(self._head.pid), ports=ports_of(self._environment, self._settings.http_port))
        address = self._wait_until_ready()
        jobs_url = f"http://127.0.0.1:{self._environment[JOBS_PORT]}"
        self._worker = WorkerProcess(jobs_url, environment, self._site.worker_log)
        self._say_state(phase="up", ray_address=address, jobs_url=jobs_url, worker=self._worker.start())

    def alive(self) -> bool:
        """Say whether the head runs still."""
        return self._head is not None and self._head.poll() is None

    def tend(self) -> None:
        """Start the worker again if it has ended; call this now and then."""
        if self._worker is not None and (again := self._worker.tend()) is not None:
            self._say_state(worker=again)

    def stop(self, say: Say) -> None:
        """Stop everything that was started; returns when nothing of it runs and its ports are free."""
        say("stopping")
        self._say_state(phase="stopping")
        if self._worker is not None:
            self._worker.stop()
        if self._head is not None:
            self._head.terminate()
            try:
                self._head.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._head.kill()
                self._head.wait()
        end_all(started_with(RUN_DIR_VARIABLE, str(self._site.run_dir)), REAP_S)
        self._wait_for_ports(say)
        self._site.clear_run_dir()
        self._site.forget()

    def last_words(self) -> str:
        """Give the end of what this head has logged."""
        with self._site.log.open(errors="replace") as log:
            log.seek(self._log_from)
            return "".join(log.readlines()[-LAST_LINES:]).rstrip()

    def _say_state(self, **changes: object) -> None:
        import msgspec

        self.state = msgspec.structs.replace(self.state, **changes)
        self._site.write(self.state)

    def _wait_until_ready(self) -> str:
        """Wait for the head's word and the service's answer; gives the cluster's address."""
        ready = Path(self._site.run_dir / "ready")
        deadline = time.monotonic() + START_S
        while not (ready.exists() and answers(self._settings.http_url + "/readyz")):
            if not self.alive():
                raise InvalidSetup(f"Ray did not start; the end of {self._site.log}:\n{self.last_words()}")
            if time.monotonic() > deadline:
                raise Unavailable(f"the service did not answer within {START_S:.0f} s; see {self._site.log}")
            time.sleep(PAUSE_S)
        return ready.read_text()

    def _wait_for_ports(self, say: Say) -> None:
        deadline = time.monotonic() + PORT_S
        while taken := [port for port in self.state.ports if not is_free(self._settings.http_host, port)]:
            if time.monotonic() > deadline:
                say(f"ports still taken: {', '.join(map(str, taken))} ({holder(taken[0])})")
                return
            time.sleep(PAUSE_S)


def answers(url: str, patience_s: float = 5.0) -> bool:
    """Say whether a GET of this address gives 200."""
    try:
        with urllib.request.urlopen(url, timeout=patience_s) as answer:  # noqa: S310 - the address is our own
            return bool(answer.status == HTTPStatus.OK)
    except (OSError, urllib.error.URLError):
        return False


def stop_launcher(site: Site, launcher: Process) -> bool:
    """Ask a running launcher to stop and wait until it has; says whether it did."""
    launcher.end(Signals.SIGTERM)
    return not wait_until_gone([launcher], STOP_S + PORT_S + REAP_S) and not site.taken()


def _own_pid() -> int:
    import os

    return os.getpid()
