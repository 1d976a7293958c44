"""One cluster for all tests that need one, started by ``rayapp up`` as a user starts it, with a small pack of its own."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from rayapp import Classifier, load_classifier
from rayapp.launch.ports import free_ports
from rayapp.settings import Settings, read_settings
from rayapp.store.database import connection, resolve_url

START_S = 240
PATIENCE_S = 60

PACK = {
    "pack.toml": 'name = "{name}"\nversion = "1"\n',
    "taxonomy.csv": (
        "primary,detailed,direction,merchant,description\nFOOD,FOOD_COFFEE,debit,yes,\nFOOD,FOOD_GROCERIES,debit,yes,\n"
        "PAY,PAY_SALARY,credit,no,\n"
    ),
    "mcc.csv": "first,last,detailed,weight,description\n5814,5814,FOOD_COFFEE,0.8,\n5411,5411,FOOD_GROCERIES,0.8,\n6012,6012,PAY_SALARY,0.1,\n",
    "merchants/all.csv": "id,name,category,aliases,countries,website,match,weight\nblue,Blue Bottle,FOOD_COFFEE,Blue Bottle Coffee,,bluebottle.example,,0.95\n",
    "processors.csv": "id,name,prefixes,star\nsquare,Square,SQ,needed\n",
}


class Installation(NamedTuple):
    """An installation of its own: the environment that its commands run with, and its settings."""

    environment: dict[str, str]
    settings: Settings

    def rayapp(self, *words: str, patience_s: int = START_S) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        command = [sys.executable, "-m", "rayapp.cli.main", *words]
        return subprocess.run(command, check=False, capture_output=True, text=True, timeout=patience_s, env=self.environment)

    def on_cluster(self, code: str) -> Any:
        """Run code in a program connected to the cluster; gives what it put into ``answer``."""
        program = f"""
import json
from rayapp.launch.driver import connected, prepare_environment
from rayapp.settings import read_settings
settings = read_settings()
prepare_environment(settings)
import ray
from rayapp.rule_actor import rule_actor
with connected(settings, print):
    actor = rule_actor()
    {code}
print(json.dumps(answer))
"""
        done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=START_S, env=self.environment)
        return json.loads(done.stdout.splitlines()[-1])

    def another(self, folder: Path) -> "Installation":
        """Make an installation beside this one."""
        return new_installation(folder)

    @contextmanager
    def beside(self, folder: Path, **variables: str) -> Iterator["Installation"]:
        """Have another one run beside this one for the length of the context, with environment variables of its own."""
        folder.mkdir(mode=0o755)
        other = self.another(folder)
        other.environment.update(variables)
        up = other.rayapp("up", "--detach")
        assert up.returncode == 0, up.stderr
        try:
            yield other
        finally:
            other.rayapp("down")

    @staticmethod
    def pack(folder: Path, name: str) -> Path:
        """Write a small pack."""
        return write_pack(folder, name)

    @staticmethod
    def eventually(look: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
        """Look again and again until there is something; gives it, or at last what there is."""
        deadline = time.monotonic() + patience_s
        while not (found := look()) and time.monotonic() < deadline:
            time.sleep(0.2)
        return found

    def rows(self, query: str) -> list[dict[str, Any]]:
        """Ask the database."""

        async def ask() -> list[dict[str, Any]]:
            async with connection(resolve_url(self.settings)) as session:
                return [dict(row) for row in await session.fetch(query)]

        return asyncio.run(ask())


def write_pack(folder: Path, name: str) -> Path:
    """Write a small pack; another name makes another digest."""
    for file, content in PACK.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(content.replace("{name}", name))
    return folder


def new_installation(folder: Path) -> Installation:
    """Make the environment of an installation below ``folder``."""
    own = {
        "RAYAPP_DATA_DIR": str(folder / "data"),
        "RAYAPP_CACHE_DIR": str(folder / "cache"),
        "RAYAPP_PACK": str(write_pack(folder / "pack", "first")),
        "RAYAPP_HTTP_PORT": str(free_ports(1)[0]),
        "RAYAPP_TIER_LARGE": "5000",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RAYAPP_", "RAY_"))}
    return Installation({**kept, **own}, read_settings(own))


@pytest.fixture(scope="session")
def own_dir() -> Iterator[Path]:
    """A short-named directory that PostgreSQL's account can enter."""
    folder = Path(tempfile.mkdtemp(prefix="rayapp-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def cluster(own_dir: Path) -> Iterator[Installation]:
    """The cluster, up and answering."""
    installation = new_installation(own_dir)
    up = installation.rayapp("up", "--detach")
    assert up.returncode == 0, up.stderr
    yield installation
    installation.rayapp("down")


@pytest.fixture(scope="session")
def http(cluster: Installation) -> Iterator[httpx.Client]:
    """A client of the service."""
    with httpx.Client(base_url=cluster.settings.http_url, timeout=PATIENCE_S) as client:
        yield client


@pytest.fixture(scope="session")
def library(own_dir: Path) -> Classifier:
    """The same engine and pack in this process."""
    return load_classifier(own_dir / "pack")
