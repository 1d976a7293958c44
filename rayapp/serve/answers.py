"""Answers: the bytes of a body in, the bytes of a response out, with one classifier for all of a request's rows."""

from collections import Counter
from typing import NamedTuple

import msgspec

from rayapp.errors import InvalidInput, Problem
from rayapp.scoring.classifier import Classifier
from rayapp.scoring.columns import table_of
from rayapp.scoring.transaction import Classification
from rayapp.serve.bodies import read_bulk, read_one
from rayapp.serve.decisions import decisions_of
from rayapp.serve.problems import Place, place_of

CHUNK_ROWS = 1_000
"""Rows that are classified at once; between chunks other requests get their turn."""

REJECTED = "rejected"

Outcome = tuple[str, str]
"""Status and level of a row, for the metrics; a rejected row has no level."""


class RejectedRow(msgspec.Struct, frozen=True):
    """The answer for a row that could not be classified."""

    id: str | None
    status: str
    errors: tuple[Place, ...]


class Summary(msgspec.Struct, frozen=True):
    """What became of the rows, which add up to ``rows``."""

    rows: int
    classified: int
    unclassified: int
    rejected: int


class BulkAnswer(msgspec.Struct, frozen=True):
    """The response of ``POST /classify/bulk``: one result for each row, in the body's order."""

    results: list[Classification | RejectedRow]
    summary: Summary
    pack: str


class Answer(NamedTuple):
    """A response's body, and how many rows had which outcome."""

    body: bytes
    outcomes: Counter[Outcome]


def answer_one(classifier: Classifier, body: bytes, *, explained: bool = False) -> Answer:
    """Classify the one transaction of a body. Raises ``InvalidInput`` with a pointer to each bad value."""
    transaction = read_one(body)
    try:
        found = classifier.explain(transaction) if explained else classifier.classify_one(transaction)
    except InvalidInput as error:
        places = [Place(f"#/{problem.field}", f"$.{problem.field}: {problem.message}") for problem in error.problems]
        raise InvalidInput("; ".join(place.detail for place in places), places) from error
    return Answer(msgspec.json.encode(found), Counter([(found.status, found.level)]))


def answer_bulk(classifier: Classifier, body: bytes) -> Answer:
    """Classify the rows of a body; a bad row gets its own answer and the others theirs."""
    rows = read_bulk(body)
    results: dict[int, Classification | RejectedRow] = {
        bad.row: RejectedRow(bad.id, REJECTED, (bad.place,)) for bad in rows.bad
    }
    for first in range(0, len(rows.transactions), CHUNK_ROWS):
        chunk = rows.transactions[first : first + CHUNK_ROWS]
        places = rows.places[first : first + CHUNK_ROWS]
        table, problems = classifier.classify_rows(table_of(chunk))
        bad = _by_row(problems)
        for row, found in bad.items():
            results[places[row]] = RejectedRow(chunk[row].id, REJECTED, tuple(_placed(problem, places[row]) for problem in found))
        good = (place for row, place in enumerate(places) if row not in bad)
        results.update(zip(good, decisions_of(table, classifier.pack), strict=True))
    outcomes: Counter[Outcome] = Counter(_outcome(result) for result in results.values())
    ordered = [results[place] for place in range(len(results))]
    return Answer(msgspec.json.encode(BulkAnswer(ordered, _summary(outcomes), classifier.pack.digest)), outcomes)


def _outcome(result: Classification | RejectedRow) -> Outcome:
    return result.status, result.level if isinstance(result, Classification) else ""


def _placed(problem: Problem, place: int) -> Place:
    found = place_of(problem, f"#/transactions/{place}")
    return Place(found.pointer, f"$.transactions[{place}].{problem.field}: {problem.message}")


def _by_row(problems: tuple[Problem, ...]) -> dict[int, list[Problem]]:
    found: dict[int, list[Problem]] = {}
    for problem in problems:
        found.setdefault(problem.row, []).append(problem)
    return found


def _summary(outcomes: Counter[Outcome]) -> Summary:
    by_status: Counter[str] = Counter()
    for (status, _), count in outcomes.items():
        by_status[status] += count
    return Summary(outcomes.total(), by_status["classified"] + by_status["partial"], by_status["unclassified"], by_status[REJECTED])
