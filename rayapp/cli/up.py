"""``rayapp up``, ``down`` and ``status``: everything on this machine, started, stopped and told about."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from argparse import Namespace
from typing import Any

import msgspec

from rayapp.errors import InvalidSetup, RayappError
from rayapp.launch.launcher import Cluster, answers, reap, running, stop_launcher
from rayapp.launch.site import Site, State
from rayapp.settings import Settings
from rayapp.store.database import connection, resolve_url
from rayapp.store.embedded import EmbeddedPostgres
from rayapp.store.jobs import job_counts

DONE, FAILED = 0, 1
WATCH_S = 1.0
PAUSE_S = 0.2
EXAMPLE = '{"id": "1", "descriptor": "SQ *BLUE BOTTLE 0123 OAKLAND CA", "amount": "4.50", "currency": "USD", "direction": "debit"}'


def run(settings: Settings, arguments: Namespace) -> int:
    """Start everything; stay until Ctrl-C or SIGTERM, or with ``--detach`` return when it answers."""
    if arguments.detach:
        return _detach(settings)
    stop = _stop_on_signals()
    with running(settings, _say) as cluster:
        if not stop.is_set():
            _load_sample()
            print(welcome(settings, cluster.state), flush=True)
        while not stop.wait(WATCH_S):
            if not cluster.alive():
                return _died(cluster)
            cluster.tend()
    return DONE


def down(settings: Settings, _arguments: Namespace) -> int:
    """Stop what runs, whether or not its launcher still does."""
    site = Site(settings.data_dir)
    state = site.read()
    if state is not None and site.taken() and state.launcher.alive():
        if not stop_launcher(site, state.launcher):
            raise InvalidSetup(f"it does not stop; its log is {site.log}")
    elif not site.taken():
        reap(site, _say)
    stopped = settings.database_url is None and EmbeddedPostgres(settings.data_dir).stop()
    _say("stopped" if state is not None or stopped else "nothing runs")
    return DONE


def status(settings: Settings, arguments: Namespace) -> int:
    """Print what runs; fails when the service does not answer."""
    site = Site(settings.data_dir)
    state = site.read()
    up = state is not None and site.taken()
    answering = up and answers(settings.http_url + "/readyz")
    database = "external" if settings.database_url else "running" if EmbeddedPostgres(settings.data_dir).answers() else "stopped"
    told: dict[str, Any] = {
        "service": "up" if answering else state.phase if up and state is not None else "down",
        "url": settings.http_url,
        "ray": state.ray_address if up and state is not None else "",
        "ray_jobs": state.jobs_url if up and state is not None else "",
        "ray_token": str(site.token) if up else "",
        "launcher": state.launcher.pid if up and state is not None else None,
        "worker": state.worker.pid if up and state is not None and state.worker is not None and state.worker.alive() else None,
        "jobs": _job_counts(settings) if database != "stopped" else {},
        "database": database,
        "data_dir": str(settings.data_dir),
    }
    if arguments.json:
        print(msgspec.json.encode(told).decode())
    else:
        told["jobs"] = ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in told["jobs"].items())
        print("\n".join(f"{name:<9} {value}" for name, value in told.items() if value))
    return DONE if answering else FAILED


def _job_counts(settings: Settings) -> dict[str, int]:
    """Count the jobs in each state; nothing where the database does not tell."""

    async def count() -> dict[str, int]:
        async with connection(resolve_url(settings)) as session:
            return await job_counts(session)

    try:
        return asyncio.run(count())
    except RayappError:
        return {}


def welcome(settings: Settings, state: State) -> str:
    """Say where everything is, and what to try first."""
    url = settings.http_url
    database = "RAYAPP_DATABASE_URL" if settings.database_url else f"embedded, in {settings.data_dir}"
    return f"""
rayapp is up.

  API        {url}
  docs       {url}/docs
  console    {url}/console
  metrics    {url}/metrics
  database   {database}
  Ray        {state.ray_address}, jobs at {state.jobs_url}

Try

  curl -s {url}/classify -H 'content-type: application/json' -d '{EXAMPLE}'

Ctrl-C stops everything.
"""


def _load_sample() -> None:
    """Load the shipped sample where it was not loaded before; the service runs without it as well."""
    command = [sys.executable, "-m", "rayapp.cli.sample"]
    if subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode:
        _say("the shipped sample was not loaded, see above")


def _died(cluster: Cluster) -> int:
    _say(f"Ray has stopped by itself; the end of its log:\n{cluster.last_words()}")
    return FAILED


def _stop_on_signals() -> threading.Event:
    """Give an event that SIGINT and SIGTERM set; a second Ctrl-C breaks off at once."""
    stop = threading.Event()

    def ask(number: int, _frame: object) -> None:
        if stop.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        stop.set()

    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, ask)
    return stop


def _detach(settings: Settings) -> int:
    """Start a launcher of its own session and wait until everything answers."""
    site = Site(settings.data_dir)
    if site.taken():
        raise InvalidSetup(f"it runs already ({settings.http_url}): `rayapp status` shows it, `rayapp down` stops it")
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o755 if os.geteuid() == 0 else 0o700)
    said = settings.data_dir / "launcher.log"
    with said.open("wb") as log:
        command = [sys.executable, "-m", "rayapp.cli.main", "up"]
        launcher = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    told = 0
    while "rayapp is up." not in (text := said.read_text(errors="replace")):
        ended = launcher.poll() is not None
        told = _pass_on(text if ended else text[: text.rfind("\n") + 1], told)
        if ended:
            return FAILED
        time.sleep(PAUSE_S)
    _pass_on(text[: text.index("rayapp is up.")].rstrip() + "\n", told)
    print(text[text.index("rayapp is up.") :].replace("Ctrl-C stops everything.", "`rayapp down` stops everything."), end="")
    return DONE


def _pass_on(text: str, told: int) -> int:
    """Print what of the launcher's words is not told yet; gives how much is told then."""
    print(text[told:], end="", file=sys.stderr, flush=True)
    return max(told, len(text))


def _say(words: str) -> None:
    print(f"rayapp: {words}", file=sys.stderr, flush=True)
