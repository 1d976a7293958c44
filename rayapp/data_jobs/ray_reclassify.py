"""A reclassification on Ray Data: what flows through it are the ranges' numbers alone.

An actor decides a range again in one transaction, so that however often Ray tries it, it is done once. Ranges go out in waves, between
which it is asked whether to stop.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np

from rayapp.data_jobs.ray_actors import crew_for, run_on_actors
from rayapp.rule_actor import fetch_pack
from rayapp.scoring.classifier import Classifier
from rayapp.settings import Settings
from rayapp.store.changesets import Changeset, RangeWorker

WAVES_OF = 8
"""Ranges for each actor between two looks at whether to stop."""


class Redeciding(msgspec.Struct, frozen=True):
    """What all ranges of a reclassification share; travels to the actors."""

    settings: Settings
    url: str
    changeset: Changeset
    pack: str
    condition: str


def redecide_on_ray(redeciding: Redeciding, ranges: Sequence[int], tell: Callable[[], None], should_stop: Callable[[], bool]) -> bool:
    """Decide ranges again in parallel on the cluster that this process is connected to; says whether all were done."""
    crew = crew_for(len(ranges))
    wave = crew.size * WAVES_OF
    for first in range(0, len(ranges), wave):
        if should_stop():
            return False
        numbers = [{"number": number} for number in ranges[first : first + wave]]
        run_on_actors(RangeActor, redeciding, numbers, crew, len(numbers))
        tell()
    return True


class RangeActor:
    """Ray Data's view of a ``RangeWorker``: a batch is some ranges' numbers, and comes back as it was."""

    def __init__(self, redeciding: Redeciding) -> None:
        """Fetch the pack by its digest, so that all actors decide by the same one whatever becomes active meanwhile."""
        self._runner = asyncio.Runner()
        classifier = Classifier(self._runner.run(fetch_pack(redeciding.settings, redeciding.pack)).pack)
        self._worker = RangeWorker(redeciding.url, redeciding.changeset, classifier, redeciding.condition)

    def __call__(self, batch: dict[str, np.ndarray[Any, Any]]) -> dict[str, np.ndarray[Any, Any]]:
        """Decide the ranges of a batch again."""
        for number in batch["number"].tolist():
            self._runner.run(self._worker.redecide(number))
        return batch
