"""A key's requests at a time, of which each replica holds a part: slots leased from PostgreSQL, so that the limit holds over all of them.

Pure: the time is an argument. A request takes a slot that its replica holds and nobody uses; only where there is none is PostgreSQL asked.
What a replica holds idle it gives up when another one lacks it, so a client that may have one request at a time is answered wherever they
come. What it holds at its death is free again after ``LEASE_S``. While PostgreSQL cannot be asked each replica allows its share.
"""

import math

from rayapp.store.key_slots import LEASE_S

MARGIN_S = 0.5
"""By how much a replica gives up a lease before PostgreSQL does."""

IDLE_S = 5.0
"""How long slots are kept that nobody uses."""

ALONE_S = 1.0
"""After so long PostgreSQL is asked again that could not be."""

AHEAD = 8
"""One in so many of all slots is leased beyond what is needed."""


class LeasedSlots:
    """One key's slots as one replica sees them."""

    def __init__(self, most: int) -> None:
        """Begin with none of ``most``."""
        self.most = most
        self.active = 0
        self.held = 0
        self.granted = 0
        """What PostgreSQL believes to be held: what is given up is to be told."""
        self._wanted = False
        self._good_until = -math.inf
        self._used_at = -math.inf
        self._closed_at = -math.inf

    def enter(self, now: float) -> bool:
        """Take a slot if one is free."""
        if self.active >= self.held or now >= self._good_until:
            return False
        self.active += 1
        self._used_at = now
        return True

    def leave(self, now: float) -> None:
        """Free a slot, and give it up where another replica lacks one."""
        self.active -= 1
        self._used_at = now
        if self._wanted:
            self._wanted = False
            self.held = max(0, self.held - 1)

    def need(self, replicas: int) -> tuple[int, int]:
        """Give how many slots are to be held for one more request, and how many at best: a fair share, or some ahead."""
        need = self.active + 1
        return need, min(self.most, max(need + self.most // AHEAD, self.held, self.most // replicas))

    def leased(self, held: int, asked_at: float) -> None:
        """Take in what a lease that was asked for at a time has given."""
        self.held = self.granted = held
        self._good_until = asked_at + LEASE_S - MARGIN_S

    def kept(self, asked_at: float) -> None:
        """Take in that the lease was prolonged."""
        self._good_until = max(self._good_until, asked_at + LEASE_S - MARGIN_S)

    def lost(self) -> None:
        """Take in that the slots are others' now."""
        self.held = self.granted = 0

    def alone(self, replicas: int, now: float) -> None:
        """Allow this replica's share, and one in any case, while PostgreSQL cannot be asked."""
        self.held, self._good_until = max(1, self.most // replicas), now + ALONE_S

    def close(self, now: float) -> None:
        """Note that all slots everywhere are in use."""
        self._closed_at = now

    def closed(self, since: float) -> bool:
        """Say whether that was found since a time: who has waited for it since then need not ask again."""
        return self._closed_at >= since

    def asked_back(self) -> None:
        """Give up half of what is idle, all of little, since another replica lacks slots; where none is, the next that is free."""
        idle = max(0, self.held - self.active)
        self.held -= (idle + 1) // 2
        self._wanted = idle == 0 and self.held > 0

    def rest(self, now: float) -> None:
        """Give up what nobody has used for a while."""
        if self.active == 0 and now - self._used_at >= IDLE_S:
            self.held = 0

    def given_up(self) -> bool:
        """Say whether PostgreSQL believes more to be held than is."""
        return self.held < self.granted
