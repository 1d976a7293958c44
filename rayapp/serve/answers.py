"""What rows get back: a classification or what is wrong with them, as JSON, and a summary that adds up."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from rayapp.scoring.transaction import Classification
from rayapp.serve.problems import Place

REJECTED, UNAVAILABLE = "rejected", "unavailable"

Outcome = tuple[str, str]
"""Status and level of a row, for the metrics; a rejected row has no level."""


class RejectedRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer for a row that could not be classified; in a stream with the number of its line.

    ``rejected`` is wrong itself; ``unavailable`` could not be read at the moment.
    """

    id: str | None
    status: str
    errors: tuple[Place, ...]
    line: int | None = None


class Summary(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of the rows, which add up to ``rows``."""

    rows: int
    classified: int
    unclassified: int
    rejected: int
    unavailable: int = 0


class Answer(NamedTuple):
    """Rows as JSON, each by itself, and how many of them had which outcome."""

    rows: Sequence[bytes]
    outcomes: Counter[Outcome]


def answer_of(results: Sequence[Classification | RejectedRow]) -> Answer:
    """Write results."""
    encode = msgspec.json.Encoder().encode
    return Answer([encode(result) for result in results], Counter(map(_outcome, results)))


def bulk_body(answers: Sequence[Answer], pack: str) -> bytes:
    """Put the answers on the chunks of one request together; where rows could not be read, ``partial`` names what was away."""
    rows = b",".join([row for answer in answers for row in answer.rows])
    summary = summary_of(answer.outcomes for answer in answers)
    partial = b',"partial":"database"' if summary.unavailable else b""
    return b'{"results":[%b],"summary":%b,"pack":%b%b}' % (rows, msgspec.json.encode(summary), msgspec.json.encode(pack), partial)


def summary_of(counts: Iterable[Counter[Outcome]]) -> Summary:
    """Add up outcomes."""
    by_status: Counter[str] = Counter()
    for count in counts:
        for (status, _), rows in count.items():
            by_status[status] += rows
    found = by_status["classified"] + by_status["partial"]
    return Summary(by_status.total(), found, by_status["unclassified"], by_status[REJECTED], by_status[UNAVAILABLE])


def _outcome(result: Classification | RejectedRow) -> Outcome:
    return result.status, result.level if isinstance(result, Classification) else ""
