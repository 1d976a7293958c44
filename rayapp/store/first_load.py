"""A first load: tables that are empty are filled without keys and indexes, which are built at the end, in one go.

The state is a row in the database, so that a load that broke off goes on in it, whoever goes on, and other loads of the dataset are
refused meanwhile. Until the end a key may be in the table several times; then the highest version stays.

The keys are built side by side, each table's over a connection of its own, and leave the list of those to be built as they are committed:
who is killed meanwhile finds there what is left, and who then loads more drops again what was built.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

import asyncpg

from rayapp.datasets import Dataset
from rayapp.datasets.declaration import VERSION
from rayapp.store.chunks import first_load_runs
from rayapp.store.database import connect_to_copy, errors_as_ours
from rayapp.store.ledger import Job
from rayapp.store.staging import CHUNK_SHIFT, MOST_ROWS
from rayapp.store.statements import statements
from rayapp.store.targets import Target, targets

SQL = statements("first_load")

WAITING = "SET LOCAL idle_in_transaction_session_timeout = 0"
"""Of the session that keeps others out, while the keys are built over other connections."""

BUILDING = """
SET LOCAL maintenance_work_mem = '512MB';
SET LOCAL max_parallel_maintenance_workers = 2;
SET LOCAL statement_timeout = 0;
"""

GLANCE = "SET LOCAL default_statistics_target = 10"
"""Statistics of 3,000 rows: what a plan needs at once. Those of all columns cost the time of 100,000 rows, and autovacuum makes them within
its minute, since a look at some columns alone does not put it off."""


async def begin_first_load(session: asyncpg.Connection, job: Job, dataset: Dataset) -> bool:
    """Take the dataset's tables into the state of a first load, if they are empty; says whether this job is in that state.

    Raises ``Unavailable`` while another job's first load runs.
    """
    with errors_as_ours():
        try:
            async with session.transaction():
                await session.execute(SQL["take_all_turns"], dataset.name, dataset.decides)
                return await _begin(session, job, dataset)
        except asyncpg.DependentObjectsStillExistError:
            return False  # somebody's foreign key points at the table: it is loaded as any other


async def _begin(session: asyncpg.Connection, job: Job, dataset: Dataset) -> bool:
    state = await session.fetchrow(SQL["state"], dataset.name)
    if state is not None:
        if state["job_seq"] != job.seq:
            raise first_load_runs(dataset.name, str(state["id"]))
        await session.execute(SQL["build_again"], dataset.name, await _without_keys(session, dataset))
        return True
    filled = [await session.fetchval(f"SELECT EXISTS (SELECT FROM {target.quoted})") for target in targets(dataset)]  # noqa: S608 - checked
    if any(filled) or await session.fetch(SQL["others"], dataset.name, job.seq):
        return False
    await session.execute(SQL["begin"], dataset.name, job.seq, await _without_keys(session, dataset))
    return True


async def _without_keys(session: asyncpg.Connection, dataset: Dataset) -> list[str]:
    """Drop the keys and indexes that the dataset's tables have; gives the statements that build them again."""
    rebuild = []
    for target in targets(dataset):
        for key in await session.fetch(SQL["keys"], target.quoted):
            await session.execute(key["drops"])
            rebuild.append(key["builds"])
        if await session.fetchval(SQL["is_vacuumed"], target.quoted):
            await session.execute(f"ALTER TABLE {target.quoted} SET (autovacuum_enabled = false)")
            rebuild.append(f"ALTER TABLE {target.quoted} RESET (autovacuum_enabled)")
    return rebuild


