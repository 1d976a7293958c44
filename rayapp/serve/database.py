"""PostgreSQL as a replica asks it: a few connections, a time within which it must answer, and a breaker before it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg

from rayapp.errors import Unavailable
from rayapp.serve.breaker import Breaker
from rayapp.serve.overload import Retry
from rayapp.store.database import errors_as_ours, open_pool

CONNECTIONS = 4

Value = TypeVar("Value")


class Database:
    """The database of one replica. Nothing is opened before something is asked."""

    def __init__(self, url: str) -> None:
        """Take its address."""
        self.url = url
        self.breaker = Breaker()
        self._pool: asyncpg.Pool | None = None

    async def ask(self, question: Callable[[asyncpg.Connection], Awaitable[Value]], within_s: float) -> Value:
        """Put a question; raises ``Unavailable`` when it is not answered in time, and at once while the breaker is open."""
        if not self.breaker.lets_through(time.monotonic()):
            wait = self.breaker.opens_in(time.monotonic())
            raise Unavailable("the database has not answered for a while", [Retry(wait)])
        try:
            answer = await self._asked(question, within_s)
        except Unavailable:
            self.breaker.failed(time.monotonic())
            raise
        except BaseException:
            self.breaker.succeeded()  # it has answered, or was not waited for
            raise
        self.breaker.succeeded()
        return answer

    async def close(self) -> None:
        """Close every connection."""
        if self._pool is not None:
            self._pool.terminate()

    async def _asked(self, question: Callable[[asyncpg.Connection], Awaitable[Value]], within_s: float) -> Value:
        with errors_as_ours():
            async with asyncio.timeout(within_s):
                if self._pool is None:
                    self._pool = await open_pool(self.url, CONNECTIONS)
                async with self._pool.acquire() as session:
                    return await question(session)
