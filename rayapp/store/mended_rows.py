"""Rows that were refused, tried again as the rows that they were: with the versions that the first try would have given them.

A whole chunk is merged once more. What is stored with the same version or a higher one stays as it is, so only rows that were refused
then can be written, and only where nothing newer has come meanwhile.
"""

import asyncpg

from rayapp.datasets import Dataset
from rayapp.store.chunks import Prepared, first_load_runs, merge
from rayapp.store.database import errors_as_ours
from rayapp.store.ledger import SQL, Job, quarantine


async def refused_chunks(session: asyncpg.Connection, job: Job) -> frozenset[int]:
    """Give the numbers of the chunks that are loaded but for some rows."""
    with errors_as_ours():
        return frozenset(row["number"] for row in await session.fetch(SQL["refused_chunks"], job.seq))


async def load_mended(session: asyncpg.Connection, job: Job, dataset: Dataset, chunk: Prepared) -> int:
    """Load what of a chunk was refused and is good now, in one transaction; gives how many rows that are.

    ``chunk`` was prepared anew from the same piece. What is bad that was loaded before counts as loaded. Raises ``Unavailable`` while
    another load fills the dataset for the first time.
    """
    with errors_as_ours():
        async with session.transaction():
            await session.execute(SQL["take_turn"], dataset.name, dataset.decides)
            if (first := await session.fetchval(SQL["first_load_of"], dataset.name)) is not None:
                raise first_load_runs(dataset.name, first)
            await session.fetchval(SQL["hold_chunk"], job.seq, chunk.number)
            before = {(row["file"], row["line"]) for row in await session.fetch(SQL["refused_lines"], job.seq, chunk.number)}
            still = [bad for bad in chunk.rejected if (bad.file, bad.line) in before]
            mended = len(before) - len({(bad.file, bad.line) for bad in still})
            if mended:
                await session.execute(SQL["forget_refused"], job.seq, chunk.number)
                await quarantine(session, job, chunk.number, still)
                inserted, updated = (await _merged(session, chunk))[0]
                await session.execute(SQL["count_mended"], job.seq, chunk.number, mended, inserted, updated)
    return mended


async def _merged(session: asyncpg.Connection, chunk: Prepared) -> list[tuple[int, int]]:
    return [await merge(session, copied) for copied in chunk.copied]
