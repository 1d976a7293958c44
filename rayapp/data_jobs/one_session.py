"""One connection for all that a load asks before and after its pieces, and for the pieces of a small one: a new one costs some 100 rows."""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self, TypeVar

import asyncpg

from rayapp.errors import Unavailable
from rayapp.store.database import connect_to_copy

T = TypeVar("T")


class OneSession:
    """A context for a thread without an event loop. The connection is opened when something is asked, and again when it broke meanwhile."""

    def __init__(self, url: str) -> None:
        """Name the database."""
        self._url = url
        self._runner = asyncio.Runner()
        self._session: asyncpg.Connection | None = None

    def __enter__(self) -> Self:
        """Begin."""
        self._runner.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close the connection."""
        if self._session is not None:
            self._session.terminate()
        self._runner.__exit__(kind, error, trace)

    def ask(self, question: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        """Ask; the question may be asked twice, where a connection that was kept turns out to be broken."""
        return self._runner.run(self._asked(question))

    async def _asked(self, question: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        kept, self._session = self._session, None
        if kept is not None and kept.is_closed():
            kept = None
        session = kept or await connect_to_copy(self._url)
        try:
            answer = await question(session)
        except BaseException as error:
            broke = kept is not None and session.is_closed() and isinstance(error, Unavailable)
            session.terminate()
            if not broke:
                raise
            return await self._asked(question)
        self._session = session
        return answer
