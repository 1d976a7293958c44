"""First loads: tables filled without keys, which are there again at the end, whatever happens in between."""

import asyncio
from typing import Any

import pytest

from rayapp.errors import Unavailable
from rayapp.store.chunks import ChunkLoader
from rayapp.store.database import connection
from rayapp.store.first_load import SQL, begin_first_load, end_first_load, first_load_of
from rayapp.store.ledger import Counts, Job, finish_job, stop_job

from .test_chunks import TRANSACTIONS, begin, chunk, load_chunk, stored

KEYS = "SELECT indexname FROM pg_indexes WHERE schemaname = 'rayapp' AND tablename IN ('transaction', 'decision') ORDER BY 1"


DEFINITIONS = KEYS.replace("indexname", "indexdef", 1)
ALL = ["decision_pkey", "decision_unsure", "transaction_of_account", "transaction_pkey"]
OF_TRANSACTIONS = ALL[2:]


async def keys(session: Any) -> list[str]:
    return [row[0] for row in await session.fetch(KEYS)]


@pytest.mark.parametrize(("in_order", "superseded", "repeated"), [(True, 2, 1), (False, 3, 0)])
def test_a_first_load_ends_with_the_keys_that_were_there_and_one_row_for_each_id(
    database: str, *, in_order: bool, superseded: int, repeated: int
) -> None:
    async def story() -> None:
        async with connection(database) as session:
            before = await session.fetch(DEFINITIONS)
            assert await keys(session) == ALL
            job = await begin(session, 3)
            assert await begin_first_load(session, job, TRANSACTIONS)
            assert await keys(session) == []
            loader = ChunkLoader(job, TRANSACTIONS, first=not in_order)
            for number, ids in ((2, ["a", "d"]), (0, ["a", "b", "a"]), (1, ["b", "c"])):
                await loader.load(session, loader.prepare(chunk(number, ids)))
            assert await first_load_of(session, "transactions") == str(job.id)
            assert await end_first_load(session, database, job, TRANSACTIONS)
            assert await session.fetch(DEFINITIONS) == before
            assert await stored(session) == {"a": "SHOP 2.0", "b": "SHOP 1.0", "c": "SHOP 1.1", "d": "SHOP 2.1"}
            progress = await finish_job(session, job)
            assert (progress.rows, progress.inserted, progress.superseded, progress.repeated) == (7, 4, superseded, repeated)
            assert await first_load_of(session, "transactions") is None

    asyncio.run(story())


def test_other_loads_are_refused_while_a_first_load_runs_and_let_in_after_it(database: str) -> None:
    async def story() -> None:
        async with connection(database) as session:
            first, other = await begin(session, 1), await begin(session, 1, digest="d2")
            assert await begin_first_load(session, first, TRANSACTIONS)
            with pytest.raises(Unavailable, match=f"a first load of transactions runs .load {first.id}."):
                await begin_first_load(session, other, TRANSACTIONS)
            with pytest.raises(Unavailable, match="a first load of transactions runs"):
                await load_chunk(session, other, chunk(0, ["x"]))
            assert await begin_first_load(session, first, TRANSACTIONS)
            await load_chunk(session, first, chunk(0, ["a"]))
            assert await end_first_load(session, database, first, TRANSACTIONS)
            assert await load_chunk(session, other, chunk(0, ["x", "a"])) == Counts(2, 1, 1, 0, 0, 0)

    asyncio.run(story())


def test_tables_with_rows_keep_their_keys(database: str) -> None:
    async def story() -> None:
        async with connection(database) as session:
            job = await begin(session, 1)
            await load_chunk(session, job, chunk(0, ["a"]))
            before = await keys(session)
            assert not await begin_first_load(session, await begin(session, 1, digest="d2"), TRANSACTIONS)
            assert await keys(session) == before

    asyncio.run(story())


def test_a_first_load_that_is_cancelled_leaves_what_it_loaded_with_keys_and_goes_on_as_any_other(database: str) -> None:
    async def story() -> None:
        async with connection(database) as session:
            job = await begin(session, 2)
            await begin_first_load(session, job, TRANSACTIONS)
            await load_chunk(session, job, chunk(0, ["a", "b"]))
            await stop_job(session, job, "cancelled")
            assert await load_chunk(session, job, chunk(1, ["b", "c"])) is None
            assert await end_first_load(session, database, job, TRANSACTIONS)
            assert await keys(session) == ALL
            again = await begin(session, 2)
            assert not await begin_first_load(session, again, TRANSACTIONS)
            await load_chunk(session, again, chunk(1, ["b", "c"]))
            assert await stored(session) == {"a": "SHOP 0.0", "b": "SHOP 1.0", "c": "SHOP 1.1"}
            assert (await finish_job(session, again)).finished_at is not None

    asyncio.run(story())


KILLED = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


async def killed_while_building(database: str, session: Any, other: Any, job: Job) -> None:
    """End a first load, and kill who does when the one table has its key and the other has not."""
    async with other.transaction():
        await other.execute("LOCK TABLE rayapp.decision IN ROW EXCLUSIVE MODE")
        building = asyncio.create_task(end_first_load(session, database, job, TRANSACTIONS))
        while await keys(other) != OF_TRANSACTIONS:  # noqa: ASYNC110 - the database is asked
            await asyncio.sleep(0.01)
        await other.execute(KILLED)
        with pytest.raises(Unavailable):
            await building


def test_who_is_killed_while_keys_are_built_goes_on_where_none_is(database: str) -> None:
    async def story() -> None:
        async with connection(database) as session, connection(database) as other:
            job = await begin(session, 2)
            await begin_first_load(session, job, TRANSACTIONS)
            await load_chunk(session, job, chunk(0, ["a", "b"]))
            await killed_while_building(database, session, other, job)
            assert await first_load_of(other, "transactions") == str(job.id)
            assert await begin_first_load(other, job, TRANSACTIONS)
            assert await keys(other) == []
            loader = ChunkLoader(job, TRANSACTIONS, first=True)
            await loader.load(other, loader.prepare(chunk(1, ["b", "c"])))
            assert await end_first_load(other, database, job, TRANSACTIONS)
            assert await keys(other) == ALL
            assert await stored(other) == {"a": "SHOP 0.0", "b": "SHOP 1.0", "c": "SHOP 1.1"}

    asyncio.run(story())


def test_who_is_killed_while_keys_are_built_may_leave_some_that_are_not_built_again(database: str) -> None:
    async def story() -> None:
        async with connection(database) as session, connection(database) as other:
            job = await begin(session, 1)
            await begin_first_load(session, job, TRANSACTIONS)
            await load_chunk(session, job, chunk(0, ["a", "b"]))
            await killed_while_building(database, session, other, job)
            assert await end_first_load(other, database, job, TRANSACTIONS)
            assert await keys(other) == ALL

    asyncio.run(story())


def test_who_goes_on_waits_for_keys_that_the_server_still_builds_for_one_that_was_killed(database: str) -> None:
    async def story() -> None:
        async with connection(database) as session, connection(database) as orphan:
            job = await begin(session, 1)
            await begin_first_load(session, job, TRANSACTIONS)
            async with orphan.transaction():
                await orphan.execute(SQL["take_building"], "transactions")
                going_on = asyncio.create_task(begin_first_load(session, job, TRANSACTIONS))
                await asyncio.sleep(0.2)
                assert not going_on.done()
            assert await going_on

    asyncio.run(story())
