"""A load on Ray Data: what flows through it are the pieces' places alone.

An actor reads, classifies and loads a piece in one transaction, so that however often Ray tries a piece again, it is loaded once.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from rayapp.data_jobs.load_piece import PieceLoader
from rayapp.data_jobs.loading import Loading, loader_of
from rayapp.data_jobs.ray_actors import crew_for, run_on_actors
from rayapp.sources.pieces import Piece

PIECES_A_TASK = 4
"""Pieces that an actor is handed at a time, of which it reads the next while PostgreSQL writes one."""


def load_on_ray(loading: Loading, pieces: Sequence[Piece]) -> None:
    """Load pieces in parallel on the cluster that this process is connected to. Raises our own errors as such.

    Those of a file that lies on this machine alone stay here.
    """
    crew = crew_for(len(pieces), here=loading.here)
    a_task = max(1, min(PIECES_A_TASK, len(pieces) // (2 * crew.size)))
    places = [{"piece": msgspec.json.encode(piece)} for piece in pieces]
    run_on_actors(PieceActor, loading, places, crew, -(-len(places) // a_task))


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
