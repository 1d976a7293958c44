"""Lines of one stream that wait for their turn: bounded in number and size, so that who brings them waits as well."""

import asyncio

from rayapp.errors import RayappError
from rayapp.serve.lines import Cut
from rayapp.serve.queueing import Bounds


class Inbox:
    """Between who reads a body and who has its lines decided."""

    def __init__(self, room: Bounds) -> None:
        """Begin empty."""
        self._room = room
        self._numbers: list[int] = []
        self._lines: list[bytes | None] = []
        self._bytes = 0
        self._error: RayappError | None = None
        self._ended = False
        self._changed = asyncio.Event()
        self._taken = asyncio.Event()

    def __len__(self) -> int:
        """Count the lines that wait."""
        return len(self._lines)

    async def put(self, cut: Cut) -> None:
        """Wait until there is room, and let lines wait; the last of them may pass the bounds."""
        while len(self._lines) >= self._room.rows or self._bytes >= self._room.bytes:
            self._taken.clear()
            await self._taken.wait()
        self._numbers.extend(cut.numbers)
        self._lines.extend(cut.lines)
        self._bytes += cut.size()
        self._changed.set()

    def end(self, error: RayappError | None = None) -> None:
        """Say that no more lines come; with an error that the body is broken from here on."""
        self._ended, self._error = True, error
        self._changed.set()

    async def take(self, most: int) -> tuple[Cut, int]:
        """Wait for a line, and give all there are, up to ``most``, with their bytes; none at the end. Raises what broke the body."""
        while not (self._lines or self._ended):
            self._changed.clear()
            await self._changed.wait()
        if self._error is not None and not self._lines:
            raise self._error
        taken = Cut(self._numbers[:most], self._lines[:most])
        del self._numbers[:most], self._lines[:most]
        size = taken.size()
        self._bytes -= size
        self._taken.set()
        return taken, size
