"""The batcher with an engine that the test holds and lets go: who is taken together, who fails, who expires, who is told."""

import asyncio
import threading

import pytest

from rayapp.serve.batching import Batcher
from rayapp.serve.overload import Expired, QueueFull, Stopped
from rayapp.serve.queueing import Bounds

ONE = Bounds(1, 10)


class Held:
    """An engine that waits for the test's word before each batch, and notes what it was given."""

    def __init__(self):
        self.batches = []
        self.begun = threading.Semaphore(0)
        self.go = threading.Semaphore(0)

    def __call__(self, works):
        self.batches.append(list(works))
        self.begun.release()
        self.go.acquire()
        return [ValueError(work) if work == "bad" else f"answer to {work}" for work in works]


class Noted:
    """A watch that keeps what it is told."""

    def __init__(self):
        self.batches, self.dropped = [], 0

    def batch(self, batch):
        self.batches.append(batch)

    def expired(self, works, rows):  # noqa: ARG002 - told both
        self.dropped += works


def in_loop(test):
    """Run a test's coroutine with a held engine; it is let go at the end, so that the batcher can stop."""

    async def run():
        engine, watch = Held(), Noted()
        batcher = Batcher(engine, watch, Bounds(8, 1_000))
        try:
            await test(batcher, engine, watch)
        finally:
            for _ in range(100):
                engine.go.release()
            await batcher.stop()

    asyncio.run(run())


async def first_in_work(batcher, engine):
    """Have the engine busy with one work."""
    task = asyncio.create_task(batcher.submit("first", ONE))
    await asyncio.to_thread(engine.begun.acquire)
    return task


async def submitted(batcher, *works, **more):
    tasks = [asyncio.create_task(batcher.submit(work, ONE, **more)) for work in works]
    await asyncio.sleep(0)
    return tasks


def test_an_idle_engine_waits_for_nobody_and_what_waits_meanwhile_is_taken_together():
    async def test(batcher, engine, watch):
        first = await first_in_work(batcher, engine)
        others = await submitted(batcher, "a", "b", "c")
        engine.go.release()
        engine.go.release()
        assert await asyncio.gather(first, *others) == [f"answer to {work}" for work in ("first", "a", "b", "c")]
        assert engine.batches == [["first"], ["a", "b", "c"]]
        assert [(batch.works, batch.rows) for batch in watch.batches] == [(1, 1), (3, 3)]

    in_loop(test)


def where_done(works, light=lambda _: True, *, at_once=False):
    """Submit works in one turn of the loop to an idle engine; gives the batches, with the thread that did each."""

    async def run():
        done = []

        def engine(works):
            done.append((threading.current_thread().name, works))
            return [ValueError(work) if work == "bad" else work for work in works]

        watch = Noted()
        batcher = Batcher(engine, watch, light=light)
        await batcher.submit("warm", ONE)
        while not batcher._idle:  # noqa: ASYNC110 - the thread tells nobody
            await asyncio.sleep(0.001)
        done.clear()
        batcher.at_once = at_once
        await asyncio.gather(*(batcher.submit(work, ONE) for work in works), return_exceptions=True)
        await batcher.stop()
        assert sum(batch.works for batch in watch.batches) == 1 + len(works)
        return [("loop" if name == "MainThread" else "engine", works) for name, works in done]

    return asyncio.run(run())


def test_light_work_that_comes_alone_to_an_idle_engine_is_done_at_once():
    assert where_done(["a"]) == [("loop", ["a"])]
    assert where_done(["bad"]) == [("loop", ["bad"])]


def test_works_of_one_turn_are_done_together_in_the_thread():
    assert where_done(["a", "b", "c"]) == [("engine", ["a", "b", "c"])]


def test_heavy_work_is_never_done_on_the_loop():
    assert where_done(["a"], light=lambda _: False) == [("engine", ["a"])]
    assert where_done(["a"], light=lambda _: False, at_once=True) == [("engine", ["a"])]


def test_light_work_is_done_before_the_loop_turns_where_a_turn_is_dear():
    assert where_done(["a", "bad"], at_once=True) == [("loop", ["a"]), ("loop", ["bad"])]

    async def submitted_without_a_turn():
        batcher = Batcher(lambda works: works, Noted(), light=lambda _: True)
        await batcher.submit("warm", ONE)
        while not batcher._idle:  # noqa: ASYNC110 - the thread tells nobody
            await asyncio.sleep(0.001)
        batcher.at_once = True
        with pytest.raises(StopIteration) as ended:
            batcher.submit("a", ONE).send(None)
        await batcher.stop()
        return ended.value.value

    assert asyncio.run(submitted_without_a_turn()) == "a"


