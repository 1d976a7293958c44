"""One piece from its bytes to the database: read, classified where it is to be, and loaded exactly once in one transaction."""

import asyncio
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rayapp.datasets import Dataset
from rayapp.errors import Problem, Unavailable
from rayapp.scoring.classifier import Classifier
from rayapp.scoring.output import SCHEMA
from rayapp.sources.pieces import Piece, ReadPiece, Rows
from rayapp.store.chunks import ChunkLoader, Prepared
from rayapp.store.database import connect
from rayapp.store.ledger import Counts, Job, Rejected
from rayapp.store.staging import Chunk
from rayapp.store.values import read_values

TRIES = 8
FIRST_PAUSE_S = 0.2


class PieceLoader:
    """Loads pieces of one job over one connection, which is renewed when it breaks."""

    def __init__(self, url: str, chunks: ChunkLoader, classifier: Classifier | None, read: ReadPiece) -> None:
        """Take what all pieces share; nothing is connected yet."""
        self._url = url
        self._chunks = chunks
        self._classifier = classifier
        self._read = read
        self._session: Any = None

    @property
    def job(self) -> Job:
        """The job whose pieces these are."""
        return self._chunks.job

    async def load(self, piece: Piece) -> Counts | None:
        """Load a piece, ``None`` when it was loaded before. Raises ``Unavailable`` when the database does not come back."""
        return await self.send(await asyncio.to_thread(self.prepare, piece))

    def prepare(self, piece: Piece) -> Prepared:
        """Read, classify and encode a piece: all of the work that needs no database."""
        return self._chunks.prepare(chunk_of(piece, self._chunks.dataset, self._classifier, self._read))

    async def send(self, chunk: Prepared) -> Counts | None:
        """Write a prepared piece, over a new connection when one breaks."""
        for trial in range(TRIES):
            try:
                self._session = self._session or await connect(self._url)
                return await self._chunks.load(self._session, chunk)
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


def chunk_of(piece: Piece, dataset: Dataset, classifier: Classifier | None, read: ReadPiece) -> Chunk:
    """Read and classify a piece; what cannot be loaded is told by line, column, value and reason."""
    loaded: list[pa.Table] = []
    decisions: list[pa.Table] = []
    places: list[NDArray[np.int64]] = []
    rejected: list[Rejected] = []
    for rows in read(piece):
        values = read_values(dataset, rows.table)
        problems = values.problems
        good = _without(rows.table.num_rows, problems)
        if classifier is not None:
            decided, faults = classifier.classify_rows(rows.table)
            engine_good = _without(rows.table.num_rows, faults)
            decisions.append(_kept(decided, good[engine_good]))
            good &= engine_good
            problems = [*faults, *problems]
        loaded.append(_kept(values.table, good))
        places.append(np.asarray(rows.places, np.int64)[good])
        rejected += _rejected(rows, problems)
    if not loaded:
        loaded, decisions, places = [read_values(dataset, pa.table({})).table], [SCHEMA.empty_table()], [np.zeros(0, np.int64)]
    in_piece = (np.concatenate(places) - piece.first_row).astype(np.int32)
    decided_rows = pa.concat_tables(decisions) if classifier is not None else None
    return Chunk(piece.number, pa.concat_tables(loaded), pa.array(in_piece), tuple(rejected), decided_rows)


def _kept(table: pa.Table, good: NDArray[np.bool_]) -> pa.Table:
    return table if good.all() else table.filter(pa.array(good))


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
        found.setdefault((line, problem.field), Rejected(line, problem.field, shown, problem.message, rows.file))
    for unread in rows.unread:
        line = rows.line_of(unread.row)
        found[line, unread.column] = Rejected(line, unread.column, unread.value, unread.message, rows.file)
    return list(found.values())
