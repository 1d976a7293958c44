"""One piece from its bytes to the database: read, classified where it is to be, and loaded exactly once in one transaction."""

import asyncio
import ctypes
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import NamedTuple, TypeVar

import asyncpg
import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rayapp.data_jobs.bad_rows import bad_rows, too_many_bad
from rayapp.datasets import Dataset
from rayapp.errors import Problem, Unavailable
from rayapp.scoring.classifier import Classifier, Decided
from rayapp.scoring.output import SCHEMA
from rayapp.sources.pieces import Piece, ReadPiece, Rows
from rayapp.store.chunks import ChunkLoader, Prepared
from rayapp.store.database import connect_to_copy
from rayapp.store.ledger import Rejected
from rayapp.store.staging import Chunk
from rayapp.store.values import read_values

TRIM_EVERY = 16
"""Pieces after which freed memory is given back: the C library keeps what was left between other things, more with each million of rows
(863 MB after ten million, 594 after one)."""

TRIES = 8
FIRST_PAUSE_S = 0.2

UNDECIDED = Decided(SCHEMA.empty_table(), np.zeros(0, np.int32))

T = TypeVar("T")

Stopping = Callable[[], bool]
"""Asked between two pieces whether the load shall stop; cheap."""


class PieceLoader:
    """Loads pieces of one job over one connection, which is renewed when it breaks."""

    def __init__(self, url: str, work: "PieceWork", chunks: ChunkLoader, preparing: Executor) -> None:
        """Take what all pieces share; nothing is connected yet. Pieces are prepared on the threads of ``preparing``."""
        self._url = url
        self._preparing = preparing
        self._work = work
        self._chunks = chunks
        self._session: asyncpg.Connection | None = None
        self._borrowed: asyncpg.Connection | None = None

    def borrow(self, session: asyncpg.Connection) -> None:
        """Load over a connection of another's, who keeps it, for as long as it does not break."""
        self._session = self._borrowed = session

    async def load_all(self, pieces: Iterable[Piece], stopping: Stopping = lambda: False) -> None:
        """Load pieces that nobody else loads at the moment; the next is read and classified while PostgreSQL writes one.

        Asks between two pieces whether to stop. Raises ``Unavailable`` when the database does not come back, ``InvalidInput`` when a piece
        has more bad rows than the load may have.
        """
        ahead: asyncio.Future[Prepared] | None = None
        try:
            for piece in pieces:
                if stopping() or self._chunks.stopped:
                    return
                if not await self._tried(partial(self._chunks.reserve, number=piece.number)):
                    continue
                following = asyncio.get_running_loop().run_in_executor(self._preparing, self._prepare, piece)
                if ahead is not None:
                    ready, ahead = await ahead, following
                    await self._send(ready)
                ahead = following
            if ahead is not None and not stopping():
                await self._send(await ahead)
        finally:
            if ahead is not None and not ahead.done():
                await asyncio.wait([ahead])

    def _prepare(self, piece: Piece) -> Prepared:
        """Read, classify and encode a piece: all of the work that needs no database."""
        prepared = self._chunks.prepare(self._work.chunk(piece))
        if piece.number % TRIM_EVERY == TRIM_EVERY - 1:
            _give_back()
        return prepared

    async def _send(self, chunk: Prepared) -> None:
        """Write a prepared piece."""
        bad = bad_rows(chunk.rejected)
        if self._work.most_bad is not None and bad > self._work.most_bad:
            await self._tried(partial(self._chunks.refuse, chunk=chunk))
            raise too_many_bad(bad, chunk.rows + bad, self._work.most_bad)
        await self._tried(partial(self._chunks.load, chunk=chunk))

    async def _tried(self, does: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        """Do something with the connection, over a new one when it breaks."""
        for trial in range(TRIES):
            try:
                self._session = self._session or await connect_to_copy(self._url)
                return await does(self._session)
            except Unavailable:
                self._drop()
                if trial == TRIES - 1:
                    raise
                await asyncio.sleep(FIRST_PAUSE_S * 2**trial)
        raise AssertionError

    async def close(self) -> None:
        """Drop the connection, unless it is another's."""
        if self._session is not self._borrowed:
            self._drop()

    def _drop(self) -> None:
        if self._session is not None:
            self._session.terminate()
            self._session = None


def _give_back() -> None:
    """Give freed memory back to the system, where the C library can (glibc)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


class PieceWork(msgspec.Struct, frozen=True):
    """How a piece becomes a chunk."""

    dataset: Dataset
    classifier: Classifier | None
    """For a dataset that is classified."""
    read: ReadPiece
    most_bad: int | None = None
    """Bad rows that the load may have."""

    def chunk(self, piece: Piece) -> Chunk:
        """Read and classify a piece; what cannot be loaded is told by line, column, value and reason."""
        parts = [self._part(rows) for rows in self.read(piece)]
        if not parts:
            parts = [_Part(read_values(self.dataset, pa.table({})).table, UNDECIDED, np.zeros(0, np.int64), [])]
        places = (np.concatenate([part.places for part in parts]) - piece.first_row).astype(np.int32)
        decided = _joined([part.decided for part in parts]) if self.classifier is not None else None
        return Chunk(
            piece.number,
            pa.concat_tables([part.rows for part in parts]),
            pa.array(places),
            [bad for part in parts for bad in part.rejected],
            decided.decisions if decided else None,
            decided.places if decided else None,
        )

    def _part(self, rows: Rows) -> "_Part":
        """Read and classify the rows that were read together."""
        values = read_values(self.dataset, rows.table)
        good = _without(rows.table.num_rows, values.problems)
        problems, decided = values.problems, UNDECIDED
        if self.classifier is not None:
            decided, faults = self.classifier.decide_rows(rows.table)
            engine_good = _without(rows.table.num_rows, faults)
            decided = decided._replace(places=decided.places[good[engine_good]])
            good &= engine_good
            problems = [*faults, *problems]
        places = np.arange(rows.places.start, rows.places.stop) if isinstance(rows.places, range) else np.asarray(rows.places, np.int64)
        return _Part(_kept(values.table, good), decided, places[good], _rejected(rows, problems))


class _Part(NamedTuple):
    """What became of some rows of a piece."""

    rows: pa.Table
    decided: Decided
    places: NDArray[np.int64]
    rejected: list[Rejected]


def _joined(parts: Sequence[Decided]) -> Decided:
    """Put decisions one after the other."""
    firsts = np.cumsum([0, *(part.decisions.num_rows for part in parts)])
    places = [part.places + np.int32(first) for part, first in zip(parts, firsts, strict=False)]
    return Decided(pa.concat_tables([part.decisions for part in parts]), np.concatenate(places))


def _kept(table: pa.Table, good: NDArray[np.bool_]) -> pa.Table:
    return table if good.all() else table.filter(pa.array(good))


def _without(count: int, problems: Sequence[Problem]) -> NDArray[np.bool_]:
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
