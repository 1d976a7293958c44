"""Plans: what a pack would change about stored decisions, worked out row by row and written down, and nothing else done."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from rayapp.errors import InvalidInput, Unavailable
from rayapp.packs.difference_rules import changed_rules
from rayapp.scoring.classifier import Classifier
from rayapp.scoring.pack import CompiledPack
from rayapp.store.changesets import STEP, refuse_first_load, stage
from rayapp.store.corrections import broken_corrections
from rayapp.store.database import connection, errors_as_ours
from rayapp.store.packs import current_pack, read_pack
from rayapp.store.plan_report import Examined, Report, write_report
from rayapp.store.statements import statements
from rayapp.store.stored_rows import Range, decide, read_rows
from rayapp.store.touched_rows import Touched, touched_rows

SQL = statements("plans")
ROWS_SQL = statements("redeciding")

SESSIONS = 2
MOST_RULES = 50
"""Changed rules of which it is told where they fire in vain."""

Tell = Callable[[int, int], None]
"""Called with the ranges done and all ranges."""


class PlanRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is planned: a stored pack by its digest, over the rows that it can touch or over all. ``override``: see ``refuse_broken``."""

    pack: str
    full: bool = False
    made_by: str = ""
    reason: str = ""
    override: str = ""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan as it is stored. ``active`` is the pack that was active when it was made, ``changeset_id`` what carried it out."""

    id: int
    pack: str
    name: str
    active: str | None
    state: str
    whole: bool
    made_by: str
    reason: str
    override: str
    report: Report
    begun_at: datetime
    finished_at: datetime
    changeset_id: int | None

    @property
    def blocked(self) -> bool:
        """Whether it breaks corrections and nobody has said why it may."""
        return bool(self.report.broken) and not self.override


async def make_plan(url: str, request: PlanRequest, tell: Tell = lambda _done, _all: None) -> Plan:
    """Work out what a stored pack would change, and keep it for ``apply_plan``.

    Raises ``InvalidInput`` when the pack is not stored, ``Unavailable`` when rows were written meanwhile: plan again.
    """
    async with connection(url) as session:
        with errors_as_ours():
            await refuse_first_load(session)
        active = await current_pack(session)
        new = await read_pack(session, request.pack)
        classifier = Classifier(new)
        with errors_as_ours():
            wanted = (request.pack, active, request.full, request.made_by, request.reason, request.override)
            plan_id = await session.fetchval(SQL["begin"], *wanted)
        try:
            touched = await touched_rows(session, new)
            rules = await _changed_rules(session, active, new)
            examined = Examined(rules)
            work = _Work(url, plan_id, classifier, _condition(request, touched), examined)
            await work.run(await _ranges(session, request, touched), tell)
            broken = await broken_corrections(session, classifier)
            await write_report(session, plan_id, touched, examined, broken)
            await _refuse_moved(session, plan_id)
        except BaseException:
            with errors_as_ours():
                await session.execute(SQL["drop"], plan_id)
            raise
        return await fetch_plan(session, plan_id)


async def fetch_plan(session: asyncpg.Connection, plan_id: int) -> Plan:
    """Give a plan that was made; raises ``InvalidInput`` when there is none."""
    with errors_as_ours():
        row = await session.fetchrow(SQL["plan"], plan_id)
    if row is None or row["report"] is None:
        raise InvalidInput(f"there is no plan {plan_id}")
    return Plan(**{**dict(row), "report": msgspec.json.decode(row["report"], type=Report)})


def _condition(request: PlanRequest, touched: Touched) -> str:
    return "true" if request.full else touched.condition


async def _ranges(session: asyncpg.Connection, request: PlanRequest, touched: Touched) -> list[Range]:
    if touched.nothing and not request.full:
        return []
    with errors_as_ours():
        blocks = await session.fetchval(ROWS_SQL["blocks"])
    return [Range(first, first + STEP) for first in range(0, blocks, STEP)]


async def _changed_rules(session: asyncpg.Connection, active: str | None, new: CompiledPack) -> dict[int, tuple[str, str]]:
    """Give the rules of the new pack that the active one does not have so, by number: their ids and categories."""
    if active is None or active == new.digest:
        return {}
    return dict(list(changed_rules(await read_pack(session, active), new).items())[:MOST_RULES])


async def _refuse_moved(session: asyncpg.Connection, plan_id: int) -> None:
    with errors_as_ours():
        row = await session.fetchrow(SQL["plan"], plan_id)
        if row["state"] != await session.fetchval(SQL["state"]):
            raise Unavailable("transactions or decisions were written while the plan was made: plan again")


class _Work:
    """Goes through the ranges in a few sessions side by side."""

    def __init__(self, url: str, plan_id: int, classifier: Classifier, condition: str, examined: Examined) -> None:
        self._url = url
        self._plan_id = plan_id
        self._classifier = classifier
        self._condition = condition
        self._examined = examined
        self._done = 0

    async def run(self, ranges: list[Range], tell: Tell) -> None:
        left = iter(ranges)
        with errors_as_ours():
            await asyncio.gather(*(self._session(left, lambda: tell(self._done, len(ranges))) for _ in range(min(SESSIONS, len(ranges)))))

    async def _session(self, left: Iterator[Range], tell: Callable[[], None]) -> None:
        async with connection(self._url) as session:
            for blocks in left:
                async with session.transaction(isolation="repeatable_read"):
                    await self._range(session, blocks)
                self._done += 1
                tell()

    async def _range(self, session: Any, blocks: Range) -> None:  # noqa: ANN401 - a connection of asyncpg, which has no types
        pack_id = await session.fetchval(ROWS_SQL["pack_id"], self._classifier.pack.digest)
        stored = await read_rows(
            session, blocks, f"(d.pack_id <> {pack_id} AND {self._condition})" if self._condition != "true" else "true"
        )
        decided = await asyncio.to_thread(decide, self._classifier, stored)
        await asyncio.to_thread(self._examined.add, self._classifier, decided)
        if decided.changed.any():
            await stage(session, decided, only_changed=True)
            await session.execute(ROWS_SQL["write_planned"], self._plan_id, pack_id)
