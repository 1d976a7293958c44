"""Lines of one stream that wait for their turn: bounded in number and size, so that who brings them waits as well."""

import asyncio
from collections import deque

from rayapp.errors import RayappError
from rayapp.serve.queueing import Bounds

Line = tuple[int, bytes | None]
"""A line with its number in the body; ``None`` where it was too long to keep."""


class Inbox:
    """Between who reads a body and who has its lines decided."""

    def __init__(self, room: Bounds) -> None:
        """Begin empty."""
        self._room = room
        self._lines: deque[Line] = deque()
        self._bytes = 0
        self._error: RayappError | None = None
        self._ended = False
        self._changed = asyncio.Event()
        self._taken = asyncio.Event()

    def __len__(self) -> int:
        """Count the lines that wait."""
        return len(self._lines)

    async def put(self, lines: list[Line]) -> None:
        """Wait until there is room, and let lines wait; the last of them may pass the bounds."""
        while len(self._lines) >= self._room.rows or self._bytes >= self._room.bytes:
            self._taken.clear()
            await self._taken.wait()
        self._lines.extend(lines)
        self._bytes += sum(len(line or b"") for _, line in lines)
        self._changed.set()

    def end(self, error: RayappError | None = None) -> None:
        """Say that no more lines come; with an error that the body is broken from here on."""
        self._ended, self._error = True, error
        self._changed.set()

    async def take(self, most: int) -> tuple[list[Line], int]:
        """Wait for a line, and give all there are, up to ``most``, with their bytes; none at the end. Raises what broke the body."""
        while not (self._lines or self._ended):
            self._changed.clear()
            await self._changed.wait()
        if self._error is not None and not self._lines:
            raise self._error
        taken = [self._lines.popleft() for _ in range(min(most, len(self._lines)))]
        size = sum(len(line or b"") for _, line in taken)
        self._bytes -= size
        self._taken.set()
        return taken, size
