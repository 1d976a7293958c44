import asyncio

import pytest

from rayapp.errors import InvalidInput
from rayapp.store.database import connection
from rayapp.store.packs import CHANNEL, activate_pack, current_pack, fetch_pack, list_activations, list_packs, save_pack


def test_a_saved_pack_comes_back_byte_for_byte_and_is_saved_once(database: str) -> None:
    artefact = bytes(range(256)) * 1000

    async def story() -> None:
        async with connection(database) as session:
            assert await save_pack(session, "aa11", "default", artefact) is True
            assert await save_pack(session, "aa11", "default", b"other") is False
            assert await fetch_pack(session, "aa11") == artefact
            assert await current_pack(session) is None

    asyncio.run(story())


def test_the_last_activation_is_active_and_a_rollback_is_one_more(database: str) -> None:
    async def story() -> None:
        async with connection(database) as session:
            for digest in ("aa11", "bb22"):
                await save_pack(session, digest, "default", b"x")
            for digest in ("aa11", "bb22", "aa11"):
                await activate_pack(session, digest, f"to {digest}")
            assert await current_pack(session) == "aa11"
            assert [(entry.digest, entry.active) for entry in await list_packs(session)] == [("aa11", True), ("bb22", False)]
            assert [entry.reason for entry in await list_activations(session)] == ["to aa11", "to bb22", "to aa11"]

    asyncio.run(story())


def test_an_activation_is_heard_by_those_who_listen(database: str) -> None:
    async def story() -> str:
        heard: asyncio.Queue[str] = asyncio.Queue()
        async with connection(database) as listener, connection(database) as session:
            await listener.add_listener(CHANNEL, lambda *event: heard.put_nowait(event[-1]))
            await save_pack(session, "aa11", "default", b"x")
            await activate_pack(session, "aa11")
            return await asyncio.wait_for(heard.get(), 30)

    assert asyncio.run(story()) == "aa11"


@pytest.mark.parametrize("act", [fetch_pack, activate_pack])
def test_a_pack_that_is_not_stored_is_named(database: str, act) -> None:
    async def story() -> None:
        async with connection(database) as session:
            await act(session, "cc33")

    with pytest.raises(InvalidInput, match="no pack 'cc33'"):
        asyncio.run(story())
