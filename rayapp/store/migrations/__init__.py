"""The schema as numbered files beside this one, applied in order, each once, all in one transaction under a lock."""

import hashlib
import re
from importlib.resources import files

import asyncpg
import msgspec

from rayapp.datasets import Dataset
from rayapp.errors import InvalidSetup
from rayapp.store.tables import declare_tables

LEAST_SERVER = 150_000  # server_version_num of PostgreSQL 15
FILE_NAME = re.compile(r"^(\d{4})_\w+\.sql$")

BEGIN = """
SELECT pg_advisory_xact_lock(hashtextextended('rayapp.migration', 0));
CREATE SCHEMA IF NOT EXISTS rayapp;
CREATE TABLE IF NOT EXISTS rayapp.migration (
    number     integer     NOT NULL PRIMARY KEY,
    name       text        NOT NULL,
    digest     text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE rayapp.migration IS 'The migrations that were applied to this database.';
COMMENT ON COLUMN rayapp.migration.digest IS 'SHA-256 of the migration as it was applied.';
"""
APPLIED = "SELECT number, name, digest FROM rayapp.migration ORDER BY number"
RECORD = "INSERT INTO rayapp.migration (number, name, digest) VALUES ($1, $2, $3)"


class Migration(msgspec.Struct, frozen=True):
    """One numbered file."""

    number: int
    name: str
    statements: str

    @property
    def digest(self) -> str:
        """SHA-256 of the file's text."""
        return hashlib.sha256(self.statements.encode()).hexdigest()


def known_migrations() -> list[Migration]:
    """Give the migrations that this version of rayapp ships, in order."""
    found = [entry for entry in files(__package__).iterdir() if FILE_NAME.match(entry.name)]
    return [
        Migration(int(entry.name[:4]), entry.name.removesuffix(".sql"), entry.read_text("utf-8"))
        for entry in sorted(found, key=lambda entry: entry.name)
    ]


async def migrate(session: asyncpg.Connection, declared: tuple[Dataset, ...] = ()) -> list[str]:
    """Apply what is missing, make the tables of declared datasets, and give the names of both; several may call at once, others wait.

    Raises ``InvalidSetup`` when the server is too old, when the database is newer than this rayapp, when a migration was changed after it
    had been applied, or when a declaration does not agree with a table that is there.
    """
    server = int(await session.fetchval("SELECT current_setting('server_version_num')"))
    if server < LEAST_SERVER:
        raise InvalidSetup(f"PostgreSQL {server // 10_000} is too old, {LEAST_SERVER // 10_000} or later is needed")
    async with session.transaction():
        await session.execute(BEGIN)
        applied = {row["number"]: row for row in await session.fetch(APPLIED)}
        missing = _missing(known_migrations(), applied)
        for migration in missing:
            await session.execute(migration.statements)
            await session.execute(RECORD, migration.number, migration.name, migration.digest)
        changed = await declare_tables(session, declared)
    return [*(migration.name for migration in missing), *(f"dataset {name}" for name in changed)]


def _missing(known: list[Migration], applied: dict[int, asyncpg.Record]) -> list[Migration]:
    numbers = {migration.number for migration in known}
    if newer := [row["name"] for number, row in applied.items() if number not in numbers]:
        raise InvalidSetup(f"the database has migrations that this rayapp does not know ({', '.join(newer)}): install the newer rayapp")
    for migration in known:
        if migration.number in applied and applied[migration.number]["digest"] != migration.digest:
            raise InvalidSetup(f"migration {migration.name} was changed after it had been applied")
    return [migration for migration in known if migration.number not in applied]
