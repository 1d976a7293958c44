"""Adaptive batching: what waits is taken together the moment the engine is free, and an idle engine waits for nobody.

A batch is as large as what waits, up to the rows that the cost model says fit into the latency objective. One thread runs the engine, so
that the event loop stays free for health checks; it takes its next batch itself, without a turn of the loop between. Light work that comes
alone while the engine is idle is done on the loop, since the way to the thread and back would cost more than the work. Work whose
deadline has passed is dropped before it is computed. What fails fails alone: the engine answers each work with a result or an error of
its own.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

from rayapp.serve.cost import CostModel
from rayapp.serve.overload import Expired, QueueFull, Retry, Stopped
from rayapp.serve.queueing import Bounds, Entry, FairQueue, Taken, Tier

Work = TypeVar("Work")
Result = TypeVar("Result")

OBJECTIVE_S = 0.025
"""How long one batch may take: what comes next waits at most about so long for the engine."""

MOST = Bounds(rows=4_096, bytes=8_000_000)
"""The most of one batch, however cheap rows are."""

LEAST_ROWS = 64
"""What a batch may have whatever it costs: on a machine that is busy with something else smaller batches only make the queue longer."""

WAITING = Bounds(rows=100_000, bytes=200_000_000)
"""The most that waits in one replica."""

PATIENCE_S: dict[Tier, float] = {"priority": 1.0, "standard": 5.0, "bulk": 20.0}
"""How long what waits may take before a newcomer of a tier is sent away, who else would wait longer than the service promises."""

SWEEP_S = 0.1
"""How often expired work is looked for while something waits."""


class Batch(NamedTuple):
    """What became of a batch, for the metrics: works, rows, seconds that the first of them waited, and seconds of the engine."""

    works: int
    rows: int
    waited_s: float
    seconds: float


class Watch(Protocol):
    """Who wants to know."""

    def batch(self, batch: Batch) -> None:
        """Take note of a batch that is done."""

    def expired(self, works: int, rows: int) -> None:
        """Take note of work that was dropped."""


class Waiting(NamedTuple, Generic[Work, Result]):
    """Work with the future that its answer is put into."""

    work: Work
    answer: "asyncio.Future[Result]"


Engine = Callable[[Sequence[Work]], Sequence[Result | Exception]]
"""Gives one result or error for each work, in order."""

Light = Callable[[Work], bool]


def _never(_: object) -> bool:
    return False


class Batcher(Generic[Work, Result]):
    """Runs ``engine`` on what is submitted. Belongs to one event loop, in which all its methods are called."""

    def __init__(self, engine: Engine[Work, Result], watch: Watch, waiting: Bounds = WAITING, light: Light[Work] = _never) -> None:
        """Take the engine, and who says which work is so light that the event loop can do it when it comes alone."""
        self.at_once = False
        """Whether light work is done before ``submit`` lets the loop turn, instead of with all that the turn brings."""

        self.cost = CostModel()
        self._engine = engine
        self._watch = watch
        self._light = light
        self._idle = False
        self._starting = False
        self._queue: FairQueue[Waiting[Work, Result]] = FairQueue(waiting)
        self._free = threading.Condition()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sweep: asyncio.TimerHandle | None = None
        self._stopped = False

    async def submit(self, work: Work, size: Bounds, tier: Tier = "standard", within_s: float = 30.0) -> Result:
        """Give the engine's answer. Raises ``QueueFull`` or ``Expired``, or what the engine raised for this work."""
        loop = self._started()
        now = time.monotonic()
        waiting: Waiting[Work, Result] = Waiting(work, loop.create_future())
        entry = Entry(waiting, size, tier, (now, now + within_s))
        with self._free:
            if self._stopped:
                raise Stopped("this replica is stopping")
            self._check_wait(tier)
            self._queue.put(entry)
        if self.at_once:
            self._start()
        elif not self._starting:
            self._starting = True
            loop.call_soon(self._start)
        if self._sweep is None:
            self._sweep = loop.call_later(SWEEP_S, self._expire)
        try:
            return await waiting.answer
        except asyncio.CancelledError:
            entry.gone = True
            raise

    @property
    def rows(self) -> int:
        """Rows that wait."""
        return self._queue.rows

    @property
    def bytes(self) -> int:
        """Bytes that wait."""
        return self._queue.bytes

    def oldest(self) -> float:
        """Give the seconds that the oldest work has waited."""
        with self._free:
            return self._queue.oldest(time.monotonic())

    async def stop(self) -> None:
        """Take nothing more, finish what waits, and end the thread."""
        with self._free:
            self._stopped = True
            self._free.notify()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    def _check_wait(self, tier: Tier) -> None:
        wait_s = self.cost.row_s * self._queue.rows_before(tier)
        if wait_s > PATIENCE_S[tier]:
            raise QueueFull(f"about {wait_s:.0f} s of work wait before this", [Retry(wait_s - PATIENCE_S[tier])])

    def _started(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._thread = threading.Thread(target=self._run, name="rayapp-engine", daemon=True)
            self._thread.start()
        return self._loop

    def _start(self) -> None:
        """Begin with what has come: one light work here and now, anything else in the engine's thread."""
        self._starting = False
        with self._free:
            only = self._queue.only() if self._idle else None
            if only is None or not self._light(only.work.work):
                self._free.notify()
                return
            taken = self._queue.take(time.monotonic(), MOST)
        self._do(taken, lambda what, *words: what(*words))

    def _run(self) -> None:
        """Take batch after batch until stopped and empty; the engine's thread."""
        while (taken := self._take()) is not None:
            self._do(taken, self._tell)

    def _do(self, taken: Taken[Waiting[Work, Result]], tell: Callable[..., None]) -> None:
        """Run the engine on what was taken, and have the loop told what became of it."""
        if taken.expired:
            tell(self._drop, taken.expired)
        if taken.batch:
            began = time.monotonic()
            answers = self._answers([entry.work.work for entry in taken.batch])
            tell(self._done, taken.batch, answers, (began, time.monotonic()))

    def _take(self) -> Taken[Waiting[Work, Result]] | None:
        """Wait for work and take what fits; ``None`` when there is none and never will be."""
        with self._free:
            self._idle = True
            while not len(self._queue):
                if self._stopped:
                    return None
                self._free.wait()
            self._idle = False
            most = Bounds(max(LEAST_ROWS, min(MOST.rows, self.cost.rows_within(OBJECTIVE_S))), MOST.bytes)
            return self._queue.take(time.monotonic(), most)

    def _answers(self, works: list[Work]) -> Sequence[Result | Exception]:
        """Run the engine; where it fails as a whole each work is tried alone, so that one cannot fail its neighbours."""
        try:
            return self._engine(works)
        except Exception as error:  # noqa: BLE001 - handed to whom it concerns
            if len(works) == 1:
                return [error]
            return [self._answers([work])[0] for work in works]

    def _tell(self, what: Callable[..., None], *words: object) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(what, *words)

    def _done(self, batch: list[Entry[Waiting[Work, Result]]], answers: Sequence[Result | Exception], times: tuple[float, float]) -> None:
        began, ended = times
        for entry, answer in zip(batch, answers, strict=True):
            future = entry.work.answer
            if future.done():
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
        rows = sum(entry.rows for entry in batch)
        self.cost.learn(rows, ended - began)
        self._watch.batch(Batch(len(batch), rows, began - min(entry.arrived for entry in batch), ended - began))

    def _drop(self, expired: list[Entry[Waiting[Work, Result]]]) -> None:
        again = [Retry(self.cost.row_s * self._queue.rows)]
        for entry in expired:
            if not entry.work.answer.done():
                entry.work.answer.set_exception(Expired("the service was too busy to begin in time", again))
        self._watch.expired(len(expired), sum(entry.rows for entry in expired))

    def _expire(self) -> None:
        with self._free:
            late = self._queue.expire(time.monotonic())
            left = len(self._queue)
        if late:
            self._drop(late)
        self._sweep = self._loop.call_later(SWEEP_S, self._expire) if left and self._loop is not None else None
