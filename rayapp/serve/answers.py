"""What rows get back: a classification or what is wrong with them, as JSON, and a summary that adds up."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from rayapp.scoring.transaction import Classification
from rayapp.serve.problems import Place

REJECTED = "rejected"

Outcome = tuple[str, str]
"""Status and level of a row, for the metrics; a rejected row has no level."""


class RejectedRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer for a row that could not be classified; in a stream with the number of its line."""

    id: str | None
    status: str
    errors: tuple[Place, ...]
    line: int | None = None


class Summary(msgspec.Struct, frozen=True):
    """What became of the rows, which add up to ``rows``."""

    rows: int
    classified: int
    unclassified: int
    rejected: int


class BulkAnswer(msgspec.Struct, frozen=True):
    """The response of ``POST /classify/bulk``: one result for each row, in the body's order."""

    results: list[Classification | RejectedRow | msgspec.Raw]
    summary: Summary
    pack: str


class Answer(NamedTuple):
    """Rows as JSON, each by itself, and how many of them had which outcome."""

    rows: Sequence[bytes]
    outcomes: Counter[Outcome]


def answer_of(results: Sequence[Classification | RejectedRow]) -> Answer:
    """Write results."""
    encode = msgspec.json.Encoder().encode
    return Answer([encode(result) for result in results], Counter(map(_outcome, results)))


def bulk_body(answers: Sequence[Answer], pack: str) -> bytes:
    """Put the answers on the chunks of one request together."""
    rows = [row for answer in answers for row in answer.rows]
    summary = summary_of(answer.outcomes for answer in answers)
    return b'{"results":[%b],"summary":%b,"pack":%b}' % (b",".join(rows), msgspec.json.encode(summary), msgspec.json.encode(pack))


def summary_of(counts: Iterable[Counter[Outcome]]) -> Summary:
    """Add up outcomes."""
    by_status: Counter[str] = Counter()
    for count in counts:
        for (status, _), rows in count.items():
            by_status[status] += rows
    return Summary(by_status.total(), by_status["classified"] + by_status["partial"], by_status["unclassified"], by_status[REJECTED])


def _outcome(result: Classification | RejectedRow) -> Outcome:
    return result.status, result.level if isinstance(result, Classification) else ""
