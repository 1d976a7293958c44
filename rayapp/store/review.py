"""Stored decisions that a person should look at, the least sure first."""

from typing import NamedTuple

import asyncpg

from rayapp.store.database import errors_as_ours
from rayapp.store.decided import SQL, Page, page_of


class Unsure(NamedTuple):
    """Where a decision stands in the list."""

    confidence: float
    id: str


FIRST = Unsure(-1.0, "")
INDEXED = 0.9
"""Less sure decisions are found by an index; beyond it every decision is looked at, where so few are less sure that the page has room."""


async def to_review(session: asyncpg.Connection, below: float, after: Unsure | None, most: int) -> Page[Unsure]:
    """Give at most so many decisions with a confidence ``below`` a bound that no person has made, behind one of the list."""
    behind = after or FIRST
    with errors_as_ours():
        found = await session.fetch(SQL["unsure"], below, *behind, most + 1)
        if below > INDEXED and len(found) <= most:
            found += await session.fetch(SQL["surer"], below, *behind, most + 1 - len(found))
    return await page_of(session, [Unsure(*row) for row in found], most)
