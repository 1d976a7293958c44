"""What all pieces of a load share, wherever they are loaded."""

import asyncio
from contextlib import suppress

import msgspec

from rayapp.data_jobs.load_piece import PieceLoader, PieceWork
from rayapp.datasets import Dataset
from rayapp.errors import InvalidPack
from rayapp.packs import CompiledPack
from rayapp.packs.cache import cache_directory
from rayapp.scoring.classifier import Classifier
from rayapp.settings import Settings
from rayapp.sources.pieces import ReadPiece
from rayapp.store.chunks import ChunkLoader
from rayapp.store.database import connection, resolve_url
from rayapp.store.ledger import Job
from rayapp.store.packs import fetch_pack


class Loading(msgspec.Struct, frozen=True):
    """One load. Goes to the workers of the cluster, so it can be pickled."""

    settings: Settings
    job: Job
    dataset: Dataset
    pack: str | None
    """Digest of the pack that decides."""
    read: ReadPiece
    most_bad: int | None = None
    """Bad rows that the load may have."""
    first: bool = False
    """The dataset's tables are in the state of this job's first load."""


async def loader_of(loading: Loading) -> PieceLoader:
    """Make a loader of pieces in this process."""
    (loader,) = await loaders_of(loading, 1)
    return loader


async def loaders_of(loading: Loading, count: int) -> list[PieceLoader]:
    """Make loaders of pieces, each with a connection of its own, which share a classifier and prepare one piece at a time."""
    classifier = None if loading.pack is None else Classifier(await _pack(loading.settings, loading.pack))
    work = PieceWork(loading.dataset, classifier, loading.read, loading.most_bad)
    preparing = asyncio.Semaphore(1)
    url = resolve_url(loading.settings)
    return [PieceLoader(url, work, ChunkLoader(loading.job, loading.dataset, first=loading.first), preparing) for _ in range(count)]


async def _pack(settings: Settings, digest: str) -> CompiledPack:
    """Give a pack from this machine's cache where it is there, which is sooner, else from the database."""
    kept = cache_directory() / f"{digest}.pack"
    if kept.is_file():
        with suppress(InvalidPack):
            return CompiledPack.open(str(kept))
    async with connection(resolve_url(settings)) as session:
        return CompiledPack.load(await fetch_pack(session, digest))
