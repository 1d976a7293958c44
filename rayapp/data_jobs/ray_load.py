"""A load on Ray Data: what flows through it are the pieces' places alone.

An actor reads, classifies and loads a piece in one transaction, so that however often Ray tries a piece again, it is loaded once.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from rayapp.data_jobs.load_piece import PieceLoader
from rayapp.data_jobs.loading import Loading, loader_of
from rayapp.errors import RayappError
from rayapp.sources.pieces import Piece

LOADER_CPUS = 0.75
"""What a loading actor books; the rest of its core is PostgreSQL's."""

PIECES_A_TASK = 4
"""Pieces that an actor is handed at a time, of which it reads the next while PostgreSQL writes one."""


def load_on_ray(loading: Loading, pieces: Sequence[Piece]) -> None:
    """Load pieces in parallel on the cluster that this process is connected to. Raises our own errors as such.

    A file of this machine can only be read here, so that its pieces stay here.
    """
    import ray
    from ray.exceptions import RayError

    _quieten()
    actors = max(1, min(len(pieces), int(ray.available_resources().get("CPU", 1) / LOADER_CPUS)))
    a_task = max(1, min(PIECES_A_TASK, len(pieces) // (2 * actors)))
    places = [{"piece": msgspec.json.encode(piece)} for piece in pieces]
    found = ray.data.from_items(places, override_num_blocks=-(-len(places) // a_task)).map_batches(
        PieceActor,
        batch_size=None,
        fn_constructor_args=(loading,),
        compute=ray.data.ActorPoolStrategy(size=actors),
        num_cpus=LOADER_CPUS,
    )
    try:
        found.materialize()
    except RayError as error:
        raise _ours(error) from error


class PieceActor:
    """Ray Data's view of a ``PieceLoader``: a batch is some pieces' places, and comes back as it was."""

    def __init__(self, loading: Loading) -> None:
        """Fetch the pack by its digest, so that all actors of a load decide by the same one whatever becomes active meanwhile."""
        self._runner = asyncio.Runner()
        self._loader: PieceLoader = self._runner.run(loader_of(loading))

    def __call__(self, batch: dict[str, np.ndarray[Any, Any]]) -> dict[str, np.ndarray[Any, Any]]:
        """Load the pieces of a batch."""
        pieces = [msgspec.json.decode(place, type=Piece) for place in batch["piece"].tolist()]
        self._runner.run(self._loader.load_all(pieces))
        return batch


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
