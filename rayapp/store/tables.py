"""Tables of declared datasets: made from their declarations, widened when a column is added or may be empty, never changed otherwise."""

import hashlib

import asyncpg
import msgspec

from rayapp.datasets import Column, ColumnType, Dataset
from rayapp.datasets.declaration import VERSION
from rayapp.errors import InvalidSetup

SQL_TYPES: dict[ColumnType, str] = {
    "text": "text",
    "integer": "bigint",
    "decimal": "numeric",
    "boolean": "boolean",
    "date": "date",
    "instant": "timestamp with time zone",
    "currency": "text",
    "country": "text",
    "json": "jsonb",
}
VERSION_COMMENT = "ingest_job.seq << 40 | chunk number << 20 | row in the chunk, of the row that these values came from; the highest wins."

APPLIED = """
SELECT name FROM rayapp.dataset WHERE name = $1 AND declaration = $2 AND to_regclass(table_name) IS NOT NULL
"""
RECORD = """
INSERT INTO rayapp.dataset (name, table_name, key, declaration) VALUES ($1, $2, $3, $4)
ON CONFLICT (name) DO UPDATE
SET table_name = excluded.table_name, key = excluded.key, declaration = excluded.declaration, applied_at = now()
"""
COLUMNS = """
SELECT attname AS name, format_type(atttypid, atttypmod) AS type
FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped
"""
FORMER_KEY = "SELECT key FROM rayapp.dataset WHERE table_name = $1"


async def declare_tables(session: asyncpg.Connection, declared: tuple[Dataset, ...]) -> list[str]:
    """Bring the tables of declared datasets up to their declarations; gives the names of the datasets whose table was changed.

    To be called inside of the transaction that migrates. Datasets that are classified have tables of the numbered migrations. Raises
    ``InvalidSetup`` where a declaration changes the type of a column or the key of a table that is there.
    """
    changed = []
    for dataset in declared:
        digest = hashlib.sha256(msgspec.json.encode(dataset)).hexdigest()
        if dataset.decides or await session.fetchval(APPLIED, dataset.name, digest):
            continue
        await session.execute(f'CREATE SCHEMA IF NOT EXISTS "{dataset.table.partition(".")[0]}"')
        await _bring_up(session, dataset)
        await session.execute(RECORD, dataset.name, dataset.table, list(dataset.key), digest)
        changed.append(dataset.name)
    return changed


async def _bring_up(session: asyncpg.Connection, dataset: Dataset) -> None:
    table = _quoted(dataset.table)
    present = {row["name"]: row["type"] for row in await session.fetch(COLUMNS, dataset.table)}
    if not present:
        await session.execute(_create(dataset))
    else:
        _check(dataset, present, await session.fetchval(FORMER_KEY, dataset.table))
        for column in dataset.columns:
            if column.name not in present:
                await _add(session, dataset, column)
            elif column.name not in dataset.key and not _filled(column):
                await session.execute(f"ALTER TABLE {table} ALTER COLUMN {_quoted(column.name)} DROP NOT NULL")
    for name, words in _comments(dataset):
        await session.execute(f"COMMENT ON COLUMN {table}.{_quoted(name)} IS {_literal(words)}")
    await session.execute(f"COMMENT ON TABLE {table} IS {_literal(dataset.description)}")


def _create(dataset: Dataset) -> str:
    columns = [_column(column, dataset) for column in dataset.columns]
    key = ", ".join(map(_quoted, dataset.key))
    listed = ", ".join([*columns, f"{_quoted(VERSION)} bigint NOT NULL", f"PRIMARY KEY ({key})"])
    return f"CREATE TABLE {_quoted(dataset.table)} ({listed})"


def _column(column: Column, dataset: Dataset) -> str:
    """Write one column; keys are kept in the order of their bytes, in which loads go through them."""
    kind = SQL_TYPES[column.type]
    order = ' COLLATE "C"' if kind == "text" and column.name in dataset.key else ""
    default = "" if column.default is None else f" DEFAULT {_literal(column.default)}"
    filled = " NOT NULL" if _filled(column) else ""
    return f"{_quoted(column.name)} {kind}{order}{default}{filled}"


def _filled(column: Column) -> bool:
    return column.needed or column.default is not None


def _check(dataset: Dataset, present: dict[str, str], former_key: list[str] | None) -> None:
    where = f"dataset {dataset.name}: the table {dataset.table}"
    if former_key is None:
        raise InvalidSetup(f"{where} is there already and was not made by rayapp: name another in the declaration")
    if tuple(former_key) != dataset.key:
        raise InvalidSetup(f"{where} has the key {', '.join(former_key)}, the declaration {', '.join(dataset.key)}: a key cannot change")
    for column in dataset.columns:
        kind = present.get(column.name)
        if kind is not None and kind != SQL_TYPES[column.type]:
            wanted = SQL_TYPES[column.type]
            raise InvalidSetup(f"{where}: column {column.name} is {kind}, the declaration wants {wanted}: add a column of another name")


async def _add(session: asyncpg.Connection, dataset: Dataset, column: Column) -> None:
    try:
        await session.execute(f"ALTER TABLE {_quoted(dataset.table)} ADD COLUMN {_column(column, dataset)}")
    except asyncpg.NotNullViolationError as error:
        place = f"dataset {dataset.name}: column {column.name}"
        raise InvalidSetup(f"{place} is needed, and {dataset.table} has rows without it: give it a default") from error


def _comments(dataset: Dataset) -> list[tuple[str, str]]:
    return [*((column.name, column.description) for column in dataset.columns), (VERSION, VERSION_COMMENT)]


def _quoted(name: str) -> str:
    """Quote a name, or a table's with its schema; declarations hold nothing but letters, digits and _."""
    return ".".join(f'"{part}"' for part in name.split("."))


def _literal(words: str) -> str:
    return "'" + words.replace("'", "''") + "'"
