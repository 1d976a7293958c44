"""The queue under a simulated clock: nothing lost, nothing twice, order within a tier, fair between tiers, nobody starves."""

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rayapp.serve.cost import CostModel
from rayapp.serve.overload import QueueFull
from rayapp.serve.queueing import TIERS, WEIGHTS, Bounds, Entry, FairQueue

ROOM = Bounds(10**9, 10**12)
FOREVER = 1e9

arrivals = st.lists(
    st.tuples(st.sampled_from(TIERS), st.integers(1, 2_000), st.floats(0, 0.05), st.floats(0.001, 3)), min_size=1, max_size=60
)


def entry(work, tier="standard", rows=1, arrived=0.0, deadline=FOREVER):
    return Entry(work, Bounds(rows, rows * 100), tier, (arrived, deadline))


def works(entries):
    return [found.work for found in entries]


def simulate(steps, most, row_s=0.0001, fixed_s=0.0005):
    """Let work arrive and be taken by one server; gives (work, tier, rows, arrived, begun), and what expired with when it was dropped."""
    queue = FairQueue(ROOM)
    clock, free_at, done, expired = 0.0, 0.0, [], []
    coming = []
    for number, (tier, rows, gap, patience) in enumerate(steps):
        clock += gap
        coming.append(entry(number, tier, rows, clock, clock + patience))
    coming_in = iter(coming)
    following = next(coming_in, None)
    while following is not None or len(queue):
        if not len(queue) and following is not None and following.arrived > free_at:
            free_at = following.arrived
        while following is not None and following.arrived <= free_at:
            queue.put(following)
            following = next(coming_in, None)
        taken = queue.take(free_at, most)
        expired += [(found, free_at) for found in taken.expired]
        done += [(found, free_at) for found in taken.batch]
        if taken.batch:
            free_at += fixed_s + row_s * sum(found.rows for found in taken.batch)
    return coming, done, expired


@given(arrivals, st.integers(1, 4_000))
def test_everything_is_computed_once_or_has_expired(steps, most_rows):
    coming, done, expired = simulate(steps, Bounds(most_rows, 10**9))
    seen = Counter([found.work for found, _ in done] + [found.work for found, _ in expired])
    assert seen == Counter(found.work for found in coming)


@given(arrivals, st.integers(1, 4_000))
def test_what_has_expired_is_never_computed_and_what_has_not_is(steps, most_rows):
    _, done, expired = simulate(steps, Bounds(most_rows, 10**9))
    assert all(found.deadline > begun for found, begun in done)
    assert all(found.deadline <= dropped for found, dropped in expired)


@given(arrivals, st.integers(1, 4_000))
def test_within_a_tier_first_come_is_first_served(steps, most_rows):
    _, done, _ = simulate(steps, Bounds(most_rows, 10**9))
    for tier in TIERS:
        order = [found.work for found, _ in done if found.tier == tier]
        assert order == sorted(order)


@given(arrivals, st.integers(1, 4_000))
def test_a_batch_keeps_to_its_bounds_unless_it_is_one_work(steps, most_rows):
    _, done, _ = simulate(steps, Bounds(most_rows, 10**9))
    for _, batch in itertools.groupby(done, key=lambda pair: pair[1]):
        rows = [found.rows for found, _ in batch]
        assert sum(rows) <= most_rows or len(rows) == 1


@given(st.lists(st.tuples(st.sampled_from(TIERS), st.integers(1, 500)), min_size=1, max_size=80))
def test_the_wait_is_bounded_by_what_stood_before_and_the_weights(steps):
    """A work of tier t waits for its own tier's rows before it, and for at most weight/weight(t) times as many of each other tier."""
    queue = FairQueue(ROOM)
    coming = [entry(number, tier, rows) for number, (tier, rows) in enumerate(steps)]
    for work in coming:
        queue.put(work)
    largest = max(rows for _, rows in steps)
    served = Counter()
    before = Counter()
    while len(queue):
        found = queue.take(0.0, Bounds(1, 1)).batch[0]
        before[found.tier] += found.rows
        for other in set(TIERS) - {found.tier}:
            share = before[found.tier] * WEIGHTS[other] / WEIGHTS[found.tier]
            assert served[other] <= share + largest
        served[found.tier] += found.rows


def test_nobody_starves_while_priority_never_stops():
    queue = FairQueue(ROOM)
    queue.put(entry("bulk", "bulk", 10))
    for number in range(10_000):
        queue.put(entry(number, "priority", 10))
        if queue.take(0.0, Bounds(10, 10_000)).batch[0].work == "bulk":
            break
    else:
        pytest.fail("starved")
    assert number <= WEIGHTS["priority"]


def test_a_tier_that_comes_late_gets_nothing_for_the_time_before():
    queue = FairQueue(ROOM)
    for number in range(1_000):
        queue.put(entry(number, "standard", 10))
        queue.take(0.0, Bounds(10, 10_000))
    for number in range(100):
        queue.put(entry(f"p{number}", "priority", 10))
        queue.put(entry(f"s{number}", "standard", 10))
    first = works(queue.take(0.0, Bounds(200, 10**6)).batch)
    assert 0.7 * len(first) <= sum(str(work).startswith("p") for work in first) <= 0.9 * len(first)


def test_a_full_queue_refuses_and_an_empty_one_takes_anything():
    queue = FairQueue(Bounds(10, 10_000))
    queue.put(entry("large", rows=1_000))
    with pytest.raises(QueueFull):
        queue.put(entry("small"))
    assert works(queue.take(0.0, Bounds(1, 1)).batch) == ["large"]
    queue.put(entry("small"))
    assert (queue.rows, queue.bytes) == (1, 100)


def test_expired_work_leaves_from_anywhere_and_gone_work_when_its_turn_comes():
    queue = FairQueue(ROOM)
    entries = [entry("a"), entry("b", deadline=1.0), entry("c"), entry("d", "bulk", deadline=0.5)]
    for found in entries:
        queue.put(found)
    entries[0].gone = True
    assert sorted(works(queue.expire(1.0))) == ["b", "d"]
    assert works(queue.take(1.0, ROOM).batch) == ["c"]
    assert (len(queue), queue.rows, queue.bytes) == (0, 0, 0)


def test_the_oldest_is_the_one_that_has_waited_longest():
    queue = FairQueue(ROOM)
    assert queue.oldest(5.0) == 0.0
    queue.put(entry("a", "bulk", arrived=1.0))
    queue.put(entry("b", "priority", arrived=3.0))
    assert queue.oldest(5.0) == 4.0


@given(st.floats(0, 0.01), st.floats(1e-6, 1e-3), st.lists(st.integers(1, 4_000), min_size=60, max_size=90))
def test_the_cost_model_learns_a_line(fixed_s, row_s, sizes):
    cost = CostModel()
    for rows in [1, 2_000, *sizes] * 8:
        cost.learn(rows, fixed_s + row_s * rows)
    assert cost.seconds(1_000) == pytest.approx(fixed_s + row_s * 1_000, rel=0.05, abs=1e-4)


@given(st.lists(st.tuples(st.integers(1, 5_000), st.floats(0, 10)), max_size=50), st.floats(0, 1))
def test_whatever_was_measured_a_batch_has_at_least_one_row_and_costs_something(measured, budget):
    cost = CostModel()
    for rows, seconds in measured:
        cost.learn(rows, seconds)
    assert cost.rows_within(budget) >= 1
    assert cost.row_s > 0
    assert cost.fixed_s >= 0
