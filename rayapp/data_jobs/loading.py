"""What all pieces of a load share, wherever they are loaded."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

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
    classifier = None if loading.pack is None else Classifier(await _pack(loading.settings, loading.pack))
    work = PieceWork(loading.dataset, classifier, loading.read, loading.most_bad)
    return PieceLoader(resolve_url(loading.settings), work, ChunkLoader(loading.job, loading.dataset, first=loading.first))


@asynccontextmanager
async def open_loader(loading: Loading) -> AsyncIterator[PieceLoader]:
    """Make a loader of pieces for the length of the context."""
    loader = await loader_of(loading)
    try:
        yield loader
    finally:
        await loader.close()


async def _pack(settings: Settings, digest: str) -> CompiledPack:
    """Give a pack from this machine's cache where it is there, which is sooner, else from the database."""
    kept = cache_directory() / f"{digest}.pack"
    if kept.is_file():
        with suppress(InvalidPack):
            return CompiledPack.open(str(kept))
    async with connection(resolve_url(settings)) as session:
        return CompiledPack.load(await fetch_pack(session, digest))
