"""The heart of re-deciding: looking only at the rows that a change of packs can touch gives the same as deciding all again."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from rayapp.scoring.classifier import Classifier
from rayapp.scoring.transaction import Transaction
from rayapp.store.changesets import finish_reclassification, open_reclassification, redecide_range
from rayapp.store.database import connection, migrated
from rayapp.store.packs import save_pack
from rayapp.store.stored_rows import Range, decide, read_rows
from rayapp.store.touched_rows import touched_rows

from .redeciding import decisions, store_rows
from .small_packs import Written, edits, packs, transactions


@pytest.fixture(scope="module")
def redeciding(postgres: Any) -> str:
    asyncio.run(migrated(postgres.url()))
    return str(postgres.url())


async def both_ways(
    url: str, old: Written, new: Written, rows: Sequence[Transaction], folder: Path
) -> tuple[int, int, dict[str, Any], dict[str, Any]]:
    before, after = (Classifier(pack.compiled(folder)) for pack in (old, new))
    async with connection(url) as session:
        await session.execute("TRUNCATE rayapp.transaction, rayapp.decision, rayapp.changeset, rayapp.pack CASCADE")
        await store_rows(session, before, [msgspec.structs.replace(row, id=str(n)) for n, row in enumerate(rows)])
        await save_pack(session, after.pack.digest, "new", after.pack.dump())
        async with session.transaction():
            every = decide(after, await read_rows(session, Range(0, 1 << 20), "true"))
        names = [name for name in every.decisions.column_names if name not in {"id", "pack"}]
        whole = {row["id"]: tuple(row[name] for name in names) for row in every.decisions.to_pylist()}
        touched = await touched_rows(session, after.pack)
        note(touched.condition)
        changeset = await open_reclassification(session, after.pack.digest, whole=False)
        for number in range(changeset.ranges):
            await redecide_range(session, changeset, number, after, touched.condition)
        done = await finish_reclassification(session, changeset)
        return len(rows), done.decided, whole, await decisions(session)


@settings(max_examples=int(os.environ.get("EXAMPLES", "60")))
@given(data=st.data(), old=packs, rows=st.lists(transactions, min_size=30, max_size=60))
def test_looking_at_touched_rows_alone_gives_the_same_as_deciding_all_again(
    data: st.DataObject, old: Written, rows: list[Transaction], redeciding: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    new = data.draw(edits(old))
    _, _, whole, incremental = asyncio.run(both_ways(redeciding, old, new, rows, tmp_path_factory.getbasetemp()))
    assert incremental == whole