async def end_first_load(session: asyncpg.Connection, url: str, job: Job, dataset: Dataset) -> bool:
    """Build the keys and indexes of what is loaded, and let other loads in; says whether this job was in that state.

    A job that is not done yet goes on as any other.
    """
    with errors_as_ours():
        async with session.transaction():
            await session.execute(WAITING)
            await session.execute(SQL["take_all_turns"], dataset.name, dataset.decides)
            state = await session.fetchrow(SQL["state"], dataset.name)
            if state is None or state["job_seq"] != job.seq:
                return False
            await _build(url, job, dataset, state["rebuild"])
            await session.execute(SQL["end"], dataset.name)
        async with session.transaction():
            await session.execute(GLANCE)
            for target in targets(dataset):
                await session.execute(f"ANALYZE {target.quoted} ({target.listed_key})")
    return True


async def first_load_of(session: asyncpg.Connection, dataset: str) -> str | None:
    """Give the id of the job whose first load of a dataset runs, if one does: its tables have no keys until it ends."""
    with errors_as_ours():
        state = await session.fetchrow(SQL["state"], dataset)
    return None if state is None else str(state["id"])


async def _build(url: str, job: Job, dataset: Dataset, rebuild: Sequence[str]) -> None:
    """Build keys and indexes; only if a key is there twice, take out its lower versions first."""
    try:
        await _build_tables(url, dataset, rebuild)
    except asyncpg.UniqueViolationError:
        own, *beside = targets(dataset)
        async with _building(url, dataset) as session:
            await _leave_highest(session, job, own)
            for target in beside:
                await session.execute(_without_lower(target))
            left = (await session.fetchrow(SQL["state"], dataset.name))["rebuild"]
        await _build_tables(url, dataset, left)


async def _build_tables(url: str, dataset: Dataset, rebuild: Sequence[str]) -> None:
    """Build what belongs to each table, all tables at once; raises the first error when all have ended."""
    parts = [[statement for statement in rebuild if _is_of(target, statement)] for target in targets(dataset)]
    ended = await asyncio.gather(*(_build_table(url, dataset, part) for part in parts if part), return_exceptions=True)
    _raise_first(ended)


async def _build_table(url: str, dataset: Dataset, statements: Sequence[str]) -> None:
    async with _building(url, dataset) as session:
        for statement in statements:
            await session.execute(statement)
        await session.execute(SQL["built"], dataset.name, statements)


@asynccontextmanager
async def _building(url: str, dataset: Dataset) -> AsyncIterator[asyncpg.Connection]:
    """Open a connection and a transaction on it, which whoever takes all turns waits for, also when this process is killed."""
    session = await connect_to_copy(url)
    try:
        async with session.transaction():
            await session.execute(SQL["take_building"], dataset.name)
            await session.execute(BUILDING)
            yield session
    finally:
        session.terminate()


def _is_of(target: Target, statement: str) -> bool:
    """Say whether a statement builds something of a table, by its name, which quotes may be around."""
    return f" {target.table} " in statement.replace('"', "")


def _raise_first(ended: Iterable[object]) -> None:
    for error in ended:
        if isinstance(error, BaseException):
            raise error


async def _leave_highest(session: asyncpg.Connection, job: Job, target: Target) -> None:
    chunk = f"(({VERSION} >> {CHUNK_SHIFT}) & {MOST_ROWS - 1})::integer"
    counted = f"WITH gone AS ({_without_lower(target)} RETURNING {chunk} AS number) SELECT number, count(*)::integer FROM gone GROUP BY 1"  # noqa: S608
    gone = await session.fetch(counted)
    await session.execute(SQL["count_superseded"], job.seq, [row[0] for row in gone], [row[1] for row in gone])


def _without_lower(target: Target) -> str:
    """Give the statement that deletes all but the highest version of each key."""
    ranked = f'SELECT ctid, row_number() OVER (PARTITION BY {target.listed_key} ORDER BY "{VERSION}" DESC) AS place FROM {target.quoted}'  # noqa: S608
    return f"DELETE FROM {target.quoted} WHERE ctid = ANY (ARRAY(SELECT ctid FROM ({ranked}) ranked WHERE place > 1))"  # noqa: S608
