"""``rayapp packs plan | apply | revert | changes``: what a pack would change, done as planned, and taken back."""

import asyncio
import sys
from argparse import Namespace
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from rayapp.packs import load_pack
from rayapp.settings import Settings
from rayapp.store.database import connection, running_database
from rayapp.store.packs import save_pack, stored_digest
from rayapp.store.plan_application import apply_plan, list_changesets, revert_changeset
from rayapp.store.plans import Plan, PlanRequest, fetch_plan, make_plan

DONE, FAILED = 0, 1
Given = TypeVar("Given")


def plan(settings: Settings, arguments: Namespace) -> int:
    """Work out what a pack would change and show it; fails when it breaks corrections and no reason to is given."""
    live = sys.stderr.isatty() and not arguments.json

    def tell(done: int, every: int) -> None:
        if live:
            print(f"\r\033[K{done} of {every} ranges", end="", file=sys.stderr, flush=True)

    async def work(url: str) -> Plan:
        digest = await _published(url, arguments.pack)
        wanted = PlanRequest(
            pack=digest, full=arguments.full, made_by=arguments.by, reason=arguments.reason, override=arguments.override or ""
        )
        return await make_plan(url, wanted, tell)

    with running_database(settings) as url:
        made = asyncio.run(work(url))
    if live:
        print("\r\033[K", end="", file=sys.stderr)
    _show(made, arguments)
    return FAILED if made.blocked else DONE


async def _published(url: str, named: str) -> str:
    """Give the digest of a stored pack that is named by its beginning; a directory or file is compiled and stored first."""
    async with connection(url) as session:
        if not await asyncio.to_thread(Path(named).exists):
            return await stored_digest(session, named)
        pack = await asyncio.to_thread(load_pack, named)
        await save_pack(session, pack.digest, pack.manifest.name, pack.dump())
        return pack.digest


def show(settings: Settings, arguments: Namespace) -> int:
    """Show a plan that was made."""
    _show(_with_session(settings, lambda session: fetch_plan(session, arguments.plan)), arguments)
    return DONE


def _show(made: Plan, arguments: Namespace) -> None:
    if arguments.json:
        print(msgspec.json.encode(made).decode())
        return
    from rayapp.cli.plan_tables import print_plan

    print_plan(made)


def apply(settings: Settings, arguments: Namespace) -> int:
    """Carry a plan out."""
    done = _with_session(
        settings, lambda session: apply_plan(session, arguments.plan, made_by=arguments.by, override=arguments.override or "")
    )
    if arguments.json:
        print(msgspec.json.encode(done).decode())
    else:
        print(f"changeset {done.id}: {done.changed:,} decisions changed, pack {done.pack[:12]} is active")
        print(f"rayapp: `rayapp packs revert {done.id}` takes it back", file=sys.stderr)
    return DONE


def revert(settings: Settings, arguments: Namespace) -> int:
    """Take a changeset back."""
    done = _with_session(
        settings, lambda session: revert_changeset(session, arguments.changeset, made_by=arguments.by, reason=arguments.reason)
    )
    if arguments.json:
        print(msgspec.json.encode(done).decode())
        return DONE
    active = f", pack {done.active[:12]} is active again" if done.active else ""
    print(f"changeset {done.changeset}: {done.restored:,} decisions put back{active}")
    for row in done.edited:
        print(f"  not put back: {row.transaction_id} {row.why}")
    if done.left > len(done.edited):
        print(f"  and {done.left - len(done.edited):,} more")
    return DONE


def changes(settings: Settings, arguments: Namespace) -> int:
    """List the last changesets, the newest first."""
    for one in _with_session(settings, list_changesets):
        if arguments.json:
            print(msgspec.json.encode(one).decode())
            continue
        end = f"taken back by {one.reverted_by}" if one.reverted_by else "" if one.finished_at else "under way"
        told = " · ".join(word for word in (one.made_by, one.reason, end) if word)
        print(f"{one.id:>6}  {one.begun_at:%Y-%m-%d %H:%M}  {one.kind:<10}  {one.pack[:12]}  {one.changed:>12,} changed  {told}".rstrip())
    return DONE


def _with_session(settings: Settings, ask: Callable[[Any], Awaitable[Given]]) -> Given:
    """Ask the database something over one connection."""

    async def over(url: str) -> Given:
        async with connection(url) as session:
            return await ask(session)

    with running_database(settings) as url:
        return asyncio.run(over(url))
