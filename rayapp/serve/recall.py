"""What a replica remembers of its single answers: first its own memory is asked, then, for answers with reasons, the shared cache.

Reasons cost some hundred microseconds and more, a round trip to a server about seventy; a plain decision costs no more than the trip.
"""

from collections.abc import Sequence
from typing import NamedTuple

from rayapp.scoring.classifier import Classifier
from rayapp.serve.answers import Answer
from rayapp.serve.caches import Asked, DecisionCache, Kept, Question, lasting, read_question
from rayapp.serve.engine import Single, Work
from rayapp.serve.metrics import Metrics
from rayapp.serve.shared_cache import SharedCache

MEGABYTE = 1 << 20


class Caching(NamedTuple):
    """Megabytes that are kept in this process, 0 for none, and the address of the shared cache, if there is one."""

    own_mb: int = 64
    url: str | None = None


class Recall:
    """Belongs to one event loop; ``learn`` is called in the engine's thread."""

    def __init__(self, metrics: Metrics, caching: Caching) -> None:
        """Take where to count; without memory of its own nothing is shared either."""
        self._metrics = metrics
        self._on = caching.own_mb > 0
        self._own = DecisionCache(caching.own_mb * MEGABYTE)
        self._shared = SharedCache(caching.url) if caching.url and self._on else None

    def question(self, body: bytes, classifier: Classifier, *, explained: bool) -> Asked | None:
        """Read what is asked; ``None`` where nothing is remembered."""
        return read_question(body, classifier, explained=explained) if self._on else None

    async def find(self, question: Question) -> Kept | None:
        """Give the answer if somebody has had it."""
        kept = self._own.get(question)
        self._metrics.cached("memory", hit=kept is not None)
        if kept is None and question.explained and self._shared is not None:
            kept = await self._shared.get(question)
            self._metrics.cached("shared", hit=kept is not None)
            if kept is not None:
                self._own.keep([(question, kept)])
        return kept

    def learn(self, works: Sequence[Work], answers: Sequence[Answer | Exception], classifier: Classifier) -> None:
        """Remember what a classifier answered."""
        asked, given = [], []
        for work, answer in zip(works, answers, strict=True):
            if isinstance(work, Single) and work.asked is not None and isinstance(answer, Answer):
                asked.append(work.asked)
                given.append(answer)
        self._own.keep(lasting(asked, given, classifier))

    def share(self, question: Question) -> None:
        """Let other replicas have an answer with reasons that was just learned."""
        if question.explained and self._shared is not None:
            kept = self._own.get(question)
            if kept is not None:
                self._shared.keep([(question, kept)])

    async def close(self) -> None:
        """Let go of the shared cache."""
        if self._shared is not None:
            await self._shared.close()
