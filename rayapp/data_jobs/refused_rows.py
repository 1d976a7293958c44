"""A retry of a load: rows that were refused are read, checked and classified again, since what reads and checks them may know more now.

Nothing can be otherwise about their source, nor about what its columns mean: that would be another load.
"""

import asyncio
from collections.abc import Sequence

from rayapp.data_jobs.load_piece import PieceWork
from rayapp.data_jobs.loading import Loading, kept_classifier
from rayapp.data_jobs.watching import ShouldStop
from rayapp.scoring.classifier import Classifier
from rayapp.sources.pieces import Piece
from rayapp.store.chunks import ChunkLoader
from rayapp.store.database import connection, resolve_url
from rayapp.store.mended_rows import load_mended
from rayapp.store.packs import read_pack


async def try_refused(loading: Loading, pieces: Sequence[Piece], should_stop: ShouldStop) -> int:
    """Go through pieces of which rows were refused; gives how many rows are loaded now. A second time does nothing more."""
    mended = 0
    chunks = ChunkLoader(loading.job, loading.dataset)
    async with connection(resolve_url(loading.settings)) as session:
        classifier = None
        if loading.pack is not None:
            kept = await asyncio.to_thread(kept_classifier, loading.pack)
            classifier = kept or Classifier(await read_pack(session, loading.pack))
        work = PieceWork(loading.dataset, classifier, loading.read)
        for piece in pieces:
            if should_stop():
                break
            chunk = await asyncio.to_thread(work.chunk, piece)
            if chunk.rows.num_rows:
                mended += await load_mended(session, loading.job, loading.dataset, await asyncio.to_thread(chunks.prepare, chunk))
    return mended
