"""How slowly a body may come: who sends next to nothing would hold a request, and a file half written, for as long as they like.

Only the time for which the client is waited for counts, so a slow disk or a full queue here is nobody's fault but ours.
"""

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator

from rayapp.serve.problems import SlowBody

SILENCE_S = 30.0
"""The longest wait for the next piece."""

GRACE_S = 30.0
LEAST_BYTES_PER_S = 10_000
"""After the grace a body must have come at this rate, from its first byte on."""


class Pace:
    """Of one body. Pure: times are arguments."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._bytes = 0
        self._waited_s = 0.0

    def came(self, size: int, waited_s: float) -> None:
        """Note a piece and how long it was waited for."""
        self._bytes += size
        self._waited_s += waited_s

    def patience(self) -> float:
        """Give the seconds that the next piece may take; none are left to who is too slow."""
        return max(0.0, min(SILENCE_S, GRACE_S + self._bytes / LEAST_BYTES_PER_S - self._waited_s))


async def paced(pieces: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Pass pieces on; raises ``SlowBody`` when they come too slowly."""
    pace, following = Pace(), aiter(pieces)
    while True:
        began = time.monotonic()
        try:
            async with asyncio.timeout(pace.patience()):
                piece = await anext(following)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            said = f"nothing came for {SILENCE_S:.0f} s, or less than {LEAST_BYTES_PER_S:,} bytes a second"
            raise SlowBody(f"the body did not arrive in time: {said}") from error
        pace.came(len(piece), time.monotonic() - began)
        yield piece
