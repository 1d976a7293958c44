"""Who waits for the engine and who is next: a bounded queue, fair by weight between tiers, first come first served within one.

Pure: the time is an argument, so that tests run it under a simulated clock. Fairness is self-clocked fair queueing (Golestani, 1994): an
entry's tag is the later of its tier's last tag and the queue's virtual time, plus its rows over the tier's weight; the least tag is next.
While tiers wait, each gets rows in proportion to its weight, within one entry; a tier that comes late gets nothing for the time before.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Generic, Literal, NamedTuple, TypeVar, get_args

from rayapp.serve.overload import QueueFull

Work = TypeVar("Work")
Tier = Literal["priority", "standard", "bulk"]
TIERS: tuple[Tier, ...] = get_args(Tier)
WEIGHTS: Mapping[Tier, int] = {"priority": 16, "standard": 4, "bulk": 1}


class Bounds(NamedTuple):
    """The most that may wait, or be taken at once: rows and bytes of request bodies."""

    rows: int
    bytes: int


class Entry(Generic[Work]):
    """Work that waits: its size, its client's tier, when it came and when it is of no use any more (seconds of the queue's clock)."""

    __slots__ = ("arrived", "bytes", "deadline", "gone", "rows", "tag", "tier", "work")

    def __init__(self, work: Work, size: Bounds, tier: Tier, times: tuple[float, float]) -> None:
        """Describe work of this size that came and ends at these times."""
        self.work = work
        self.rows, self.bytes = size
        self.tier = tier
        self.arrived, self.deadline = times
        self.tag = 0.0
        self.gone = False


class Taken(NamedTuple, Generic[Work]):
    """What left the queue: a batch in the order of its turns, and what had expired before its turn came."""

    batch: list[Entry[Work]]
    expired: list[Entry[Work]]


class FairQueue(Generic[Work]):
    """The queue. Not for several threads at once."""

    def __init__(self, bounds: Bounds, weights: Mapping[Tier, int] = WEIGHTS) -> None:
        """Begin empty."""
        self.bounds = bounds
        self.rows = 0
        self.bytes = 0
        self._weights = weights
        self._lines: dict[Tier, deque[Entry[Work]]] = {tier: deque() for tier in weights}
        self._last_tag = dict.fromkeys(weights, 0.0)
        self._virtual = 0.0
        self._rows_of = dict.fromkeys(weights, 0)

    def __len__(self) -> int:
        """Count the entries that wait."""
        return sum(map(len, self._lines.values()))

    def put(self, entry: Entry[Work]) -> None:
        """Let an entry wait; raises ``QueueFull`` where it would pass the bounds. An empty queue takes an entry of any size."""
        if self.rows and (self.rows + entry.rows > self.bounds.rows or self.bytes + entry.bytes > self.bounds.bytes):
            raise QueueFull(f"{self.rows:,} rows wait already: try again later")
        entry.tag = self._last_tag[entry.tier] = max(self._virtual, self._last_tag[entry.tier]) + entry.rows / self._weights[entry.tier]
        self._lines[entry.tier].append(entry)
        self._count(entry, 1)

    def take(self, now: float, most: Bounds) -> Taken[Work]:
        """Take the entries whose turn it is while they fit into ``most``, the first in any case; pass over what has expired or is gone."""
        taken: Taken[Work] = Taken([], [])
        rows = size = 0
        while (line := self._next()) is not None:
            entry = line[0]
            if entry.deadline <= now:
                taken.expired.append(self._leave(line))
            elif entry.gone:
                self._leave(line)
            elif taken.batch and (rows + entry.rows > most.rows or size + entry.bytes > most.bytes):
                break
            else:
                self._virtual = entry.tag
                taken.batch.append(self._leave(line))
                rows, size = rows + entry.rows, size + entry.bytes
        return taken

    def expire(self, now: float) -> list[Entry[Work]]:
        """Take out everything that has expired, wherever it stands."""
        late = [entry for entry in self._entries() if entry.deadline <= now]
        if late:
            for tier, line in self._lines.items():
                self._lines[tier] = deque(entry for entry in line if entry.deadline > now)
            for entry in late:
                self._count(entry, -1)
        return late

    def only(self) -> Entry[Work] | None:
        """Give the entry that waits, if it is the only one."""
        return next(iter(self._entries())) if len(self) == 1 else None

    def oldest(self, now: float) -> float:
        """Give the seconds that the entry which came first has waited; 0 when nothing waits."""
        return max((now - line[0].arrived for line in self._lines.values() if line), default=0.0)

    def rows_before(self, tier: Tier) -> float:
        """Give the rows that a newcomer of a tier would wait for: its tier's, and of each other's what their weights let in between."""
        own = self._rows_of[tier] + 1
        others = (min(rows, own * self._weights[other] / self._weights[tier]) for other, rows in self._rows_of.items() if other != tier)
        return own - 1 + sum(others)

    def _next(self) -> deque[Entry[Work]] | None:
        """Give the line whose first entry has its turn."""
        return min((line for line in self._lines.values() if line), key=lambda line: line[0].tag, default=None)

    def _leave(self, line: deque[Entry[Work]]) -> Entry[Work]:
        entry = line.popleft()
        self._count(entry, -1)
        return entry

    def _count(self, entry: Entry[Work], sign: int) -> None:
        self.rows += sign * entry.rows
        self.bytes += sign * entry.bytes
        self._rows_of[entry.tier] += sign * entry.rows

    def _entries(self) -> Iterable[Entry[Work]]:
        return (entry for line in self._lines.values() for entry in line)
