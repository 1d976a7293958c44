"""All results of a job as one file, written as it is sent: a part of them in memory at a time."""

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from rayapp.serve.job_results import PARQUET, lines_of, table_after
from rayapp.store.job_results import Part

PARTS_ROWS = 20_000
"""Rows whose parts are looked up at once."""

PartsAfter = Callable[[int, int], Awaitable[Sequence[Part]]]
"""Gives the parts that hold so many rows after a row."""


class ParquetPieces:
    """A Parquet file that comes in pieces, a row group for each table."""

    def __init__(self) -> None:
        """Begin without a schema, which the first table brings."""
        self._out = _Drained()
        self._writer: pq.ParquetWriter | None = None

    def add(self, table: pa.Table) -> bytes:
        """Write a table; gives what the file has more."""
        if self._writer is None:
            self._writer = pq.ParquetWriter(pa.PythonFile(self._out, mode="w"), table.schema, compression="zstd")
        self._writer.write_table(table)
        return self._out.drain()

    def end(self) -> bytes:
        """Write the file's end; a file without rows has a column of their numbers."""
        if self._writer is None:
            self.add(pa.table({"row": pa.array([], pa.int64())}))
        if self._writer is not None:
            self._writer.close()
        return self._out.drain()


class LinePieces:
    """JSON lines."""

    @staticmethod
    def add(table: pa.Table) -> bytes:
        """Write a table."""
        return b"".join(lines_of(table))

    @staticmethod
    def end() -> bytes:
        """Lines need no end."""
        return b""


async def file_of(folder: Path, parts_after: PartsAfter, media_type: str) -> AsyncIterator[bytes]:
    """Write all rows. Raises ``NotFound`` when a part is gone, at the first before anything is given."""
    pieces = ParquetPieces() if media_type == PARQUET else LinePieces()
    row = 0
    while parts := await parts_after(row, PARTS_ROWS):
        for part in parts:
            table = await asyncio.to_thread(table_after, folder, part, row)
            yield await asyncio.to_thread(pieces.add, table)
        row = parts[-1].last_row
    yield await asyncio.to_thread(pieces.end)


class _Drained(io.RawIOBase):
    """A file to write into, from which is taken what was written."""

    def __init__(self) -> None:
        super().__init__()
        self._written = bytearray()
        self._place = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def write(self, content: object) -> int:
        size = memoryview(content).nbytes  # type: ignore[arg-type]  # bytes or a buffer of Arrow's
        self._written += memoryview(content)  # type: ignore[arg-type]
        self._place += size
        return size

    def drain(self) -> bytes:
        found = bytes(self._written)
        self._written.clear()
        return found
