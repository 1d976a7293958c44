"""Token buckets metered in rows, of which each replica holds a part: what it has leased from the one bucket that they all share.

Pure: the time is an argument. A replica leases a block at a time, so that most requests cost no round trip; what it leased and did not use
for a while it gives back. While the shared bucket cannot be asked a replica fills its own part at its share of the rate.
"""

import math
from typing import NamedTuple

from rayapp.store.api_keys import Allowance, Lease

BLOCK_S = 0.5
"""A block is what the rate gives in this time."""

IDLE_S = 5.0
"""How long leased rows are kept unused."""

PATIENCE_S = 1.0
"""The longest that an empty shared bucket is not asked again."""

LEAST_WAIT_S = 0.001


class Standing(NamedTuple):
    """What is told of a bucket: rows left as far as this replica knows, and seconds until it is full."""

    left: int
    full_in_s: int


class LeasedBucket:
    """One client's bucket as one replica sees it."""

    def __init__(self, allowance: Allowance) -> None:
        """Begin with nothing leased."""
        self.allowance = allowance
        self.tokens = 0.0
        self._shared = allowance.burst_rows
        self._used_at = -math.inf
        self._closed_until = -math.inf
        self._closed_for = 0
        self._filled_at: float | None = None

    def take(self, rows: int, now: float) -> bool:
        """Spend rows that were leased, if there are as many."""
        if self.tokens < rows:
            return False
        self.tokens -= rows
        self._used_at = now
        return True

    def closed(self, rows: int, now: float) -> float:
        """Give the seconds for which it is of no use to ask the shared bucket for so many rows: it has just refused as many."""
        return max(0.0, self._closed_until - now) if rows >= self._closed_for else 0.0

    def need(self, rows: int) -> tuple[float, float]:
        """Give how many rows are to be leased at least, and at best."""
        return rows - self.tokens, rows - self.tokens + self.block

    @property
    def block(self) -> float:
        """Rows that are leased ahead: less for who has little, nothing for who could not spend it within the time."""
        return math.floor(min(self.allowance.rows_per_s * BLOCK_S, self.allowance.burst_rows / 4))

    def leased(self, rows: int, lease: Lease, now: float) -> float:
        """Take in a lease for ``rows`` and spend them; gives the seconds until there will be as many, 0 when there were."""
        self._shared = lease.left
        self._filled_at = None
        self.tokens += lease.granted
        if self.take(rows, now):
            return 0.0
        missing = min(rows - self.tokens, self.allowance.burst_rows) - lease.left
        wait = max(LEAST_WAIT_S, missing / self.allowance.rows_per_s)
        self._closed_until, self._closed_for = now + min(wait, PATIENCE_S), rows
        return wait

    def take_alone(self, rows: int, replicas: int, now: float) -> float:
        """Spend rows of this replica's share, for when the shared bucket cannot be asked; gives the seconds to wait as ``leased`` does.

        As in the shared bucket, more rows than the share can hold wait for a full one and leave a debt.
        """
        rate, most = self.allowance.rows_per_s / replicas, self.allowance.burst_rows / replicas
        since = now - self._filled_at if self._filled_at is not None else BLOCK_S
        self.tokens = min(max(most, self.tokens), self.tokens + rate * since)
        self._filled_at = now
        missing = min(rows, most) - self.tokens
        if missing > 0:
            return max(LEAST_WAIT_S, missing / rate)
        self.tokens -= rows
        self._used_at = now
        return 0.0

    def debited(self, left: float) -> None:
        """Take note that rows left the shared bucket by another way."""
        self._shared = left

    def surplus(self, now: float) -> float:
        """Give the rows that nobody used for a while, which are to go back; they are no longer here."""
        if self.tokens < 1 or now - self._used_at < IDLE_S:
            return 0.0
        back, self.tokens = self.tokens, 0.0
        self._shared += back
        return back

    def standing(self) -> Standing:
        """Say what is left."""
        left = max(0.0, self.tokens + self._shared)
        return Standing(int(left), math.ceil(max(0.0, self.allowance.burst_rows - left) / self.allowance.rows_per_s))
