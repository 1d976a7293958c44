"""The response of ``POST /classify/bulk``, put together from the decisions on its chunks."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from rayapp.errors import Problem
from rayapp.scoring.pack import CompiledPack
from rayapp.scoring.transaction import Classification
from rayapp.serve.bodies import Rows
from rayapp.serve.decisions import decisions_of
from rayapp.serve.engine import Answer, Decided, Outcome
from rayapp.serve.problems import Place, place_of

CHUNK_ROWS = 1_000
"""Rows that are classified at once; between chunks other requests get their turn."""

REJECTED = "rejected"

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


def answer_bulk(rows: Rows, chunks: Sequence[Decided], pack: CompiledPack) -> Answer:
    """Give each row of a body its answer; a bad row gets its own and the others theirs."""
    results: dict[int, Classification | RejectedRow] = {
        bad.row: RejectedRow(bad.id, REJECTED, (bad.place,)) for bad in rows.bad
    }
    first = 0
    for decided in chunks:
        size = len(decided.table) + len({problem.row for problem in decided.problems})
        places = rows.places[first : first + size]
        bad = by_row(decided.problems)
        for row, found in bad.items():
            place = places[row]
            results[place] = RejectedRow(rows.transactions[first + row].id, REJECTED, tuple(_placed(problem, place) for problem in found))
        good = (place for row, place in enumerate(places) if row not in bad)
        results.update(zip(good, decisions_of(decided.table, pack), strict=True))
        first += size
    outcomes: Counter[Outcome] = Counter(_outcome(result) for result in results.values())
    ordered = [results[place] for place in range(len(results))]
    return Answer(msgspec.json.encode(BulkAnswer(ordered, _summary(outcomes), pack.digest)), outcomes)


def _outcome(result: Classification | RejectedRow) -> Outcome:
    return result.status, result.level if isinstance(result, Classification) else ""


def _placed(problem: Problem, place: int) -> Place:
    found = place_of(problem, f"#/transactions/{place}")
    return Place(found.pointer, f"$.transactions[{place}].{problem.field}: {problem.message}")


def by_row(problems: tuple[Problem, ...]) -> dict[int, list[Problem]]:
    """Group problems by their row."""
    found: dict[int, list[Problem]] = {}
    for problem in problems:
        found.setdefault(problem.row, []).append(problem)
    return found


def _summary(outcomes: Counter[Outcome]) -> Summary:
    by_status: Counter[str] = Counter()
    for (status, _), count in outcomes.items():
        by_status[status] += count
    return Summary(outcomes.total(), by_status["classified"] + by_status["partial"], by_status["unclassified"], by_status[REJECTED])
