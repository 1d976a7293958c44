"""Compare the service's batcher with Ray Serve's own, its settings retuned every second, at low and at high load.

    python -m benchmarks.batching [--seconds 4]

Both run the same engine (the default pack's classifier, JSON in and out) in a thread of one process, with requests that come at random
times (Poisson) at a share of what the engine alone can do in batches (the event loop and the makers of requests take more than half of the
core at the highest). Serve's `@serve.batch` has its setters called as its documentation
advises: the wait set to the median time of a batch, the size to what comes in that time. Each answer is compared with the engine's own.
"""

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable
from random import Random
from statistics import median, quantiles
from typing import Any

import msgspec
from ray import serve
from ray.serve.batching import _BatchQueue

from benchmarks.scale import distinct_rows
from benchmarks.throughput import circumstances
from rayapp import load_classifier
from rayapp.scoring.classifier import Classifier
from rayapp.serve.answers import Answer
from rayapp.serve.batching import Batch, Batcher
from rayapp.serve.engine import Single, is_light, run_batch
from rayapp.serve.queueing import Bounds

SHARES = (0.01, 0.1, 0.3, 0.6)
TOGETHER = 64
Load = tuple[float, float]
"""Works a second, and for how many seconds."""

Measured = tuple[list[float], float]
"""Seconds of each work, and works a batch."""

Submit = Callable[[Single], Awaitable[Answer]]


class Silent:
    """A watch that keeps the sizes of batches."""

    def __init__(self) -> None:
        """Begin with none."""
        self.rows: list[int] = []

    def batch(self, batch: Batch) -> None:
        """Keep the size."""
        self.rows.append(batch.rows)

    def expired(self, works: int, rows: int) -> None:
        """Nothing expires here."""


def main() -> None:
    """Measure, check and print."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--seconds", type=float, default=4.0)
    seconds = options.parse_args().seconds
    classifier = load_classifier()
    rows = [{name: str(value) for name, value in row.items() if value is not None} for row in distinct_rows(4_000).to_pylist()]
    works = [Single(msgspec.json.encode(row)) for row in rows]
    expected = [answer.rows[0] for answer in run_batch(works, classifier) if isinstance(answer, Answer)]
    capacity = _capacity(works, classifier)
    print(circumstances())
    print(f"The engine alone: {capacity:,.0f} rows/s in batches of {TOGETHER}.\n")
    asyncio.run(_ours(works, expected, classifier, (capacity * SHARES[1], 1.0)))
    print("| load | ours p50 / serve.batch p50 | ours p50 ms | p99 ms | rows a batch | serve.batch p50 ms | p99 ms | rows a batch |")
    print("|---|---|---|---|---|---|---|---|")
    for share in SHARES:
        rate = capacity * share
        ours = asyncio.run(_ours(works, expected, classifier, (rate, seconds)))
        theirs = asyncio.run(_theirs(works, expected, classifier, (rate, seconds)))
        ratio = median(ours[0]) / median(theirs[0])
        print(f"| {share:.0%}, {rate:,.0f}/s | {ratio:.2f} | {_shown(ours)} | {_shown(theirs)} |")


def _capacity(works: list[Single], classifier: Classifier) -> float:
    began = time.perf_counter()
    for first in range(0, len(works), TOGETHER):
        run_batch(works[first : first + TOGETHER], classifier)
    return len(works) / (time.perf_counter() - began)


async def _ours(works: list[Single], expected: list[bytes], classifier: Classifier, load: Load) -> Measured:
    watch = Silent()
    batcher: Batcher[Single, Answer] = Batcher(lambda batch: run_batch(batch, classifier), watch, light=is_light)
    times = await _load(lambda work: batcher.submit(work, Bounds(1, len(work.body))), works, expected, load)
    await batcher.stop()
    return times, sum(watch.rows) / len(watch.rows)


async def _theirs(works: list[Single], expected: list[bytes], classifier: Classifier, load: Load) -> Measured:
    _BatchQueue._warn_if_max_batch_size_exceeds_max_ongoing_requests = lambda _: None  # noqa: SLF001 - it asks for a replica's settings
    sizes: list[int] = []
    took: list[float] = []

    @serve.batch(max_batch_size=TOGETHER, batch_wait_timeout_s=0.002)
    async def together(batch: list[Single]) -> list[Any]:
        began = time.perf_counter()
        answers = await asyncio.to_thread(run_batch, batch, classifier)
        sizes.append(len(batch))
        took.append(time.perf_counter() - began)
        return answers

    async def retune() -> None:
        while True:
            await asyncio.sleep(1)
            if took:
                usual = median(took[-200:])
                together.set_batch_wait_timeout_s(usual)
                together.set_max_batch_size(max(8, min(1_000, int(load[0] * usual * 2))))

    tuning = asyncio.create_task(retune())
    times = await _load(together, works, expected, load)
    tuning.cancel()
    return times, sum(sizes) / len(sizes)


async def _load(submit: Submit, works: list[Single], expected: list[bytes], load: Load) -> list[float]:
    """Submit at random times; gives the seconds that each took, counted from when it was due."""
    rate, seconds = load
    random, tasks, times = Random(7), [], []
    due = began = time.perf_counter()

    async def one(number: int, due: float) -> None:
        answer = await submit(works[number])
        times.append(time.perf_counter() - due)
        assert answer.rows[0] == expected[number]

    while due < began + seconds:
        now = time.perf_counter()
        if due > now:
            await asyncio.sleep(due - now)
        tasks.append(asyncio.create_task(one(len(tasks) % len(works), due)))
        due += random.expovariate(rate)
    await asyncio.gather(*tasks)
    return times


def _shown(measured: Measured) -> str:
    times, size = measured
    return f"{median(times) * 1e3:.1f} | {quantiles(times, n=100)[-1] * 1e3:.1f} | {size:.1f}"


if __name__ == "__main__":
    main()
