"""A bulk request that the client would rather have answered later (``Prefer: respond-async``, RFC 7240): its rows become a job's.

The rows go to storage as they come, so that a request may be as large as an upload. Ids are looked up as they come, thousands in one query.
"""

import hashlib
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Sequence
from typing import NamedTuple

import msgspec
from starlette.requests import Request

from rayapp.scoring.transaction import Transaction
from rayapp.serve.bodies import JSON_TYPES, BadRow, Row, check_media_type
from rayapp.serve.listed_rows import IDS, ListCutter
from rayapp.serve.uploads import Content, Store, pieces_of

PREFERENCE = "respond-async"
APPLIED = {"Preference-Applied": PREFERENCE, "Vary": "Prefer"}
FED_BYTES = 1 << 16
"""Pieces of a body are put together to at least this, so that a row is not looked at again for each of its bytes."""

FETCHED_IDS = 5_000
"""Ids that are looked up in one query."""

Fetch = Callable[[Sequence[str]], Awaitable[Sequence[Row]]]


class _Told(msgspec.Struct):
    id: str


def wants_it_later(request: Request) -> bool:
    """Say whether a request prefers an answer later."""
    said = ",".join(request.headers.getlist("prefer"))
    return any(word.partition(";")[0].strip().lower() == PREFERENCE for word in said.split(","))


class _Tally(NamedTuple):
    """What went by: the hash of the body as it came, and the rows."""

    sent: "hashlib._Hash"
    rows: list[int]


async def keep_rows(request: Request, store: Store, fetch: Fetch) -> Content:
    """Store the rows of a bulk body one a line; raises what any body is refused with."""
    check_media_type(dict(request.headers.raw), JSON_TYPES)
    tally = _Tally(hashlib.sha256(), [0])
    kept = await store.keep(_lines(pieces_of(request), fetch, tally), "rows.ndjson")
    return Content(str(kept.path), tally.sent.hexdigest(), tally.rows[0], inline=True)


async def _lines(pieces: AsyncIterable[bytes], fetch: Fetch, tally: _Tally) -> AsyncIterator[bytes]:
    cutter = ListCutter()
    async for piece in _larger(pieces):
        tally.sent.update(piece)
        yield await _written(list(cutter.feed(piece)), fetch, tally)
    yield await _written(list(cutter.end()), fetch, tally)


async def _written(found: Sequence[tuple[str, str]], fetch: Fetch, tally: _Tally) -> bytes:
    tally.rows[0] += len(found)
    ids = [msgspec.json.decode(row, type=str) for field, row in found if field == IDS]
    given = [row.replace("\n", " ").replace("\r", " ").encode() for field, row in found if field != IDS]
    for first in range(0, len(ids), FETCHED_IDS):
        given += [_line(row) for row in await fetch(ids[first : first + FETCHED_IDS])]
    return b"".join(line + b"\n" for line in given)


def _line(row: Row) -> bytes:
    """Write a stored row; of one that is not there the id alone, which is answered as a row without a descriptor."""
    if isinstance(row, Transaction):
        return msgspec.json.encode(row)
    assert isinstance(row, BadRow)  # noqa: S101 - the other of two
    return msgspec.json.encode(_Told(row.id or ""))


async def _larger(pieces: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Put small pieces together."""
    waiting = bytearray()
    async for piece in pieces:
        waiting += piece
        if len(waiting) >= FED_BYTES:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting)
