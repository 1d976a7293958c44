"""Answers of ``POST /classify`` kept for transactions alike, in this process and, where that pays, in a server that replicas share.

The key holds the pack's digest and what the verdict depends on, so nothing is ever invalid: another pack asks under other keys. What is
kept is the answer's JSON behind the id. An amount or a day that a rule looks at is not in the key; such descriptors are not kept.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from cachebox import LRUCache

from rayapp.errors import InvalidInput
from rayapp.scoring.classifier import Classifier
from rayapp.scoring.single import Alike
from rayapp.serve.answers import Answer, Outcome
from rayapp.serve.bodies import BAD_JSON, LENIENT

MOST_BODY_BYTES = 4_096
"""A larger body is decided without a look into the cache; no descriptor needs it."""

OVERHEAD_BYTES = 600
"""What an entry takes beside its texts; so the bound on bytes is one on entries too."""


class Question(NamedTuple):
    """What an answer is kept under."""

    digest: str
    explained: bool
    alike: Alike


class Asked(NamedTuple):
    """A question, and the id that asks it."""

    id: str
    question: Question


class Kept(NamedTuple):
    """An answer's JSON behind its id, and the row's status and level."""

    tail: bytes
    outcome: Outcome


def read_question(body: bytes, classifier: Classifier, *, explained: bool) -> Asked | None:
    """Read what is asked; ``None`` for what is no good transaction, which is the engine's to say."""
    if len(body) > MOST_BODY_BYTES:
        return None
    try:
        transaction = LENIENT.one.decode(body)
        return Asked(transaction.id, Question(classifier.pack.digest, explained, classifier.alike(transaction)))
    except (*BAD_JSON, InvalidInput):
        return None


def whole(kept: Kept, row_id: str) -> Answer:
    """Give the answer to who asks with this id: the bytes that the engine would give."""
    return Answer([_head(row_id) + kept.tail], Counter((kept.outcome,)))


def kept_of(answer: Answer, row_id: str) -> Kept:
    """Take the id off an answer on one transaction."""
    return Kept(answer.rows[0].removeprefix(_head(row_id)), next(iter(answer.outcomes)))


def lasting(asked: Sequence[Asked], answers: Sequence[Answer], classifier: Classifier) -> list[tuple[Question, Kept]]:
    """Give what may be kept of the answers that a classifier gave."""
    if not asked:
        return []
    exact = classifier.exact([one.question.alike.content for one in asked]).tolist()
    return [
        (one.question, kept_of(answer, one.id))
        for one, answer, once in zip(asked, answers, exact, strict=True)
        if not once and one.question.digest == classifier.pack.digest
    ]


class DecisionCache:
    """The answers last used, in this process. Safe to use from several threads."""

    def __init__(self, most_bytes: int) -> None:
        """Keep about so many bytes; nothing for 0."""
        self._most = most_bytes
        self.kept: LRUCache[Question, Kept] | None = LRUCache(most_bytes, getsizeof=_size) if most_bytes else None

    def get(self, question: Question) -> Kept | None:
        """Give the answer if it is kept."""
        return None if self.kept is None else self.kept.get(question)

    def keep(self, entries: Sequence[tuple[Question, Kept]]) -> None:
        """Keep answers; those that were not used for longest go, and one that is larger than everything else together is not kept."""
        if self.kept is not None:
            self.kept.update(entry for entry in entries if _size(*entry) < self._most)


def _head(row_id: str) -> bytes:
    return b'{"id":%b' % msgspec.json.encode(row_id)


def _size(question: Question, kept: Kept) -> int:
    return OVERHEAD_BYTES + len(question.alike.content) + len(kept.tail)
