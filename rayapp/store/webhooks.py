"""Who is told when a job ends. The job that tells is made by the database, in the transaction that ends the other."""

from uuid import UUID

import asyncpg
import msgspec

from rayapp.store.database import errors_as_ours
from rayapp.store.statements import statements

SQL = statements("webhooks")


class Webhook(msgspec.Struct, frozen=True):
    """Where to tell, and the secrets to sign with, in the form ``whsec_`` and base64."""

    url: str
    secrets: tuple[str, ...]

    def __repr__(self) -> str:
        """Show no secret."""
        return f"Webhook({self.url!r}, {len(self.secrets)} secrets)"


async def add_webhook(session: asyncpg.Connection, job: UUID, webhook: Webhook) -> None:
    """Have someone told when a job ends."""
    with errors_as_ours():
        await session.execute(SQL["add"], job, webhook.url, list(webhook.secrets))


async def inherit_webhook(session: asyncpg.Connection, former: UUID, job: UUID) -> None:
    """Have whoever is told of one job told of another."""
    with errors_as_ours():
        await session.execute(SQL["inherit"], former, job)


async def webhook_of(session: asyncpg.Connection, job: UUID) -> Webhook | None:
    """Give who is told of a job."""
    with errors_as_ours():
        row = await session.fetchrow(SQL["of"], job)
    return None if row is None else Webhook(row["url"], tuple(row["secrets"]))