def test_light_work_waits_for_a_busy_engine():
    async def test(batcher, engine, _watch):
        batcher._light = lambda _: True
        first = await submitted(batcher, "x", "y")
        await asyncio.to_thread(engine.begun.acquire)
        (late,) = await submitted(batcher, "late")
        await asyncio.sleep(0.01)
        assert engine.batches == [["x", "y"]]
        engine.go.release()
        engine.go.release()
        assert await asyncio.gather(*first, late) == [f"answer to {work}" for work in ("x", "y", "late")]
        assert engine.batches == [["x", "y"], ["late"]]

    in_loop(test)


def test_however_dear_rows_have_become_some_are_taken_together():
    async def test(batcher, engine, _watch):
        for _ in range(100):
            batcher.cost.learn(1, 0.05)
        assert batcher.cost.rows_within(0.025) == 1
        first = await first_in_work(batcher, engine)
        others = await submitted(batcher, *range(8))
        engine.go.release()
        engine.go.release()
        await asyncio.gather(first, *others)
        assert engine.batches == [["first"], list(range(8))]

    in_loop(test)


def test_what_fails_fails_alone():
    async def test(batcher, engine, _watch):
        first = await first_in_work(batcher, engine)
        others = await submitted(batcher, "a", "bad", "c")
        engine.go.release()
        engine.go.release()
        answers = await asyncio.gather(first, *others, return_exceptions=True)
        assert answers[1] == "answer to a"
        assert isinstance(answers[2], ValueError)
        assert answers[3] == "answer to c"

    in_loop(test)


def test_an_engine_that_fails_as_a_whole_is_asked_again_for_each_work():
    def engine(works):
        if "poison" in works:
            raise RuntimeError("whole batch")
        return [f"answer to {work}" for work in works]

    async def run():
        batcher = Batcher(engine, Noted())
        answers = await asyncio.gather(*(batcher.submit(work, ONE) for work in ("a", "poison", "b")), return_exceptions=True)
        await batcher.stop()
        return answers

    answers = asyncio.run(run())
    assert (answers[0], answers[2]) == ("answer to a", "answer to b")
    assert isinstance(answers[1], RuntimeError)


def test_expired_work_is_refused_while_the_engine_is_still_busy_and_never_computed():
    async def test(batcher, engine, watch):
        first = await first_in_work(batcher, engine)
        (late,) = await submitted(batcher, "late", within_s=0.01)
        with pytest.raises(Expired):
            await late
        assert watch.dropped == 1
        engine.go.release()
        await first
        assert engine.batches == [["first"]]

    in_loop(test)


def test_a_caller_who_goes_away_frees_its_place_and_costs_nothing():
    async def test(batcher, engine, _watch):
        first = await first_in_work(batcher, engine)
        gone, stays = await submitted(batcher, "gone", "stays")
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        engine.go.release()
        engine.go.release()
        assert await asyncio.gather(first, stays)
        assert engine.batches == [["first"], ["stays"]]
        assert batcher.rows == 0

    in_loop(test)


def test_more_than_can_wait_is_refused_at_once():
    async def test(batcher, engine, _watch):
        first = await first_in_work(batcher, engine)
        waiting = await submitted(batcher, *range(8))
        with pytest.raises(QueueFull):
            await batcher.submit("one too many", ONE)
        for _ in range(9):
            engine.go.release()
        assert len(await asyncio.gather(first, *waiting)) == 9

    in_loop(test)


def test_a_stopping_batcher_finishes_what_waits_and_takes_nothing_more():
    async def test(batcher, engine, _watch):
        first = await first_in_work(batcher, engine)
        waiting = await submitted(batcher, "a", "b")
        stopping = asyncio.create_task(batcher.stop())
        await asyncio.sleep(0)
        with pytest.raises(Stopped):
            await batcher.submit("c", ONE)
        engine.go.release()
        engine.go.release()
        assert await asyncio.gather(first, *waiting) == ["answer to first", "answer to a", "answer to b"]
        await stopping

    in_loop(test)
