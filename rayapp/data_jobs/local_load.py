"""A load without a cluster: in this process, or in as many as the machine has processors."""

import asyncio
import multiprocessing
import os
from collections.abc import Sequence

from rayapp.data_jobs.load_piece import Stopping
from rayapp.data_jobs.loading import Loading, open_loader
from rayapp.errors import RayappError
from rayapp.sources.pieces import Piece

MOST_PROCESSES = 8


def load_here(loading: Loading, pieces: Sequence[Piece], stopping: Stopping) -> None:
    """Load pieces one after the other in this process."""
    asyncio.run(_load(loading, pieces, stopping))


def load_on_this_machine(loading: Loading, pieces: Sequence[Piece], stopping: Stopping) -> None:
    """Load pieces in this process and in others beside it, each from another end of the source until they meet."""
    processes = min(os.cpu_count() or 1, MOST_PROCESSES, len(pieces))
    spawn = multiprocessing.get_context("spawn")
    beside = [
        spawn.Process(target=load_beside, args=(loading, _from(pieces, place, processes), os.getpid()), daemon=True)
        for place in range(1, processes)
    ]
    for process in beside:
        process.start()
    try:
        load_here(loading, pieces, stopping)
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
        load_here(loading, pieces, lambda: os.getppid() != parent)
    except RayappError:
        return


def _from(pieces: Sequence[Piece], place: int, processes: int) -> Sequence[Piece]:
    """Give the pieces in an order that begins elsewhere for each process; the second goes backwards, so that two meet once."""
    start = len(pieces) * place // processes
    return [*reversed(pieces)] if place == 1 else [*pieces[start:], *pieces[:start]]


async def _load(loading: Loading, pieces: Sequence[Piece], stopping: Stopping) -> None:
    async with open_loader(loading) as loader:
        await loader.load_all(pieces, stopping)
