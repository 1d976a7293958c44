"""Uploads: a body becomes a file as it comes, in bounded memory, under the name of its content, and is there as a whole or not at all."""

import asyncio
import hashlib
import os
import re
import uuid
from collections.abc import AsyncIterable
from pathlib import Path
from typing import IO, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from starlette.requests import ClientDisconnect, Request

from rayapp.errors import Unavailable
from rayapp.serve.encodings import unpacker
from rayapp.serve.pace import paced
from rayapp.serve.problems import BodyTooLarge, MalformedBody

WRITTEN_AT_ONCE = 1 << 20
PARQUET = b"PAR1"
PACKED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK")
"""How gzip, Zstandard and zip begin."""

ENDING = re.compile(r"\.[A-Za-z0-9]{1,8}$")


class Upload(NamedTuple):
    """A file that is complete; ``digest`` is the SHA-256 of its bytes in hex, ``line_ends`` what is counted by the way."""

    path: Path
    digest: str
    bytes: int
    line_ends: int = 0


class Content(NamedTuple):
    """What a job is to work on: its address as workers read it, the digest of what the client sent, and its rows where they are known.

    ``inline`` rows are lines of JSON that are read as ``/classify`` reads them, with nothing inferred.
    """

    source: str
    sent: str = ""
    rows: int | None = None
    inline: bool = False


class Store:
    """The directory of uploads."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        """Take where files go and the most that each may have."""
        self._folder = folder
        self.most_bytes = most_bytes

    async def keep(self, pieces: AsyncIterable[bytes], name: str = "") -> Upload:
        """Store a body. ``name`` is the client's own and gives the ending alone.

        Raises ``BodyTooLarge`` as soon as it is, ``MalformedBody`` when the client goes, ``Unavailable`` when the disk does not take it.
        """
        partial = self._folder / f".{uuid.uuid4().hex}"
        try:
            file = await asyncio.to_thread(self._opened, partial)
            try:
                written = await self._written(pieces, file)
            finally:
                await asyncio.to_thread(file.close)
            path = self._folder / f"{written.digest}{ending_of(name)}"
            await asyncio.to_thread(partial.replace, path)
        except OSError as error:
            raise Unavailable(f"the upload cannot be stored: {error.strerror}") from error
        finally:
            partial.unlink(missing_ok=True)
        return written._replace(path=path)

    def check_announced(self, length: str) -> None:
        """Refuse a body that says of itself that it is too large, before any of it is read: raises ``BodyTooLarge``."""
        if length.isdecimal() and int(length[:20]) > self.most_bytes:
            raise self._too_large()

    def _too_large(self) -> BodyTooLarge:
        return BodyTooLarge(f"an upload may have {self.most_bytes:,} bytes: send it in parts, or name its address as `source`")

    def _opened(self, path: Path) -> IO[bytes]:
        self._folder.mkdir(parents=True, exist_ok=True)
        return path.open("wb")

    async def _written(self, pieces: AsyncIterable[bytes], file: IO[bytes]) -> Upload:
        digest, size, line_ends = hashlib.sha256(), 0, 0
        buffer = bytearray()

        def flush(*, end: bool = False) -> None:
            nonlocal line_ends
            file.write(buffer)
            line_ends += buffer.count(b"\n")
            digest.update(buffer)
            if end:
                file.flush()
                os.fsync(file.fileno())

        async for piece in pieces:
            size += len(piece)
            if size > self.most_bytes:
                raise self._too_large()
            buffer += piece
            if len(buffer) >= WRITTEN_AT_ONCE:
                await asyncio.to_thread(flush)
                buffer.clear()
        await asyncio.to_thread(flush, end=True)
        return Upload(Path(file.name), digest.hexdigest(), size, line_ends)


def rows_in(upload: Upload) -> int | None:
    """Say about how many rows a file has: lines, or what Parquet says of itself; ``None`` for what is packed."""
    with upload.path.open("rb") as file:
        begin = file.read(len(PARQUET))
    if begin.startswith(PACKED):
        return None
    if begin != PARQUET:
        return upload.line_ends
    try:
        return int(pq.read_metadata(upload.path).num_rows)
    except (OSError, pa.ArrowException):
        return None


async def pieces_of(request: Request) -> AsyncIterable[bytes]:
    """Give a request's body as it comes, unpacked; raises ``MalformedBody`` where the client goes, ``SlowBody`` where it is too slow."""
    unpacked = unpacker(dict(request.headers.raw).get(b"content-encoding", b""))
    try:
        async for piece in paced(request.stream()):
            for plain in unpacked.feed(piece):
                yield plain
    except ClientDisconnect as error:
        raise MalformedBody("the body breaks off: its end is missing") from error
    unpacked.end()


def ending_of(name: str) -> str:
    """Give the ending of a file's name, in lower case, where it is a plain one."""
    found = ENDING.search(name)
    return found.group().lower() if found else ""
