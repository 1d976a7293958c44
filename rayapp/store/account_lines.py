"""The lines of an account, newest first; those without a date come last."""

from datetime import datetime
from typing import NamedTuple

import asyncpg

from rayapp.store.database import errors_as_ours
from rayapp.store.decided import SQL, Page, page_of


class Booked(NamedTuple):
    """Where a line stands in the list: when it was booked, and its id."""

    at: datetime | None
    id: str


async def account_lines(session: asyncpg.Connection, account: str, after: Booked | None, most: int) -> Page[Booked]:
    """Give at most so many lines of an account, behind one of the list. Of lines booked at one time the higher id comes first."""
    behind = ("infinity", "") if after is None else (after.at.isoformat() if after.at else "-infinity", after.id)
    with errors_as_ours():
        rows = await session.fetch(SQL["of_account"], account, *behind, most + 1)
    return await page_of(session, [Booked(*row) for row in rows], most)
