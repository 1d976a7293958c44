"""Scaling under a simulated clock, with Serve's own delays: quick up, slow down, no swinging."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rayapp.serve.scaling import DOWN_AFTER_S, UP_AFTER_S, Load, wanted

MOST = 6
STEP_S = 0.5
START_S = 4.0
REPLICA_ROWS_S = 10_000


def simulate(rate_at, seconds):
    """Let rows come at a rate; gives the number of replicas and the wait at each step."""
    replicas = [0.0]  # when each is ready
    queued, pending, history = 0.0, (0, 0.0), []
    for tick in range(int(seconds / STEP_S)):
        now = tick * STEP_S
        ready = sum(since <= now for since in replicas)
        work = queued + rate_at(now) * STEP_S
        done = min(work, ready * REPLICA_ROWS_S * STEP_S)
        queued = work - done
        wait = queued / (ready * REPLICA_ROWS_S)
        loads = [Load(wait, wait, done / (ready * REPLICA_ROWS_S * STEP_S))] * ready
        asked = max(1, min(MOST, wanted(loads, len(replicas))))
        sign = (asked > len(replicas)) - (asked < len(replicas))
        pending = (sign, now if sign != pending[0] else pending[1])
        if sign and now - pending[1] >= (UP_AFTER_S if sign > 0 else DOWN_AFTER_S):
            replicas = replicas + [now + START_S] * (asked - len(replicas)) if sign > 0 else replicas[:asked]
            pending = (0, now)
        history.append((now, len(replicas), wait))
    return history


def turns(history):
    """Count the changes between growing and shrinking."""
    changes = [after[1] - before[1] for before, after in pairwise(history) if after[1] != before[1]]
    return sum((first > 0) != (second > 0) for first, second in pairwise(changes))


def test_a_burst_is_met_quickly_and_let_go_of_slowly():
    history = simulate(lambda now: 35_000 if 10 <= now < 70 else 1_000, 600)
    grown = next(now for now, replicas, _ in history if replicas >= 4)
    assert grown <= 10 + 10
    assert all(replicas >= 4 for now, replicas, _ in history if grown <= now < 70)
    assert max(wait for now, _, wait in history if now > 35) < 1.0
    assert history[-1][1] == 1
    assert turns(history) == 1


@given(st.floats(100, 55_000))
def test_under_a_steady_load_the_number_settles(rate):
    history = simulate(lambda _: rate, 500)
    assert len({replicas for now, replicas, _ in history if now > 300}) == 1
    assert turns(history) <= 1
    assert history[-1][2] < 0.5


def test_a_load_that_comes_and_goes_quickly_does_not_make_it_swing():
    assert turns(simulate(lambda now: 25_000 if int(now) % 10 < 5 else 1_000, 600)) <= 1


@pytest.mark.parametrize(
    ("loads", "replicas", "expected"),
    [
        ([], 3, 3),
        ([Load(0.0, 0.0, 0.1)], 1, 1),
        ([Load(0.3, 0.1, 0.5)], 1, 2),
        ([Load(0.0, 2.0, 0.5)], 1, 2),
        ([Load(1.0, 1.0, 0.9)] * 2, 2, 4),
        ([Load(0.0, 0.0, 0.95)], 1, 2),
        ([Load(0.0, 0.0, 0.2)] * 3, 3, 2),
        ([Load(0.0, 0.0, 0.5)] * 2, 2, 2),
    ],
    ids=["nothing known", "idle alone", "old rows", "much work", "twice as many at most", "busy without a queue", "idle", "well used"],
)
def test_a_load_asks_for_so_many(loads, replicas, expected):
    assert wanted(loads, replicas) == expected
