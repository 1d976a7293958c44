"""What all tests share: how hypothesis searches, and a real PostgreSQL."""

import asyncio
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from rayapp.store.database import connection, migrated
from rayapp.store.embedded import EmbeddedPostgres

settings.register_profile("ci", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("search", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture
def open_dir() -> Iterator[Path]:
    """A short-named directory that PostgreSQL's account can enter; pytest's own are closed to other accounts."""
    folder = Path(tempfile.mkdtemp(prefix="rayapp-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """One embedded server for all tests."""
    folder = Path(tempfile.mkdtemp(prefix="rayapp-test-"))
    folder.chmod(0o755)
    with EmbeddedPostgres(folder / "data") as server:
        yield server
    shutil.rmtree(folder, ignore_errors=True)  # a server that needs more than a minute to stop may still take its files away


@pytest.fixture
def empty_database(postgres: EmbeddedPostgres) -> str:
    """The address of a new database without a schema."""
    name = f"test_{uuid.uuid4().hex}"

    async def create() -> None:
        async with connection(postgres.url()) as session:
            await session.execute(f"CREATE DATABASE {name}")

    asyncio.run(create())
    return postgres.url(name)


@pytest.fixture
def database(empty_database: str) -> str:
    """The address of a new database with the newest schema."""
    asyncio.run(migrated(empty_database))
    return empty_database
