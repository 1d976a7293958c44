"""What a job costs its client: its rows, out of the same bucket as those of other requests, and a place among so many that wait.

A job is taken unless the bucket is in debt, and may leave it in debt by as much as it can hold: whoever sends large jobs waits longer for
the next, and single requests are not shut out for the hours that a large job would be worth. Rows that nobody has counted, in a packed
file or at an address, cost a full bucket.
"""

import asyncpg

from rayapp.serve.admission import Client
from rayapp.serve.overload import QuotaExceeded, Retry, TooManyAtOnce
from rayapp.serve.queueing import Tier
from rayapp.store.api_keys import debit_rows
from rayapp.store.client_jobs import live_jobs, seconds_per_job

MOST_LIVE: dict[Tier, int] = {"priority": 200, "standard": 100, "bulk": 200}
"""Jobs of one key that may be queued or running."""

OTHERWISE_S = 60.0
"""Until there is room, where nothing is known of the client's jobs."""


async def pay(session: asyncpg.Connection, client: Client, rows: int | None) -> None:
    """Take a job's rows, in the transaction that makes it. Raises ``QuotaExceeded`` or ``TooManyAtOnce``, which say until when."""
    if client.bucket is None:
        return
    debit = await debit_rows(session, client.key_id, client.bucket.allowance.burst_rows if rows is None else rows)
    if debit.wait_s > 0:
        raise QuotaExceeded("the jobs of this key have used up its rows, and more", [Retry(debit.wait_s)])
    client.bucket.debited(debit.left)
    most = MOST_LIVE[client.tier]
    if await live_jobs(session, client.name, most) >= most:
        after_s = await seconds_per_job(session, client.name) or OTHERWISE_S
        raise TooManyAtOnce(f"{most} jobs of this key are queued or running, which is the most", [Retry(after_s)])


async def check_means(session: asyncpg.Connection, client: Client) -> None:
    """Raise what ``pay`` would for a job of no rows: before an upload is taken in that would be refused after it."""
    await pay(session, client, 0)
