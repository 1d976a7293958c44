"""Keys and their shared buckets, in a real PostgreSQL."""

import asyncio

import pytest

from rayapp.errors import InvalidInput
from rayapp.store.api_keys import Allowance, add_key, give_back_rows, hash_of, lease_rows, list_keys, revoke_key, valid_keys
from rayapp.store.database import connection

SLOW = Allowance(0.001, 100, 4)


def run(url, question):
    async def asked():
        async with connection(url) as session:
            return await question(session)

    return asyncio.run(asked())


def test_a_key_is_known_by_its_hash_until_it_is_revoked(database):
    async def question(session):
        key = await add_key(session, "ledger team", "priority", SLOW)
        (valid,) = await valid_keys(session)
        assert (valid.hash, valid.tier, valid.allowance) == (hash_of(key), "priority", SLOW)
        assert key.startswith(valid.mark)
        await revoke_key(session, valid.mark)
        assert await valid_keys(session) == []
        (listed,) = await list_keys(session)
        assert listed.revoked_at is not None
        assert listed.hash == b""
        with pytest.raises(InvalidInput, match="no key that is good"):
            await revoke_key(session, valid.mark)
        stored = str([dict(row) for row in await session.fetch("SELECT * FROM rayapp.api_key")])
        assert key not in stored

    run(database, question)


@pytest.mark.parametrize(
    ("asked", "granted", "left"),
    [((1, 40), 40, 60), ((100, 200), 100, 0), ((30, 30), 30, 70), ((250, 300), 250, -150)],
    ids=["ahead", "all", "just so much", "more than it holds leaves a debt"],
)
def test_a_lease_gives_what_is_needed_and_what_there_is_ahead(database, asked, granted, left):
    async def question(session):
        await add_key(session, "x", "standard", SLOW)
        lease = await lease_rows(session, 1, *asked)
        assert (lease.granted, pytest.approx(lease.left, abs=0.1)) == (granted, left)
        refused = await lease_rows(session, 1, 100, 100)
        assert refused.granted == (0 if left < 99 else 100)

    run(database, question)


def test_what_is_given_back_can_be_leased_again_and_never_overflows(database):
    async def question(session):
        await add_key(session, "x", "standard", SLOW)
        await lease_rows(session, 1, 100, 100)
        await give_back_rows(session, 1, 60)
        assert (await lease_rows(session, 1, 60, 60)).granted == 60
        await give_back_rows(session, 1, 1_000)
        assert (await lease_rows(session, 1, 1, 1_000)).granted == 100

    run(database, question)


def test_many_leases_at_once_grant_no_more_than_there_is(database):
    async def one():
        async with connection(database) as session:
            return sum([(await lease_rows(session, 1, 3, 7)).granted for _ in range(10)])

    async def all_at_once():
        async with connection(database) as session:
            await add_key(session, "x", "standard", SLOW)
        return sum(await asyncio.gather(*(one() for _ in range(6))))

    assert 94 <= asyncio.run(all_at_once()) <= 100
