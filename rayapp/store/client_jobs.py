"""How much of one client's work waits, and how fast it gets done."""

import asyncpg

from rayapp.store.database import errors_as_ours
from rayapp.store.statements import statements

SQL = statements("client_jobs")


async def live_jobs(session: asyncpg.Connection, creator: str, most: int) -> int:
    """Count a creator's jobs that are queued or running, up to ``most``."""
    with errors_as_ours():
        found: int = await session.fetchval(SQL["live"], creator, most)
    return found


async def seconds_per_job(session: asyncpg.Connection, creator: str) -> float | None:
    """Give the seconds after which one more of a creator's jobs has ended of late; ``None`` when none has."""
    with errors_as_ours():
        found: float | None = await session.fetchval(SQL["pace"], creator)
    return found
