"""A load: a plan's pieces into the database, in this process or on Ray Data, with the ledger as the only count.

What flows through Ray Data are the pieces' places alone. An actor reads, classifies and loads a piece in one transaction, so that however
often Ray tries a piece again, it is loaded once.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np

from rayapp.data_jobs.load_piece import PieceLoader
from rayapp.datasets import dataset as declared
from rayapp.errors import RayappError
from rayapp.rule_actor import active_digest, fetch_pack
from rayapp.scoring.classifier import Classifier
from rayapp.settings import Settings
from rayapp.sources.pieces import Piece, Plan, ReadPiece
from rayapp.store.chunks import ChunkLoader
from rayapp.store.database import connection, resolve_url
from rayapp.store.ledger import Job, Progress, Source, finish_job, job_progress, loaded_chunks, open_job

LOADER_CPUS = 0.75
"""What a loading actor books; the rest of its core is PostgreSQL's."""

TELL_S = 0.5

Tell = Callable[[Progress], None]
"""Called now and then with how far a load is."""


async def begin(settings: Settings, dataset: str, plan: Plan) -> tuple[Job, Progress]:
    """Begin a load with the pack that is active now, or go on with the one that loaded the same source with the same pack before."""
    pack = await active_digest(settings) if declared(dataset, settings.datasets).decides else None
    source = Source(
        dataset=dataset,
        name=plan.source,
        digest=plan.content,
        bytes=plan.bytes,
        rows=plan.rows,
        chunks=len(plan.pieces),
        tier=plan.tier,
        manifest=msgspec.json.encode(plan.pieces).decode(),
        pack=pack,
    )
    async with connection(resolve_url(settings)) as session:
        job = await open_job(session, source)
        return job, await job_progress(session, job)


async def left(settings: Settings, job: Job, plan: Plan) -> list[Piece]:
    """Give the pieces that are not loaded yet, by the cut that the load began with."""
    pieces = plan.pieces if job.manifest is None else msgspec.json.decode(job.manifest, type=tuple[Piece, ...])
    async with connection(resolve_url(settings)) as session:
        done = await loaded_chunks(session, job)
    return [piece for piece in pieces if piece.number not in done]


def chunk_loader(settings: Settings, job: Job) -> ChunkLoader:
    """Make the writer of a load's chunks."""
    return ChunkLoader(job, declared(job.dataset, settings.datasets))


async def finish(settings: Settings, job: Job) -> Progress:
    """Close the load if nothing is left of it, and give its counts."""
    async with connection(resolve_url(settings)) as session:
        return await finish_job(session, job)


async def load_here(settings: Settings, job: Job, pack: str | None, pieces: Sequence[Piece], read: ReadPiece, tell: Tell) -> None:  # noqa: PLR0913, PLR0917
    """Load pieces one after the other in this process."""
    classifier = await _classifier(settings, pack)
    loader = PieceLoader(resolve_url(settings), chunk_loader(settings, job), classifier, read)
    try:
        async with connection(resolve_url(settings)) as session:
            for piece in pieces:
                await loader.load(piece)
                tell(await job_progress(session, job))
    finally:
        await loader.close()


def load_on_ray(settings: Settings, job: Job, pack: str | None, pieces: Sequence[Piece], read: ReadPiece, tell: Tell) -> None:  # noqa: PLR0913, PLR0917
    """Load pieces in parallel on the cluster that this process is connected to. Raises our own errors as such."""
    import ray
    from ray.exceptions import RayError

    _quieten()
    actors = max(1, min(len(pieces), int(ray.available_resources().get("CPU", 1) / LOADER_CPUS)))
    places = [{name: getattr(piece, name) for name in Piece.__struct_fields__} for piece in pieces]
    found = ray.data.from_items(places, override_num_blocks=len(places)).map_batches(
        PieceActor,
        batch_size=1,
        fn_constructor_args=(settings, job, pack, read),
        compute=ray.data.ActorPoolStrategy(size=actors),
        num_cpus=LOADER_CPUS,
    )
    with _Telling(settings, job, tell):
        try:
            found.materialize()
        except RayError as error:
            raise _ours(error) from error


class PieceActor:
    """Ray Data's view of a ``PieceLoader``: a batch is one piece's place, and gives its number back."""

    def __init__(self, settings: Settings, job: Job, pack: str | None, read: ReadPiece) -> None:
        """Fetch the pack by its digest, so that all actors of a load decide by the same one whatever becomes active meanwhile."""
        self._runner = asyncio.Runner()
        classifier = self._runner.run(_classifier(settings, pack))
        self._loader = PieceLoader(resolve_url(settings), chunk_loader(settings, job), classifier, read)

    def __call__(self, batch: dict[str, np.ndarray[Any, Any]]) -> dict[str, np.ndarray[Any, Any]]:
        """Load the pieces of a batch."""
        for values in zip(*(batch[name].tolist() for name in Piece.__struct_fields__), strict=True):
            self._runner.run(self._loader.load(Piece(*values)))
        return {"number": batch["number"]}


async def _classifier(settings: Settings, pack: str | None) -> Classifier | None:
    return None if pack is None else Classifier((await fetch_pack(settings, pack)).pack)


class _Telling:
    """Tells how far a load is, from a thread of its own, for the length of a context."""

    def __init__(self, settings: Settings, job: Job, tell: Tell) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._keep_telling(settings, job, tell)), daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    async def _keep_telling(self, settings: Settings, job: Job, tell: Tell) -> None:
        while not await asyncio.to_thread(self._stop.wait, TELL_S):
            try:
                async with connection(resolve_url(settings)) as session:
                    tell(await job_progress(session, job))
            except RayappError as error:
                logging.getLogger(__name__).warning("ingest.progress_unknown", extra={"reason": str(error)})


def _quieten() -> None:
    """Keep Ray Data's own bars and reports off the terminal: its counts double when a task is tried again."""
    import ray

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)


def _ours(error: BaseException) -> BaseException:
    """Find our own error inside of Ray's."""
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, RayappError):
        seen = getattr(seen, "cause", None) or seen.__cause__
    return seen or error
