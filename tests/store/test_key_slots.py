"""Slots of a key, leased by several replicas from a real PostgreSQL."""

import asyncio

import pytest

from rayapp.store import key_slots
from rayapp.store.api_keys import Allowance, add_key
from rayapp.store.database import connection
from rayapp.store.key_slots import CHANNEL, Holder, give_slots, keep_slots, take_slots

A, B = Holder(1, "a"), Holder(1, "b")


def run(url, question):
    async def asked():
        async with connection(url) as session:
            await add_key(session, "x", "standard", Allowance(1, 1, 4))
            return await question(session)

    return asyncio.run(asked())


def test_no_more_are_leased_than_there_are_and_what_is_given_back_can_be_had(database):
    async def question(session):
        assert await take_slots(session, A, 1, 3) == 3
        assert await take_slots(session, B, 1, 3) == 1
        assert await take_slots(session, A, 4, 4) == 3
        await give_slots(session, A, 1)
        assert await take_slots(session, B, 2, 9) == 3
        await give_slots(session, A, 2)
        assert await take_slots(session, B, 2, 9) == 3

    run(database, question)


def test_a_lease_ends_unless_it_is_kept(database, monkeypatch):
    async def question(session):
        monkeypatch.setattr(key_slots, "LEASE_S", 0.0)
        assert await take_slots(session, A, 1, 3) == 3
        assert await keep_slots(session, [1], "a") == set()
        monkeypatch.setattr(key_slots, "LEASE_S", 60.0)
        assert await take_slots(session, B, 1, 4) == 4
        assert await keep_slots(session, [1, 7], "b") == {1}
        assert await take_slots(session, A, 1, 4) == 0
        assert await session.fetch("SELECT holder FROM rayapp.api_key_slot WHERE slots > 0") == [("b",)]

    run(database, question)


def test_the_others_hear_when_slots_are_lacking(database):
    async def question(session):
        heard: asyncio.Queue[str] = asyncio.Queue()
        async with connection(database) as other:
            await other.add_listener(CHANNEL, lambda *said: heard.put_nowait(said[-1]))
            await take_slots(session, A, 1, 4)
            await take_slots(session, B, 1, 1)
            assert await asyncio.wait_for(heard.get(), 10) == "1 b"
            assert heard.empty()

    run(database, question)


@pytest.mark.parametrize("replicas", [6])
def test_replicas_that_ask_at_the_same_time_get_no_more_than_there_are(database, replicas):
    async def one(name):
        async with connection(database) as session:
            return [await take_slots(session, Holder(1, name), 1, 1 + number % 4) for number in range(12)][-1]

    async def question(_session):
        return sum(await asyncio.gather(*(one(str(name)) for name in range(replicas))))

    assert run(database, question) <= 4
