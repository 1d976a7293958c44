"""Slots under a simulated clock: over all replicas a key never has more requests in work than it may, and who may have one gets one."""

import asyncio
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rayapp.serve import admission
from rayapp.serve.admission import Gate
from rayapp.serve.overload import TooManyAtOnce
from rayapp.serve.slots import IDLE_S, LeasedSlots
from rayapp.store.api_keys import Allowance, ApiKey
from rayapp.store.key_slots import LEASE_S

REPLICAS = 3
KEY = b"rayapp_a-key"


class Shared:
    """The statements on slots of api_keys.sql under a simulated clock. tests/store/test_key_slots.py tests the statements."""

    def __init__(self, most):
        self.most, self.rows = most, {}

    def take(self, holder, want, now):
        free = self.most - sum(slots for other, (slots, until) in self.rows.items() if other != holder and until > now)
        self.rows[holder] = min(want, max(0, free)), now + LEASE_S
        return self.rows[holder][0]

    def keep(self, holder, now):
        slots, until = self.rows.get(holder, (0, -math.inf))
        if until > now:
            self.rows[holder] = slots, now + LEASE_S
        return until > now

    def give(self, holder, left):
        slots, until = self.rows[holder]
        self.rows[holder] = min(slots, left), until


class Replica:
    """One replica as the gate works it, with a name of its own for each life."""

    def __init__(self, shared, name):
        self.shared, self.name, self.slots = shared, name, LeasedSlots(shared.most)

    def enter(self, others, now):
        for _ in range(3):
            if self.slots.enter(now):
                return True
            need, want = self.slots.need(REPLICAS)
            self.slots.leased(self.shared.take(self.name, want, now), now)
            if self.slots.held < need:
                for other in others:
                    other.slots.asked_back()
                    other.tell()
        return self.slots.enter(now)

    def leave(self, now):
        self.slots.leave(now)
        self.tell()

    def tell(self):
        if self.slots.given_up():
            self.slots.granted = self.slots.held
            self.shared.give(self.name, self.slots.held)

    def keep(self, now):
        self.slots.rest(now)
        self.tell()
        if self.slots.granted:
            self.slots.kept(now) if self.shared.keep(self.name, now) else self.slots.lost()


events = st.lists(
    st.tuples(st.sampled_from(["enter", "enter", "enter", "leave", "leave", "die", "rest"]), st.integers(0, REPLICAS - 1), st.floats(0, 1.5)), max_size=120
)


@given(st.integers(1, 20), events)
def test_over_all_replicas_no_more_are_in_work_than_may_be_whoever_dies(most, events):
    shared, now, looked = Shared(most), 0.0, 0
    replicas = [Replica(shared, str(place)) for place in range(REPLICAS)]
    for number, (what, place, pause) in enumerate(events):
        now += pause
        while looked < now:
            looked += 1
            for replica in replicas:
                replica.keep(looked)
        replica = replicas[place]
        others = [other for other in replicas if other is not replica]
        if what == "enter":
            replica.enter(others, now)
        elif what == "leave" and replica.slots.active:
            replica.leave(now)
        elif what == "die":
            replicas[place] = Replica(shared, f"{place}/{number}")
        assert sum(one.slots.active for one in replicas) <= most


@given(st.integers(1, 4), st.lists(st.tuples(st.integers(0, REPLICAS - 1), st.floats(0, 12)), max_size=60))
def test_who_has_none_in_work_gets_one_wherever_it_asks(most, asked):
    shared, now = Shared(most), 0.0
    replicas = [Replica(shared, str(place)) for place in range(REPLICAS)]
    for place, pause in asked:
        now += pause
        for replica in replicas:
            replica.keep(now)
        replica = replicas[place]
        assert replica.enter([other for other in replicas if other is not replica], now)
        replica.leave(now)


@settings(max_examples=30)
@given(st.integers(1, 40), st.lists(st.integers(0, REPLICAS - 1), min_size=60, max_size=60))
def test_all_that_may_be_in_work_are_however_they_fall_on_the_replicas(most, places):
    shared = Shared(most)
    replicas = [Replica(shared, str(place)) for place in range(REPLICAS)]
    entered = 0
    for number, place in enumerate(places):
        for _ in range(8):
            if replicas[place].enter([other for other in replicas if other is not replicas[place]], number / 1_000):
                entered += 1
                break
    assert entered == min(most, 60)


def test_after_a_death_its_slots_are_free_when_the_lease_has_ended():
    shared = Shared(2)
    dead, other = Replica(shared, "dead"), Replica(shared, "other")
    assert dead.enter([], 0.0)
    assert dead.enter([], 0.0)
    assert not other.enter([], LEASE_S - 0.1)
    assert other.enter([], LEASE_S)


def test_a_replica_that_hears_nothing_admits_nobody_from_before_its_lease_ends():
    shared = Shared(12)
    replica = Replica(shared, "one")
    assert replica.enter([], 0.0)
    assert replica.slots.enter(1.0)
    assert not replica.slots.enter(LEASE_S - 0.4)


def test_what_nobody_uses_goes_back():
    shared = Shared(8)
    replica = Replica(shared, "one")
    assert replica.enter([], 0.0)
    replica.leave(0.0)
    assert shared.rows["one"][0] > 0
    replica.keep(IDLE_S)
    assert (replica.slots.held, shared.rows["one"][0]) == (0, 0)


class Bank:
    """The shared slots as one gate's bank, which tells the other gates when slots are lacking."""

    def __init__(self, shared, name, gates):
        self.shared, self.name, self.gates = shared, name, gates

    async def take_slots(self, key_id, need, want):
        slots = self.shared.take(self.name, want, asyncio.get_running_loop().time())
        for name, gate in self.gates.items():
            if slots < need and name != self.name:
                gate.ask_back(key_id)
        return slots

    async def keep_slots(self, key_ids):
        return {key_id for key_id in key_ids if self.shared.keep(self.name, asyncio.get_running_loop().time())}

    async def give_slots(self, _key_id, left):
        await asyncio.sleep(0)
        self.shared.give(self.name, left)


@pytest.mark.parametrize("most", [1, 2, 7])
def test_clients_that_ask_again_and_again_share_what_there_is_over_gates(most, monkeypatch):
    monkeypatch.setattr(admission, "PAUSES_S", (0.0, 0.0, 0.001, 0.001))

    async def test():
        shared, gates = Shared(most), {}
        key = ApiKey(id=1, name="test", mark="x", tier="standard", allowance=Allowance(1, 1, most), hash=admission.hash_of(KEY.decode()))
        for name in "abc":
            gates[name] = Gate(Bank(shared, name, gates), replicas=REPLICAS)
            gates[name].use([key])
        working, answered, greatest = 0, 0, 0

        async def one(gate):
            nonlocal working, answered, greatest
            client = gate.enter("/classify", {b"x-api-key": KEY})
            try:
                await gate.admit(client)
            except TooManyAtOnce:
                return
            working += 1
            greatest = max(greatest, working)
            await asyncio.sleep(0)
            working -= 1
            answered += 1
            gate.leave(client)

        for _ in range(30):
            await asyncio.gather(*(one(gate) for gate in gates.values() for _ in range(4)))
            await one(gates["a"])
        alone = answered
        for _ in range(10):
            for gate in gates.values():
                await one(gate)
        assert greatest <= most
        assert answered - alone == 30

    asyncio.run(test())
