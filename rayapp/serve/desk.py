"""The desk of one replica: the classifier that decides now, the threads that it runs in, and the swap to another pack."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import pyarrow as pa

from rayapp.errors import Unavailable
from rayapp.scoring.classifier import Classifier
from rayapp.scoring.pack import CompiledPack
from rayapp.scoring.transaction import Transaction
from rayapp.serve.metrics import Metrics

THREADS = 2
"""The engine frees the interpreter's lock in its kernels: a second thread reads and writes JSON meanwhile."""

Result = TypeVar("Result")


class Deciding(NamedTuple):
    """A classifier and the version under which its pack is active."""

    version: int
    classifier: Classifier


class Desk:
    """Classifies off the event loop. A request uses one classifier from beginning to end, whatever is swapped meanwhile."""

    def __init__(self) -> None:
        """Open the desk; it answers after the first ``swap``."""
        self.metrics = Metrics()
        self._threads = ThreadPoolExecutor(THREADS, "rayapp-engine")
        self._deciding: Deciding | None = None

    @property
    def deciding(self) -> Deciding:
        """Give what decides now; raises ``Unavailable`` before there is a pack."""
        if self._deciding is None:
            raise Unavailable("no rule pack is loaded yet")
        return self._deciding

    async def swap(self, version: int, pack: CompiledPack) -> None:
        """Decide by another pack as soon as it is ready; requests in work keep the former."""
        self.use(Deciding(version, await asyncio.to_thread(_ready, pack)))

    def use(self, deciding: Deciding) -> None:
        """Decide by a classifier that is ready."""
        self._deciding = deciding
        self.metrics.pack(deciding.version, deciding.classifier.pack.digest)

    async def run(self, work: Callable[[Classifier], Result]) -> Result:
        """Do ``work`` with the classifier of this moment in one of the desk's threads."""
        classifier = self.deciding.classifier
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, classifier)


def _ready(pack: CompiledPack) -> Classifier:
    """Make a classifier that has run each of its kernels once."""
    classifier = Classifier(pack)
    classifier.classify_one(Transaction(id="", descriptor="A"))
    classifier.classify(pa.table({"id": [""], "descriptor": ["A"]}))
    return classifier
