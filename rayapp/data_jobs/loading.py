"""What all pieces of a load share, wherever they are loaded."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

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

PREPARED_AT_ONCE = 2
"""Threads of a process that prepare pieces, since one waits for Python or PostgreSQL now and then. Each keeps the memory that a piece
needs: pieces that go to any of many threads need as many times as much."""


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
    here: bool = False
    """A file of the source, or a copy of it, lies on this machine and in no folder that all machines see."""


async def loader_of(loading: Loading) -> PieceLoader:
    """Make a loader of pieces in this process."""
    (loader,) = await loaders_of(loading, 1)
    return loader


async def loaders_of(loading: Loading, count: int) -> list[PieceLoader]:
    """Make loaders of pieces, each with a connection of its own, which share a classifier and the threads that prepare pieces."""
    classifier = None if loading.pack is None else await _classifier(loading.settings, loading.pack)
    work = PieceWork(loading.dataset, classifier, loading.read, loading.most_bad)
    preparing = ThreadPoolExecutor(PREPARED_AT_ONCE, "rayapp prepare")
    url = resolve_url(loading.settings)
    return [PieceLoader(url, work, ChunkLoader(loading.job, loading.dataset, first=loading.first), preparing) for _ in range(count)]


async def _classifier(settings: Settings, digest: str) -> Classifier:
    """Give a pack's classifier: from this machine's cache where it is there, which is sooner, else from the database."""
    kept = await asyncio.to_thread(kept_classifier, digest)
    if kept is not None:
        return kept
    async with connection(resolve_url(settings)) as session:
        return Classifier(CompiledPack.load(await fetch_pack(session, digest)))


def kept_classifier(digest: str) -> Classifier | None:
    """Give the classifier of a pack that is in this machine's cache; who asks while it is being opened waits for that."""
    with _OPENING:
        path = cache_directory() / f"{digest}.pack"
        with suppress(InvalidPack):
            return _opened(path, path.stat().st_mtime_ns) if path.is_file() else None
    return None


_OPENING = threading.Lock()


@lru_cache(maxsize=1)
def _opened(path: Path, _written: int) -> Classifier:
    return Classifier(CompiledPack.open(str(path)))
