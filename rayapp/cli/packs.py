"""``rayapp packs``: check, compile, store and activate rule packs."""

import asyncio
import sys
from argparse import Namespace
from pathlib import Path

import msgspec

from rayapp.cli.sinks import replacing
from rayapp.errors import InvalidInput, InvalidPack
from rayapp.packs import CompiledPack, load_pack
from rayapp.settings import Settings

DONE, FAILED = 0, 1


def lint(_settings: Settings, arguments: Namespace) -> int:
    """Print every fault of a pack directory; fails when one of them keeps the pack from being used."""
    from rayapp.packs.files import named_pack
    from rayapp.packs.lint import lint_pack

    path = named_pack(arguments.path)
    if not path.is_dir():
        raise InvalidInput(f"{path} is no directory of pack sources")
    faults = lint_pack(path)
    for fault in faults:
        print(msgspec.json.encode(fault).decode() if arguments.json else fault)
    errors = sum(fault.severity == "error" for fault in faults)
    print(f"rayapp: {errors} errors, {len(faults) - errors} warnings", file=sys.stderr)
    return FAILED if errors else DONE


def build(settings: Settings, arguments: Namespace) -> int:
    """Compile a pack directory into one file."""
    pack = _load(settings, arguments.path)
    artefact = pack.dump()
    with replacing(Path(arguments.out)) as file:
        file.write(artefact)
    print(f"rayapp: wrote {arguments.out}, {len(artefact):,} bytes, pack {pack.digest}", file=sys.stderr)
    return DONE


def publish(settings: Settings, arguments: Namespace) -> int:
    """Store a pack in the database, and activate it if asked."""
    from rayapp.store.database import connection, running_database
    from rayapp.store.packs import save_pack
    from rayapp.store.plan_application import activate_checked

    pack = _load(settings, arguments.path)

    async def store(url: str) -> bool:
        async with connection(url) as session:
            new = await save_pack(session, pack.digest, pack.manifest.name, pack.dump())
            if arguments.activate:
                await activate_checked(session, pack.digest, arguments.reason, arguments.override or "")
            return new

    with running_database(settings) as url:
        new = asyncio.run(store(url))
    print(pack.digest)
    print(f"rayapp: {'stored' if new else 'was stored before'}{', active' if arguments.activate else ''}", file=sys.stderr)
    return DONE


def activate(settings: Settings, arguments: Namespace) -> int:
    """Make a stored pack the active one; the former digest again is the way back."""
    from rayapp.store.database import connection, running_database
    from rayapp.store.packs import stored_digest
    from rayapp.store.plan_application import activate_checked

    async def switch(url: str) -> str:
        async with connection(url) as session:
            digest = await stored_digest(session, arguments.digest)
            await activate_checked(session, digest, arguments.reason, arguments.override or "")
            return digest

    with running_database(settings) as url:
        print(asyncio.run(switch(url)))
    return DONE


def show(settings: Settings, arguments: Namespace) -> int:
    """Print the stored packs, oldest first, the active one marked."""
    from rayapp.store.database import connection, running_database
    from rayapp.store.packs import StoredPack, list_packs

    async def read(url: str) -> list[StoredPack]:
        async with connection(url) as session:
            return await list_packs(session)

    with running_database(settings) as url:
        packs = asyncio.run(read(url))
    for pack in packs:
        mark = "active" if pack.active else ""
        line = f"{pack.digest}  {pack.name:<16} {pack.bytes:>12,} bytes  {pack.saved_at:%Y-%m-%d %H:%M} UTC  {mark}".rstrip()
        print(msgspec.json.encode(pack).decode() if arguments.json else line)
    if not packs:
        print("rayapp: no pack is stored; `rayapp packs publish` stores one", file=sys.stderr)
    return DONE


def _load(settings: Settings, path: str | None) -> CompiledPack:
    """Load a pack; its faults go to standard error, one a line."""
    try:
        return load_pack(path or settings.pack)
    except InvalidPack as error:
        for fault in error.faults:
            print(fault, file=sys.stderr)
        raise
