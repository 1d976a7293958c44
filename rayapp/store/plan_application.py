"""Plans carried out and changes taken back: each in one transaction, all rows or none, reversible by the changeset's id."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg
import msgspec

from rayapp.errors import InvalidInput
from rayapp.scoring.classifier import Classifier
from rayapp.store.corrections import Broken, broken_corrections, has_corrections, refuse_broken
from rayapp.store.database import errors_as_ours
from rayapp.store.packs import activate_pack, current_pack, read_pack
from rayapp.store.plans import Plan, fetch_plan
from rayapp.store.statements import statements

SQL = statements("plans")
TAKEN_BACK = ("apply", "reclassify", "correction")
MOST_NAMED = 1_000


class Changeset(msgspec.Struct, frozen=True, kw_only=True):
    """A change of stored decisions; the columns of ``rayapp.changeset``, where each is explained."""

    id: int
    kind: str
    pack: str
    former_pack: str | None
    plan_id: int | None
    reverts: int | None
    made_by: str
    reason: str
    changed: int
    begun_at: datetime
    finished_at: datetime | None
    forgotten_at: datetime | None
    reverted_by: int | None


class Edited(msgspec.Struct, frozen=True):
    """A row that was not put back, and why."""

    transaction_id: str
    why: str


class Reverted(msgspec.Struct, frozen=True):
    """A change taken back: ``changeset`` did it. ``active`` is the pack that was made active again, if any; ``left`` counts ``edited``."""

    changeset: int
    restored: int
    active: str | None
    left: int
    edited: list[Edited]
    """The first rows that were not put back."""


async def apply_plan(session: asyncpg.Connection, plan_id: int, *, made_by: str = "", override: str = "") -> Changeset:
    """Write exactly what a plan says and make its pack the active one, at once or not at all.

    Raises ``InvalidInput`` when the plan was carried out before, when the active pack, a transaction or a decision is another than when
    it was made, or when it breaks corrections and nobody says why it may.
    """
    with errors_as_ours():
        async with session.transaction():
            await session.execute(SQL["lock"])
            plan = await fetch_plan(session, plan_id)
            await _refuse(session, plan)
            refuse_broken(plan.report.broken, override or plan.override)
            reason = plan.reason or f"plan {plan.id}"
            changeset = await session.fetchval(
                SQL["open_apply"], plan.id, made_by or plan.made_by, _with(reason, override or plan.override)
            )
            await session.execute(SQL["keep_planned"], plan.id, changeset)
            written = _count(await session.execute(SQL["write_planned"], plan.id))
            if written != await session.fetchval(SQL["planned_rows"], plan.id):
                raise InvalidInput(f"plan {plan.id}: rows were written while it was carried out: plan again")
            await session.execute(SQL["close_apply"], plan.id, changeset, written)
            await activate_pack(session, plan.pack, f"plan {plan.id}: {reason}")
    return await fetch_changeset(session, changeset)


async def _refuse(session: asyncpg.Connection, plan: Plan) -> None:
    """Refuse a plan that is no longer about what is stored."""
    if plan.changeset_id is not None:
        raise InvalidInput(f"plan {plan.id} was carried out before, by changeset {plan.changeset_id}")
    active = await current_pack(session)
    if active != plan.active:
        raise InvalidInput(f"the active pack was {_short(plan.active)} when plan {plan.id} was made, and is {_short(active)}: plan again")
    if await session.fetchval(SQL["state"]) != plan.state:
        raise InvalidInput(f"transactions or decisions were written since plan {plan.id} was made: plan again")
    moved = [row["transaction_id"] for row in await session.fetch(SQL["moved_rows"], plan.id)]
    if moved:
        raise InvalidInput.of(f"rows are not as plan {plan.id} found them: plan again", moved)


async def revert_changeset(session: asyncpg.Connection, changeset_id: int, *, made_by: str = "", reason: str = "") -> Reverted:
    """Put back what a changeset changed, but for rows that were edited since, which are named.

    Where the changeset's pack is still the active one that it made active, the former pack is made active again. Raises ``InvalidInput``
    when there is no such changeset, when it is under way, was taken back before or is itself a revert.
    """
    with errors_as_ours():
        async with session.transaction():
            await session.execute(SQL["lock"])
            change = await fetch_changeset(session, changeset_id)
            _refuse_revert(change)
            edited = await session.fetch(SQL["edited_rows"], change.id)
            revert = await session.fetchval(SQL["open_revert"], change.id, made_by, reason)
            await session.execute(SQL["keep_reverted"], change.id, revert)
            restored = _count(await session.execute(SQL["write_reverted"], change.id, revert))
            if change.kind == "correction" and restored:
                await session.execute(SQL["withdraw"], change.id)
            await session.execute(SQL["close_changeset"], revert, restored)
            back = change.former_pack if change.former_pack and await current_pack(session) == change.pack else None
            if back:
                await activate_pack(session, back, f"changeset {change.id} taken back")
    named = [Edited(row["transaction_id"], row["why"]) for row in edited[:MOST_NAMED]]
    return Reverted(revert, restored, back, len(edited), named)


def _refuse_revert(change: Changeset) -> None:
    if change.kind not in TAKEN_BACK:
        raise InvalidInput(f"changeset {change.id} is a {change.kind}, which is not taken back: plan again")
    if change.finished_at is None:
        raise InvalidInput(f"changeset {change.id} is not finished: `rayapp reclassify` goes on with it")
    if change.reverted_by is not None:
        raise InvalidInput(f"changeset {change.id} was taken back before, by changeset {change.reverted_by}")
    if change.forgotten_at is not None:
        raise InvalidInput(f"how rows were before changeset {change.id} was forgotten on {change.forgotten_at:%Y-%m-%d}")


async def fetch_changeset(session: asyncpg.Connection, changeset_id: int) -> Changeset:
    """Give a changeset; raises ``InvalidInput`` when there is none."""
    with errors_as_ours():
        row = await session.fetchrow(SQL["changeset"], changeset_id)
    if row is None:
        raise InvalidInput(f"there is no changeset {changeset_id}")
    return Changeset(**dict(row))


async def list_changesets(session: asyncpg.Connection, most: int = 50) -> list[Changeset]:
    """Give the last changesets, the newest first."""
    with errors_as_ours():
        rows: Sequence[asyncpg.Record] = await session.fetch(SQL["changesets"], most)
    return [Changeset(**dict(row)) for row in rows]


async def activate_checked(session: asyncpg.Connection, digest: str, reason: str = "", override: str = "") -> int:
    """Make a stored pack the active one if it breaks no correction, or if someone says why it may; gives the activation's id."""
    broken: Sequence[Broken] = ()
    if await has_corrections(session):
        broken = await broken_corrections(session, Classifier(await read_pack(session, digest)))
    refuse_broken(broken, override)
    return await activate_pack(session, digest, _with(reason, override if broken else ""))


def _with(reason: str, override: str) -> str:
    return f"{reason} (corrections overridden: {override})" if override else reason


def _count(tag: str) -> int:
    """Read the count of rows off a command's tag."""
    return int(tag.rsplit(" ", 1)[-1])


def _short(digest: str | None) -> str:
    return digest[:12] if digest else "none"
