"""One piece from its bytes to the database: read, classified, and loaded exactly once in one transaction."""

import asyncio
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rayapp.errors import Problem, Unavailable
from rayapp.scoring.classifier import Classifier
from rayapp.scoring.output import SCHEMA
from rayapp.sources.pieces import Piece, ReadPiece, Rows
from rayapp.store.chunks import Chunk, Counts, Job, Rejected, load_chunk
from rayapp.store.database import connect

TRIES = 8
FIRST_PAUSE_S = 0.2

LONGEST_KEY = 512
"""Bytes of an id: PostgreSQL's index takes about 2,700."""

TEXTS = ("id", "descriptor", "account_id", "user_id")

# As PostgreSQL's numeric takes it, without the exponents that make it refuse.
AMOUNT = r"^\s*[+-]?(\d{1,60}(\.\d{0,60})?|\.\d{1,60})([eE][+-]?\d{1,2})?\s*$"


class PieceLoader:
    """Loads pieces of one job over one connection, which is renewed when it breaks."""

    def __init__(self, url: str, job: Job, classifier: Classifier, read: ReadPiece) -> None:
        """Take what all pieces share; nothing is connected yet."""
        self._url = url
        self._job = job
        self._classifier = classifier
        self._read = read
        self._session: Any = None

    async def load(self, piece: Piece) -> Counts | None:
        """Load a piece, ``None`` when it was loaded before. Raises ``Unavailable`` when the database does not come back."""
        chunk = await asyncio.to_thread(chunk_of, piece, self._classifier, self._read)
        for trial in range(TRIES):
            try:
                self._session = self._session or await connect(self._url)
                return await load_chunk(self._session, self._job, chunk)
            except Unavailable:
                await self.close()
                if trial == TRIES - 1:
                    raise
                await asyncio.sleep(FIRST_PAUSE_S * 2**trial)
        raise AssertionError

    async def close(self) -> None:
        """Drop the connection."""
        if self._session is not None:
            self._session.terminate()
            self._session = None


def chunk_of(piece: Piece, classifier: Classifier, read: ReadPiece) -> Chunk:
    """Read and classify a piece; what cannot be loaded is told by line, column, value and reason."""
    transactions: list[pa.Table] = []
    decisions: list[pa.Table] = []
    places: list[NDArray[np.int64]] = []
    rejected: list[Rejected] = []
    for rows in read(piece):
        decided, problems = classifier.classify_rows(rows.table)
        engine_good = _without(rows.table.num_rows, problems)
        refused = _refusals(rows.table)
        good = _without(rows.table.num_rows, refused) & engine_good
        transactions.append(_as_text(rows.table.filter(pa.array(good))))
        decisions.append(decided.filter(pa.array(good[engine_good])))
        places.append(np.asarray(rows.places, np.int64)[good])
        rejected += _rejected(rows, [*problems, *refused])
    if not places:
        return Chunk(piece.number, _nothing(), SCHEMA.empty_table(), pa.array([], pa.int32()), tuple(rejected))
    in_piece = np.concatenate(places) - piece.first_row
    return Chunk(
        piece.number, pa.concat_tables(transactions), pa.concat_tables(decisions), pa.array(in_piece, pa.int32()), tuple(rejected)
    )


def _refusals(table: pa.Table) -> list[Problem]:
    """Name the values that the engine takes and the database does not."""
    found: list[Problem] = []
    for name in TEXTS:
        if name in table.column_names:
            found += _named(name, pc.match_substring(_text(table[name]), "\0"), "holds a NUL character")
    found += _named("id", pc.greater(pc.binary_length(_text(table["id"])), LONGEST_KEY), f"is longer than {LONGEST_KEY} bytes")
    if "amount" in table.column_names:
        amounts = _text(table["amount"])
        blank = pc.match_substring_regex(amounts, r"^\s*$")
        wrong = pc.and_(pc.invert(pc.match_substring_regex(amounts, AMOUNT)), pc.invert(blank))
        found += _named("amount", wrong, "is not a decimal number of at most 60 digits")
    return found


def _named(name: str, wrong: pa.ChunkedArray, message: str) -> list[Problem]:
    rows = np.flatnonzero(pc.fill_null(wrong, fill_value=False).to_numpy())
    return [Problem(int(row), name, message) for row in rows]


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Give a column as text for a look at it; where bytes are no UTF-8 the engine has named the row already."""
    try:
        return column.cast(pa.string())
    except pa.ArrowInvalid:
        texts = [None if value is None else value.decode("utf-8", "replace") for value in column.to_pylist()]
        return pa.chunked_array([pa.array(texts, pa.string())])


def _as_text(table: pa.Table) -> pa.Table:
    return pa.table({name: table[name].cast(pa.string()) for name in table.column_names})


def _without(count: int, problems: Any) -> NDArray[np.bool_]:  # noqa: ANN401 - any sequence of problems
    good = np.ones(count, np.bool_)
    good[[problem.row for problem in problems]] = False
    return good


def _rejected(rows: Rows, problems: list[Problem]) -> list[Rejected]:
    """Give each bad value once, with its line; the engine's reason before the database's."""
    found: dict[tuple[int, str], Rejected] = {}
    for problem in problems:
        line = rows.line_of(rows.places[problem.row])
        value = rows.table[problem.field][problem.row].as_py() if problem.field in rows.table.column_names else None
        shown = value.decode("utf-8", "replace") if isinstance(value, bytes) else None if value is None else str(value)
        found.setdefault((line, problem.field), Rejected(line, problem.field, shown, problem.message))
    for unread in rows.unread:
        line = rows.line_of(unread.row)
        found[line, unread.column] = Rejected(line, unread.column, unread.value, unread.message)
    return list(found.values())


def _nothing() -> pa.Table:
    return pa.table({"id": pa.array([], pa.string()), "descriptor": pa.array([], pa.string())})
