"""The ledger of jobs that classify rows to files: which parts are written, and which part holds a row."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
import msgspec

from rayapp.store.database import errors_as_ours
from rayapp.store.statements import statements

SQL = statements("job_results")


class Run(msgspec.Struct, frozen=True):
    """Rows of one source that are classified to files by one pack; ``job`` began it."""

    job: UUID
    pack: str
    digest: str
    tier: str
    rows: int


class Part(msgspec.Struct, frozen=True):
    """One file of results, with the rows of the source up to ``last_row`` (one-based); ``rejected`` of its ``rows`` have no decision."""

    number: int
    last_row: int
    rows: int
    rejected: int
    file: str


class Done(msgspec.Struct, frozen=True):
    """What need not be done again: numbers of parts, and all rows in them."""

    numbers: frozenset[int]
    rows: int
    rejected: int


async def root_of(session: asyncpg.Connection, job: UUID) -> UUID:
    """Give the job that began what a job goes on with: itself unless it is a retry."""
    with errors_as_ours():
        root: UUID | None = await session.fetchval(SQL["root"], job)
    return root or job


async def find_run(session: asyncpg.Connection, root: UUID) -> Run | None:
    """Give the run that a job began, ``None`` before it did."""
    with errors_as_ours():
        row = await session.fetchrow(SQL["run"], root)
    return None if row is None else Run(**dict(row))


async def begin_run(session: asyncpg.Connection, run: Run) -> Run:
    """Write a run down; gives the one that is there if another process was faster."""
    with errors_as_ours():
        await session.execute(SQL["begin"], *msgspec.structs.astuple(run))
    return await find_run(session, run.job) or run


async def done_parts(session: asyncpg.Connection, run: Run, job: UUID) -> Done:
    """Say what ``job`` need not do: what is written, but for parts in which another job had to reject rows."""
    with errors_as_ours():
        rows = await session.fetch(SQL["done"], run.job, job)
    return Done(frozenset(row["number"] for row in rows), sum(row["rows"] for row in rows), sum(row["rejected"] for row in rows))


async def write_part(session: asyncpg.Connection, run: Run, job: UUID, part: Part) -> None:
    """Enter a part whose file is complete; a second time does nothing."""
    with errors_as_ours():
        await session.execute(SQL["write"], run.job, part.number, job, part.last_row, part.rows, part.rejected, part.file)


async def parts_after(session: asyncpg.Connection, root: UUID, row: int, most: int) -> Sequence[Part]:
    """Give the parts that hold the first ``most`` rows after ``row`` of what is written so far, in order."""
    with errors_as_ours():
        rows = await session.fetch(SQL["page"], root, row, most)
    return [Part(**dict(found)) for found in rows]
