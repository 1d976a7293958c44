"""Where replicas tell what they count: Prometheus meets one of them, whichever stands next in line, and must be told of all.

Each replica tells the rule actor every few seconds, and the one that is asked does so at that moment too: what is given is always what the
actor holds, so that no count goes back, whoever is asked.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from ray.exceptions import RayError

from rayapp.errors import RayappError
from rayapp.rule_actor import rule_actor
from rayapp.serve.exposition import merged

TELL_S = 5.0
"""How old another replica's numbers may be."""

WITHIN_S = 1.0
"""How long others' numbers are waited for; without them a replica tells its own."""

log = logging.getLogger(__name__)


class Board:
    """The board as one replica sees it."""

    def __init__(self, replica: str, own: Callable[[], bytes]) -> None:
        """Take the replica's name and what gives its numbers."""
        self._replica = replica
        self._own = own

    async def keep_telling(self) -> None:
        """Tell the others for ever, whatever happens to the rule actor."""
        while True:
            try:
                actor = await asyncio.to_thread(rule_actor)
                await actor.report.remote(self._replica, self._own())
            except (RayError, RayappError) as error:
                log.warning("metrics.not_told", extra={"reason": str(error)})
            await asyncio.sleep(TELL_S)

    async def text(self) -> bytes:
        """Give the numbers of all replicas, each with its name."""
        own = self._own()
        told = {self._replica: own}
        with suppress(RayError, RayappError, TimeoutError):
            async with asyncio.timeout(WITHIN_S):
                actor = await asyncio.to_thread(rule_actor)
                await actor.report.remote(self._replica, own)
                told = await actor.reports.remote()
        return merged(told)
