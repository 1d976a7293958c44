"""A load without a cluster: in this process over some connections, and in others beside it where they pay for their start."""

import asyncio
import multiprocessing
import os
from collections.abc import Iterable, Sequence

import asyncpg

from rayapp.data_jobs.load_piece import PieceLoader, Stopping
from rayapp.data_jobs.loading import Loading, loader_of, loaders_of
from rayapp.errors import RayappError
from rayapp.sources.pieces import Piece

MOST_PROCESSES = 8

LANES = 3
"""Connections of a process: while PostgreSQL writes or commits a piece of one, the process prepares pieces of the others."""

CORES_A_PROCESS = 2
"""One for the process, one for what PostgreSQL does for it."""

PIECES_A_PROCESS = 64
"""Pieces from which on a process more is worth its start, which costs as much as to classify some hundred thousand rows."""


async def load_here(loading: Loading, pieces: Sequence[Piece], stopping: Stopping, session: asyncpg.Connection) -> None:
    """Load pieces one after the other in this process, over a connection that is there, or another when it breaks."""
    loader = await loader_of(loading)
    loader.borrow(session)
    try:
        await loader.load_all(pieces, stopping)
    finally:
        await loader.close()


def load_on_this_machine(loading: Loading, pieces: Sequence[Piece], stopping: Stopping) -> None:
    """Load pieces in this process and in others beside it, each from another end of the source until they meet."""
    processes = max(1, min((os.cpu_count() or 1) // CORES_A_PROCESS, MOST_PROCESSES, len(pieces) // PIECES_A_PROCESS))
    spawn = multiprocessing.get_context("spawn")
    beside = [
        spawn.Process(target=load_beside, args=(loading, _from(pieces, place, processes), os.getpid()), daemon=True)
        for place in range(1, processes)
    ]
    for process in beside:
        process.start()
    try:
        asyncio.run(_load(loading, pieces, stopping))
        for process in beside:
            process.join()
    finally:
        for process in beside:
            process.terminate()
            process.join()


def load_beside(loading: Loading, pieces: Sequence[Piece], parent: int) -> None:
    """Load pieces beside the process that started this one, for no longer than it lives.

    What goes wrong here goes wrong there as well, where it is told: pieces that are not loaded are left to the parent.
    """
    try:
        asyncio.run(_load(loading, pieces, lambda: os.getppid() != parent))
    except RayappError:
        return


def _from(pieces: Sequence[Piece], place: int, processes: int) -> Sequence[Piece]:
    """Give the pieces in an order that begins elsewhere for each process; the second goes backwards, so that two meet once."""
    start = len(pieces) * place // processes
    return [*reversed(pieces)] if place == 1 else [*pieces[start:], *pieces[:start]]


async def _load(loading: Loading, pieces: Sequence[Piece], stopping: Stopping) -> None:
    """Load pieces over some connections at a time, each taking the next piece that none has; the first that fails stops all."""
    failed: list[BaseException] = []
    left = iter(pieces)

    async def load(loader: PieceLoader, mine: Iterable[Piece]) -> None:
        try:
            await loader.load_all(mine, lambda: bool(failed) or stopping())
        except BaseException as error:
            failed.append(error)
            raise
        finally:
            await loader.close()

    ended = await asyncio.gather(*(load(loader, left) for loader in await loaders_of(loading, LANES)), return_exceptions=True)
    for error in failed or ended:
        if isinstance(error, BaseException):
            raise error
