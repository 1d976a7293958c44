"""Answers that are given again: what was asked under a key is done once, and its answer kept in the transaction that did it."""

from collections.abc import Awaitable, Callable

import asyncpg
import msgspec

from rayapp.errors import InvalidInput
from rayapp.store.database import errors_as_ours
from rayapp.store.statements import statements

SQL = statements("given_answers")
KEPT_H = 7 * 24
"""Hours that an answer is kept."""


class Asked(msgspec.Struct, frozen=True):
    """Who asked under which key, and the SHA-256 of what."""

    client: str
    key: str
    fingerprint: bytes


class Given(msgspec.Struct, frozen=True):
    """An answer: its status, where what was made is, and its body. ``again`` where it is an earlier request's."""

    status: int
    location: str
    body: bytes
    again: bool = False


class KeyInUse(InvalidInput):
    """A request with the same key is being answered at the moment."""


class KeyOfAnother(InvalidInput):
    """The key was sent with another request before."""


async def answer_once(session: asyncpg.Connection, asked: Asked | None, work: Callable[[], Awaitable[Given]]) -> Given:
    """Do work in one transaction, unless it was done for the same key, whose answer is given then. Without a key it is done in any case.

    Raises ``KeyInUse`` while another does it, ``KeyOfAnother`` where the key means something else.
    """
    with errors_as_ours():
        async with session.transaction():
            if asked is None:
                return await work()
            return await _answered(session, asked, work)


async def _answered(session: asyncpg.Connection, asked: Asked, work: Callable[[], Awaitable[Given]]) -> Given:
    if not await session.fetchval(SQL["lock"], asked.client, asked.key):
        raise KeyInUse(f"a request with the Idempotency-Key {asked.key!r} is being answered: ask again soon")
    await session.execute(SQL["forget"], KEPT_H)
    row = await session.fetchrow(SQL["given"], asked.client, asked.key)
    if row is None:
        given = await work()
        await session.execute(SQL["keep"], asked.client, asked.key, asked.fingerprint, given.status, given.location, given.body)
        return given
    if bytes(row["fingerprint"]) != asked.fingerprint:
        raise KeyOfAnother(f"the Idempotency-Key {asked.key!r} was sent with another request before")
    return Given(row["status"], row["location"], bytes(row["body"]), again=True)
