"""Which stored rows a pack can decide otherwise: for each pack that decided some, its difference from the new one, as one condition."""

from collections.abc import Sequence

import asyncpg
import msgspec

from rayapp.errors import InvalidPack
from rayapp.packs.difference import Difference, difference
from rayapp.packs.touched import Clause
from rayapp.scoring.pack import CompiledPack
from rayapp.store.candidates import condition
from rayapp.store.database import errors_as_ours
from rayapp.store.packs import read_pack
from rayapp.store.statements import statements

SQL = statements("redeciding")

NOT_PLAIN = r"t.descriptor ~ '[^ -~]|  |^ | $'"
"""A descriptor whose clean view is more than its capitals."""


class Decider(msgspec.Struct, frozen=True):
    """A pack by which ``rows`` are decided, and how it differs from the new one."""

    pack_id: int
    digest: str
    name: str
    rows: int
    difference: Difference


class Touched(msgspec.Struct, frozen=True):
    """What can change: ``condition`` is SQL on ``t`` and ``d``; ``rows`` are decided by other packs than the new one."""

    condition: str
    deciders: tuple[Decider, ...]
    rows: int

    @property
    def nothing(self) -> bool:
        """Whether no stored row can change."""
        return self.condition == "false"

    @property
    def everything(self) -> str:
        """Why all rows have to be looked at, or an empty string."""
        return next((decider.difference.everything for decider in self.deciders if decider.difference.everything), "")


async def touched_rows(session: asyncpg.Connection, new: CompiledPack) -> Touched:
    """Work out which stored rows ``new`` can decide otherwise than they are decided now; locked ones are not left out.

    Counts what each pack has decided, which reads all decisions.
    """
    with errors_as_ours():
        async with session.transaction():
            await session.execute(SQL["between_reverts"])
            await session.execute(SQL["count_deciders"])
        used = await session.fetch(SQL["deciders"])
    return await _touched(session, used, new)


async def soon_touched_rows(session: asyncpg.Connection, new: CompiledPack) -> Touched:
    """Give the same without a count where the ledgers tell enough: packs that decide no row any more may be among the deciders.

    ``rows`` of each are those of the last count.
    """
    with errors_as_ours():
        used = await session.fetch(SQL["deciders_since"])
    touched = await _touched(session, used, new)
    return touched if used and not touched.everything else await touched_rows(session, new)


async def _touched(session: asyncpg.Connection, used: Sequence[asyncpg.Record], new: CompiledPack) -> Touched:
    with errors_as_ours():
        unviewed = await session.fetchval(SQL["unviewed"])
    deciders = [
        Decider(row["id"], row["digest"], row["name"], row["rows"], await _difference(session, row["digest"], new))
        for row in used
        if row["digest"] != new.digest
    ]
    return Touched(_condition(deciders, unviewed), tuple(deciders), sum(decider.rows for decider in deciders))


async def _difference(session: asyncpg.Connection, digest: str, new: CompiledPack) -> Difference:
    try:
        old = await read_pack(session, digest)
    except InvalidPack:
        return Difference(everything="a stored pack is of an earlier format")
    return difference(old, new)


def _condition(deciders: Sequence[Decider], unviewed: int) -> str:
    """Say for each pack which of its rows are touched; where a clean view may be missing, the row counts as touched.

    What any pack's rows are touched by stands before what each pack's are, so that decisions are looked up of few rows alone.
    """
    differing = [decider for decider in deciders if not decider.difference.nothing]
    if not differing:
        return "false"
    if any(one.difference.everything for one in differing):
        return "true"
    clauses: dict[Clause, None] = dict.fromkeys(clause for one in differing for clause in one.difference.clauses)
    parts = [condition(clauses)]
    if len(differing) > 1:
        parts.append(" OR ".join(f"(d.pack_id = {one.pack_id} AND {condition(one.difference.clauses)})" for one in differing))
    unknown = f" OR (t.version < {unviewed} AND t.clean IS NULL AND {NOT_PLAIN})" if unviewed else ""
    return "(" + " AND ".join(f"({part}{unknown})" for part in parts) + ")"
