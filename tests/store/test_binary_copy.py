"""What is encoded for a binary COPY comes out of PostgreSQL as it went in."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rayapp.store.binary_copy import Shared, binary_copy
from rayapp.store.database import connection

WORDS = pa.array(["", "café", "🦜" * 20, "a"])
EARLIEST, LATEST = datetime(1, 1, 1), datetime(9999, 12, 31)

COLUMNS: dict[str, tuple[str, pa.DataType, st.SearchStrategy[Any]]] = {
    "words": ("text", pa.string(), st.text(st.characters(codec="utf-8", exclude_characters="\0"))),
    "raw": ("bytea", pa.binary(), st.binary()),
    "long": ("bigint", pa.int64(), st.integers(-(1 << 63), (1 << 63) - 1)),
    "short": ("integer", pa.int32(), st.integers(-(1 << 31), (1 << 31) - 1)),
    "double": ("double precision", pa.float64(), st.floats(allow_nan=False)),
    "flag": ("boolean", pa.bool_(), st.booleans()),
    "day": ("date", pa.date32(), st.dates()),
    "moment": (
        "timestamptz",
        pa.timestamp("us", "UTC"),
        st.datetimes(EARLIEST + timedelta(1), LATEST - timedelta(1)).map(lambda moment: moment.replace(tzinfo=UTC)),
    ),
    "coded": ("text", pa.dictionary(pa.int32(), pa.string()), st.sampled_from(WORDS.to_pylist())),
    "rules": ("text[]", pa.list_(pa.string()), st.lists(st.text(st.characters(codec="ascii", exclude_characters="\0")), max_size=3)),
    "nothing": ("text", pa.null(), st.none()),
}
ROWS = st.lists(st.fixed_dictionaries({name: st.none() | values for name, (_, _, values) in COLUMNS.items()}), max_size=12)


def table_of(rows: Sequence[dict[str, Any]]) -> pa.Table:
    return pa.table({name: pa.array([row[name] for row in rows], kind) for name, (_, kind, _) in COLUMNS.items()})


def copied(url: str, table: pa.Table) -> list[dict[str, Any]]:
    async def copy() -> list[dict[str, Any]]:
        async with connection(url) as session, session.transaction():
            listed = ", ".join(f"{name} {kind}" for name, (kind, _, _) in COLUMNS.items())
            await session.execute(f"CREATE TEMP TABLE kinds ({listed}) ON COMMIT DROP")
            await session.copy_to_table("kinds", source=binary_copy(table), columns=table.column_names, format="binary")
            return [dict(row) for row in await session.fetch("SELECT * FROM kinds")]

    return asyncio.run(copy())


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=ROWS, rows=ROWS, after=ROWS)
def test_every_type_comes_back_with_what_is_missing_from_slices_and_chunks_too(
    empty_database: str, before: list[dict[str, Any]], rows: list[dict[str, Any]], after: list[dict[str, Any]]
) -> None:
    whole = table_of([*before, *rows]).slice(len(before))
    assert copied(empty_database, pa.concat_tables([whole, table_of(after)])) == [*rows, *after]


@given(own=ROWS, different=ROWS.filter(bool), seed=st.integers(0, 99))
def test_fields_that_rows_share_are_written_as_if_each_row_had_its_own(own: list[dict[str, Any]], different: list[dict[str, Any]], seed: int) -> None:
    places = np.random.default_rng(seed).integers(0, len(different), len(own)).astype(np.int32)
    table, shared = table_of(own), table_of(different).rename_columns([f"shared {name}" for name in COLUMNS])
    in_two = pa.concat_tables([table.slice(0, len(own) // 2), table.slice(len(own) // 2)])
    spread = shared.take(pa.array(places))
    whole = pa.table(dict(zip([*table.column_names, *spread.column_names], [*table.columns, *spread.columns], strict=True)))
    assert bytes(binary_copy(in_two, Shared(shared, places))) == bytes(binary_copy(whole.combine_chunks()))


def test_a_type_that_nobody_copies_is_refused() -> None:
    with pytest.raises(TypeError):
        binary_copy(pa.table({"odd": pa.array([1], pa.uint64())}))
