"""A cache that replicas share, on Redis or Valkey. It may be slow, full or away: then the answer is computed, and no client hears of it.

Questions that come while one is under way go together in the next; writing is off the request's path, in batches.
"""

import asyncio
import hashlib
import time
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from rayapp.serve.breaker import Breaker
from rayapp.serve.caches import Kept, Question

TOGETHER = 512
"""The most keys of one command."""

WITHIN_S = 0.03
"""What a question may take, all told: after that it is computed."""

WRITE_WITHIN_S = 2.0
LASTS_S = 86_400
"""How long an answer stays that nobody asks for again; the server's own limit of memory may end it sooner."""

GATHER_S = 0.02
MOST_UNWRITTEN = 10_000

FORM = b"rayapp:1:"
"""Begins every key; another form of what is kept needs another number."""

_ENCODER, _DECODER = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(Kept)


class SharedCache:
    """The connection of one replica; belongs to one event loop. Nothing is opened before something is asked."""

    def __init__(self, url: str) -> None:
        """Take the server's address."""
        self._client: Redis = Redis.from_url(url, socket_connect_timeout=WITHIN_S * 10, socket_timeout=WRITE_WITHIN_S, max_connections=8)
        self.breaker = Breaker()
        self._asked: dict[bytes, asyncio.Future[Kept | None]] = {}
        self._unwritten: dict[bytes, bytes] = {}
        self._asking: asyncio.Task[None] | None = None
        self._writing: asyncio.Task[None] | None = None

    async def get(self, question: Question) -> Kept | None:
        """Give the answer if it is kept and comes in time."""
        if self.breaker.state(time.monotonic()) == "open":
            return None
        key = key_of(question)
        future = self._asked.get(key)
        if future is None:
            future = self._asked[key] = asyncio.get_running_loop().create_future()
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask_all())
        with suppress(TimeoutError):
            return await asyncio.wait_for(asyncio.shield(future), WITHIN_S)
        return None

    def keep(self, entries: list[tuple[Question, Kept]]) -> None:
        """Write answers soon; what does not fit is dropped."""
        for question, kept in entries[: max(0, MOST_UNWRITTEN - len(self._unwritten))]:
            self._unwritten[key_of(question)] = _ENCODER.encode(kept)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())

    async def close(self) -> None:
        """Let go of the server."""
        for task in (self._asking, self._writing):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        await self._client.aclose()

    async def _ask_all(self) -> None:
        """Put what was asked until nothing is left."""
        while self._asked:
            keys = list(self._asked)[:TOGETHER]
            futures = [self._asked.pop(key) for key in keys]
            found: list[bytes | None] | None = None
            if self.breaker.lets_through(time.monotonic()):
                found = await self._tried(self._client.mget(keys), WITHIN_S)
            for future, value in zip(futures, found or [None] * len(keys), strict=True):
                if not future.done():
                    future.set_result(_read(value))

    async def _write_all(self) -> None:
        while self._unwritten:
            await asyncio.sleep(GATHER_S)
            keys = list(self._unwritten)[:TOGETHER]
            pipeline = self._client.pipeline(transaction=False)
            for key in keys:
                pipeline.set(key, self._unwritten.pop(key), ex=LASTS_S)
            if self.breaker.lets_through(time.monotonic()):
                await self._tried(pipeline.execute(), WRITE_WITHIN_S)

    async def _tried(self, call: Awaitable[Any], within_s: float) -> Any:  # noqa: ANN401 - what the server says
        """Wait for an answer; ``None`` when there is none in time."""
        try:
            async with asyncio.timeout(within_s):
                answer = await call
        except (RedisError, OSError, TimeoutError):
            self.breaker.failed(time.monotonic())
            return None
        except BaseException:
            self.breaker.succeeded()  # it was not waited for
            raise
        self.breaker.succeeded()
        return answer


def key_of(question: Question) -> bytes:
    """Give the key of a question: the pack's digest in clear, so that those of one pack can be found, and a hash of the rest."""
    rest = repr((question.digest, question.explained, *question.alike)).encode()
    return FORM + question.digest[:16].encode() + b":" + hashlib.blake2b(rest, digest_size=16).digest()


def _read(value: bytes | None) -> Kept | None:
    """Read what is kept; what is no such thing counts as nothing."""
    try:
        return None if value is None else _DECODER.decode(value)
    except msgspec.DecodeError:
        return None
