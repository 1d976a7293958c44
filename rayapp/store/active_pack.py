"""The pack that new work is decided by: the active one, which is the installation's own until a person activates another."""

import asyncio

import asyncpg

from rayapp.errors import InvalidSetup
from rayapp.packs import load_pack
from rayapp.settings import Settings
from rayapp.store.database import connection, resolve_url
from rayapp.store.packs import activate_pack, current_pack, list_activations, save_pack

FROM_INSTALLATION = "the default pack of this installation"


async def install_pack(session: asyncpg.Connection, settings: Settings) -> None:
    """Store and activate the installation's pack, unless a person has activated another."""
    activations = await list_activations(session, most=1)
    if activations and activations[0].reason != FROM_INSTALLATION:
        return
    pack = await asyncio.to_thread(load_pack, settings.pack)
    if not activations or activations[0].digest != pack.digest:
        await save_pack(session, pack.digest, pack.manifest.name, await asyncio.to_thread(pack.dump))
        await activate_pack(session, pack.digest, FROM_INSTALLATION)


async def active_digest(settings: Settings) -> str:
    """Give the digest of the pack that new work is decided by; stores the installation's pack where none, or a former one, is active."""
    async with connection(resolve_url(settings)) as session:
        return await digest_in_use(session, settings)


async def digest_in_use(session: asyncpg.Connection, settings: Settings) -> str:
    """Give what ``active_digest`` gives, over a connection that is there."""
    await install_pack(session, settings)
    digest = await current_pack(session)
    if digest is None:
        raise InvalidSetup("no pack is active: `rayapp packs publish --activate` makes one")
    return digest
