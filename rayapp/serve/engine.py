"""What the engine's thread does with a batch: bodies, chunks and lines of many requests in, an answer or an error for each out."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from rayapp.errors import InvalidInput, Problem
from rayapp.scoring.classifier import Classifier
from rayapp.scoring.columns import table_of
from rayapp.scoring.transaction import Classification, Transaction
from rayapp.serve.answers import REJECTED, Answer, RejectedRow, answer_of
from rayapp.serve.bodies import BAD_JSON, LENIENT, BadRow, Reading, Row, id_of, place_of_error, read_one
from rayapp.serve.caches import Asked
from rayapp.serve.decisions import decisions_of
from rayapp.serve.problems import Place

Value = TypeVar("Value")

FEW = 100
"""Transactions below which one by one is faster than a table of them (measured: 17 µs each, against 800 µs and 9 µs each)."""


class Single(NamedTuple):
    """The body of a request for one transaction, whether its reasons are asked for, and what the answer may be kept under."""

    body: bytes
    explained: bool = False
    asked: Asked | None = None
    reading: Reading = LENIENT


class Chunk(NamedTuple):
    """Rows of one bulk request, from its row ``first`` on; one classifier decides them from the first chunk to the last."""

    rows: Sequence[Row]
    first: int
    classifier: Classifier
    field: str = "transactions"

    def read(self) -> Sequence[Row]:
        """Give the rows."""
        return self.rows

    def rejected(self, place: int, row_id: str, problems: Sequence[Problem]) -> RejectedRow:
        """Answer for a row with wrong values."""
        path, pointer = f"$.{self.field}[{self.first + place}]", f"#/{self.field}/{self.first + place}"
        places = (Place(f"{pointer}/{problem.field}", f"{path}.{problem.field}: {problem.message}") for problem in problems)
        return RejectedRow(row_id, REJECTED, tuple(places))

    def malformed(self, _place: int, row: BadRow) -> RejectedRow:
        """Answer for what is no transaction."""
        return RejectedRow(row.id, row.status, row.places)


class Lines(NamedTuple):
    """Lines of a stream with their numbers; ``None`` where one was too long to keep."""

    lines: Sequence[bytes | None]
    numbers: Sequence[int]
    classifier: Classifier
    reading: Reading = LENIENT

    def read(self) -> Sequence[Row]:
        """Read each line by itself."""
        return [_read_line(line, self.reading) for line in self.lines]

    def rejected(self, place: int, row_id: str, problems: Sequence[Problem]) -> RejectedRow:
        """Answer for a row with wrong values."""
        return RejectedRow(row_id, REJECTED, _places(problems), self.numbers[place])

    def malformed(self, place: int, row: BadRow) -> RejectedRow:
        """Answer for what is no transaction."""
        return RejectedRow(row.id, REJECTED, row.places, self.numbers[place])


Work = Single | Chunk | Lines


def is_light(work: Work) -> bool:
    """Say whether work takes less than a tenth of a millisecond or so: one transaction whose reasons nobody asks for."""
    return isinstance(work, Single) and not work.explained


def run_batch(works: Sequence[Work], classifier: Classifier) -> list[Answer | Exception]:
    """Answer each work. Singles are decided by ``classifier``, chunks and lines by their own."""
    singles = iter(answer_singles([work for work in works if isinstance(work, Single)], classifier))
    return [next(singles) if isinstance(work, Single) else _tried(answer_many, work) for work in works]


def answer_many(work: Chunk | Lines) -> Answer:
    """Give each row its answer, in order: a bad one gets its own and the others theirs."""
    rows = work.read()
    decided = iter(_decided([row for row in rows if isinstance(row, Transaction)], work.classifier))
    return answer_of([_result(work, place, row, decided) for place, row in enumerate(rows)])


def _result(work: Chunk | Lines, place: int, row: Row, decided: Iterator[Classification | list[Problem]]) -> Classification | RejectedRow:
    if isinstance(row, BadRow):
        return work.malformed(place, row)
    found = next(decided)
    return found if isinstance(found, Classification) else work.rejected(place, row.id, found)


def answer_singles(singles: Sequence[Single], classifier: Classifier) -> list[Answer | Exception]:
    """Answer each single, together where that is faster."""
    if len(singles) < FEW:
        return [_tried(answer_one, classifier, single) for single in singles]
    read = [
        _tried(answer_one, classifier, single) if single.explained else _tried(read_one, single.body, single.reading) for single in singles
    ]
    decided = iter(_decided([found for found in read if isinstance(found, Transaction)], classifier))
    return [_answered(next(decided)) if isinstance(found, Transaction) else found for found in read]


def answer_one(classifier: Classifier, single: Single) -> Answer:
    """Classify the one transaction of a body. Raises ``InvalidInput`` with a pointer to each bad value."""
    transaction = read_one(single.body, single.reading)
    try:
        found = classifier.explain(transaction) if single.explained else classifier.classify_one(transaction)
    except InvalidInput as error:
        raise _pointed(error.problems) from error
    return answer_of([found])


def _decided(transactions: Sequence[Transaction], classifier: Classifier) -> Sequence[Classification | list[Problem]]:
    """Classify as a table; a row with bad values gets them."""
    table, problems = classifier.classify_rows(table_of(list(transactions)))
    good = decisions_of(table, classifier.pack)
    if not problems:
        return good
    bad: dict[int, list[Problem]] = {}
    for problem in problems:
        bad.setdefault(problem.row, []).append(problem)
    following = iter(good)
    return [bad[row] if row in bad else next(following) for row in range(len(transactions))]


def _answered(found: Classification | list[Problem]) -> Answer | Exception:
    return answer_of([found]) if isinstance(found, Classification) else _pointed(found)


def _read_line(line: bytes | None, reading: Reading) -> Row:
    if line is None:
        return BadRow(None, (Place("#", "the line is too long"),))
    try:
        return reading.one.decode(line)  # type: ignore[no-any-return]
    except BAD_JSON as error:
        return BadRow(id_of(line), (place_of_error(error),))


def _pointed(problems: Sequence[Problem]) -> InvalidInput:
    places = _places(problems)
    return InvalidInput("; ".join(place.detail for place in places), places)


def _places(problems: Sequence[Problem]) -> tuple[Place, ...]:
    return tuple(Place(f"#/{problem.field}", f"$.{problem.field}: {problem.message}") for problem in problems)


def _tried(work: Callable[..., Value], *given: object) -> Value | Exception:
    try:
        return work(*given)
    except Exception as error:  # noqa: BLE001 - handed to whom it concerns
        return error
