import asyncio
import re

import asyncpg
import pytest

from rayapp.datasets import datasets
from rayapp.errors import InvalidSetup
from rayapp.store.database import connection, migrated
from rayapp.store.migrations import known_migrations


def test_migrations_are_numbered_without_gaps() -> None:
    assert [migration.number for migration in known_migrations()] == list(range(1, len(known_migrations()) + 1))


def test_several_who_migrate_at_once_apply_each_migration_once(empty_database: str) -> None:
    async def all_at_once() -> list[list[str]]:
        return await asyncio.gather(*(migrated(empty_database) for _ in range(5)))

    applied = sorted(asyncio.run(all_at_once()))
    tables = [f"dataset {dataset.name}" for dataset in datasets() if not dataset.decides]
    assert applied == [[], [], [], [], [migration.name for migration in known_migrations()] + tables]


def test_a_second_run_does_nothing(database: str) -> None:
    assert asyncio.run(migrated(database)) == []


async def execute(url: str, statement: str) -> list[asyncpg.Record]:
    async with connection(url) as session:
        return list(await session.fetch(statement))


def test_a_migration_that_was_changed_after_it_was_applied_is_refused(database: str) -> None:
    asyncio.run(execute(database, "UPDATE rayapp.migration SET digest = 'other' WHERE number = 1"))
    with pytest.raises(InvalidSetup, match=r"0001_.* was changed after"):
        asyncio.run(migrated(database))


def test_a_database_that_is_newer_than_the_program_is_refused(database: str) -> None:
    asyncio.run(execute(database, "INSERT INTO rayapp.migration VALUES (9999, '9999_future', 'x')"))
    with pytest.raises(InvalidSetup, match=r"does not know .9999_future"):
        asyncio.run(migrated(database))


def test_every_table_says_what_it_is(database: str) -> None:
    silent = """
        SELECT relname FROM pg_class WHERE relnamespace = 'rayapp'::regnamespace AND relkind IN ('r', 'v')
        AND obj_description(oid, 'pg_class') IS NULL
    """
    assert asyncio.run(execute(database, silent)) == []


def test_a_database_without_the_schema_says_what_to_do(empty_database: str) -> None:
    from rayapp.store.packs import current_pack

    async def ask() -> None:
        async with connection(empty_database) as session:
            await current_pack(session)

    with pytest.raises(InvalidSetup, match=re.escape("run `rayapp migrate`")):
        asyncio.run(ask())


def test_the_indexes_of_lists_are_made_where_rows_are_already_whatever_their_accounts_are_called(database: str) -> None:
    rows = """
        INSERT INTO rayapp.transaction (id, descriptor, account_id, version)
        SELECT n::text, 'SHOP', CASE n % 3 WHEN 0 THEN (SELECT string_agg(md5(n || '.' || m), '') FROM generate_series(1, 200) m) WHEN 1 THEN '' END, 1
        FROM generate_series(1, 30) n
    """
    statements = (
        "DROP INDEX rayapp.transaction_of_account, rayapp.decision_unsure",
        "DELETE FROM rayapp.migration WHERE name = '0015_lists'",
        rows,
    )
    for statement in statements:
        asyncio.run(execute(database, statement))
    assert asyncio.run(migrated(database)) == ["0015_lists"]
    made = asyncio.run(execute(database, "SELECT indexname FROM pg_indexes WHERE indexname IN ('transaction_of_account', 'decision_unsure')"))
    assert len(made) == 2
