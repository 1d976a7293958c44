"""Buckets under a simulated clock: over all replicas nobody gets more than the bucket allows, and who asks for it gets nearly all of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rayapp.serve.breaker import FAILURES, FIRST_PAUSE_S, LONGEST_PAUSE_S, Breaker
from rayapp.serve.buckets import IDLE_S, LeasedBucket
from rayapp.store.api_keys import Allowance, Lease


class Shared:
    """The statement ``lease`` of api_keys.sql, word for word, under a simulated clock. tests/store/test_api_keys.py tests the statement."""

    def __init__(self, allowance):
        self.allowance, self.tokens, self.at = allowance, allowance.burst_rows, 0.0

    def lease(self, need, want, now):
        tokens = min(self.allowance.burst_rows, self.tokens + self.allowance.rows_per_s * max(0.0, now - self.at))
        granted = max(need, min(want, tokens // 1)) if tokens >= min(need, self.allowance.burst_rows) else 0.0
        self.tokens, self.at = tokens - granted, now
        return Lease(granted, self.tokens)

    def give_back(self, rows):
        self.tokens = min(self.allowance.burst_rows, self.tokens + rows)


def ask(bucket, shared, rows, now):
    """What the gate does for a request; gives the seconds to wait."""
    if bucket.take(rows, now):
        return 0.0
    return bucket.closed(rows, now) or bucket.leased(rows, shared.lease(*bucket.need(rows), now), now)


allowances = st.builds(Allowance, st.floats(1, 10_000), st.floats(1, 100_000), st.just(8))
requests = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3_000), st.floats(0, 2)), max_size=80)


@given(allowances, requests)
def test_over_all_replicas_no_more_is_spent_than_the_bucket_holds_and_gets(allowance, requests):
    shared, replicas, now, spent, largest = Shared(allowance), [LeasedBucket(allowance) for _ in range(4)], 0.0, 0.0, 0
    for replica, rows, pause in requests:
        now += pause
        if not ask(replicas[replica], shared, rows, now):
            spent += rows
            largest = max(largest, rows)
        for bucket in replicas:
            shared.give_back(bucket.surplus(now))
        assert spent <= allowance.burst_rows + allowance.rows_per_s * now + max(0.0, largest - allowance.burst_rows) + 1e-3


@settings(max_examples=20)
@given(st.floats(10, 5_000), st.integers(1, 50))
def test_who_asks_all_the_time_gets_nearly_all_of_the_rate_over_several_replicas(rate, rows):
    allowance = Allowance(rate, max(rate, rows), 8)
    shared, replicas = Shared(allowance), [LeasedBucket(allowance) for _ in range(3)]
    spent, step, seconds = 0, 0.02, 20
    for tick in range(int(seconds / step)):
        for bucket in replicas:
            while not ask(bucket, shared, rows, tick * step):
                spent += rows
    assert spent >= 0.9 * rate * seconds


@given(allowances, st.integers(1, 200_000))
def test_after_the_time_that_was_told_there_are_enough(allowance, rows):
    shared, bucket = Shared(allowance), LeasedBucket(allowance)
    while not (wait := ask(bucket, shared, rows, 0.0)):
        pass
    assert wait > 0
    assert ask(bucket, shared, rows, wait + 2.0) == 0.0


def test_a_flood_of_refused_requests_asks_the_shared_bucket_but_once():
    allowance = Allowance(10, 10, 8)
    shared, bucket = Shared(allowance), LeasedBucket(allowance)
    asked = 0
    lease = shared.lease

    def counted(*words):
        nonlocal asked
        asked += 1
        return lease(*words)

    shared.lease = counted
    refused = [ask(bucket, shared, 10, number / 1_000) for number in range(1, 500)]
    assert [wait > 0 for wait in refused].count(False) <= 1
    assert asked <= 3


def test_what_is_leased_and_not_used_goes_back():
    allowance = Allowance(100, 1_000, 8)
    shared, bucket = Shared(allowance), LeasedBucket(allowance)
    assert ask(bucket, shared, 1, 0.0) == 0.0
    assert bucket.surplus(IDLE_S / 2) == 0.0
    back = bucket.surplus(IDLE_S)
    assert back == bucket.block
    assert bucket.tokens == 0.0


@given(allowances, st.integers(1, 4), requests)
def test_alone_a_replica_keeps_to_its_share(allowance, replicas, requests):
    bucket, now, spent, largest = LeasedBucket(allowance), 0.0, 0.0, 0
    share = Allowance(allowance.rows_per_s / replicas, allowance.burst_rows / replicas, 8)
    for _, rows, pause in requests:
        now += pause
        if bucket.take_alone(rows, replicas, now) == 0.0:
            spent += rows
            largest = max(largest, rows)
        assert spent <= share.burst_rows + share.rows_per_s * (now + 1) + largest


def test_the_standing_says_what_is_left_and_when_it_is_full():
    bucket = LeasedBucket(Allowance(10, 100, 8))
    assert bucket.standing() == (100, 0)
    assert bucket.leased(30, Lease(30, 70), 0.0) == 0.0
    assert bucket.standing() == (70, 3)


def test_a_breaker_opens_after_failures_tries_one_and_closes():
    breaker = Breaker()
    for _ in range(FAILURES - 1):
        breaker.failed(0.0)
        assert breaker.lets_through(0.0)
    breaker.failed(0.0)
    assert not breaker.lets_through(FIRST_PAUSE_S / 2)
    assert breaker.opens_in(0.0) == FIRST_PAUSE_S
    assert breaker.lets_through(FIRST_PAUSE_S)
    assert not breaker.lets_through(FIRST_PAUSE_S)
    breaker.failed(FIRST_PAUSE_S)
    assert breaker.opens_in(FIRST_PAUSE_S) == 2 * FIRST_PAUSE_S
    assert breaker.lets_through(3 * FIRST_PAUSE_S)
    breaker.succeeded()
    assert breaker.state(0.0) == "closed"


@given(st.lists(st.tuples(st.floats(0, 100), st.booleans()), max_size=60))
def test_an_open_breaker_never_stays_shut_for_longer_than_its_longest_pause(steps):
    breaker, now = Breaker(), 0.0
    for pause, works in steps:
        now += pause
        if breaker.lets_through(now):
            if works:
                breaker.succeeded()
            else:
                breaker.failed(now)
        assert breaker.opens_in(now) <= LONGEST_PAUSE_S


def test_a_breaker_that_never_failed_lets_everything_through():
    assert Breaker().lets_through(0.0)
    assert Breaker().opens_in(0.0) == pytest.approx(0.0)
