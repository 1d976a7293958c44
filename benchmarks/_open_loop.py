"""Asks a route at a given rate whatever it answers (an open loop): latencies count from when a request was due, as wrk2 counts them.

A bounded set of connections takes the requests in the order in which they are due; while all are busy the next ones wait, and that waiting
is part of their latency. One process and one core, so that it has a limit of its own: ``unsent`` says where it was reached.
"""

import asyncio
import time
from collections import Counter
from typing import NamedTuple
from urllib.parse import urlsplit

PATIENCE_S = 10.0


class Asked(NamedTuple):
    """What became of the requests of one run: counts by status (0: the connection broke), and the good ones' milliseconds, sorted."""

    seconds: float
    statuses: Counter[int]
    served_ms: list[float]
    unsent: int
    """Requests that were due and that no connection was free for until the end: the client's own limit."""

    @property
    def goodput(self) -> float:
        """Good answers a second."""
        return self.statuses[200] / self.seconds

    def at(self, share: float) -> float:
        """Give the latency below which this share of the good answers lies, in ms."""
        return self.served_ms[min(len(self.served_ms) - 1, int(share * len(self.served_ms)))] if self.served_ms else float("nan")


class _Run:
    """One run: the times at which requests are due, and the connections that take them."""

    def __init__(self, url: str, body: bytes, rate: float, seconds: float) -> None:
        where = urlsplit(url)
        self._host, self._port = where.hostname or "127.0.0.1", where.port or 80
        head = (f"POST {where.path} HTTP/1.1", f"host: {where.netloc}", "content-type: application/json", f"content-length: {len(body)}")
        self._request = "\r\n".join((*head, "", "")).encode() + body
        self._count, self._rate, self._seconds = int(rate * seconds), rate, seconds
        self._next = 0
        self.statuses: Counter[int] = Counter()
        self.served: list[float] = []

    async def run(self, connections: int) -> Asked:
        """Ask with so many connections at most."""
        self._begun = time.perf_counter() + 0.2
        await asyncio.gather(*(self._connection() for _ in range(connections)))
        return Asked(self._seconds, self.statuses, sorted(self.served), self._count - sum(self.statuses.values()))

    async def _connection(self) -> None:
        reader: asyncio.StreamReader | None = None
        writer: asyncio.StreamWriter | None = None
        while (due := self._due()) is not None:
            await asyncio.sleep(due - time.perf_counter())
            try:
                if writer is None or reader is None:
                    reader, writer = await asyncio.open_connection(self._host, self._port)
                writer.write(self._request)
                status, stays = await asyncio.wait_for(_answer(reader), PATIENCE_S)
            except (OSError, EOFError, TimeoutError, ValueError):
                status, stays = 0, False
            self.statuses[status] += 1
            if status == 200:
                self.served.append((time.perf_counter() - due) * 1000)
            if not stays and writer is not None:
                writer.close()
                writer = None
        if writer is not None:
            writer.close()

    def _due(self) -> float | None:
        """Take the next request; gives when it is due, ``None`` after the last, and after the run's time is over."""
        if self._next >= self._count or time.perf_counter() > self._begun + self._seconds:
            return None
        self._next += 1
        return self._begun + (self._next - 1) / self._rate


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bool]:
    """Read one answer; gives its status, and whether the connection stays."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
    await reader.readexactly(length)
    return int(head[9:12]), b"connection: close" not in head


def ask(url: str, body: bytes, rate: float, seconds: float, connections: int) -> Asked:
    """Ask ``url`` for ``seconds`` at ``rate`` requests a second."""
    run = _Run(url, body, rate, seconds)
    try:
        import uvloop
    except ImportError:
        return asyncio.run(run.run(connections))
    return uvloop.run(run.run(connections))
