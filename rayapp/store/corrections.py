"""What people say of single transactions: it holds whatever packs decide, and later packs are asked whether they decide so too."""

from collections.abc import Sequence

import asyncpg
import msgspec

from rayapp.errors import InvalidInput
from rayapp.scoring.classifier import Classifier
from rayapp.scoring.columns import table_of
from rayapp.scoring.transaction import Transaction
from rayapp.store.database import errors_as_ours
from rayapp.store.packs import read_pack
from rayapp.store.statements import statements

SQL = statements("corrections")
INPUTS = ("id", "descriptor", "amount", "currency", "direction", "mcc", "country", "booked_at")
MOST_SHOWN = 3


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """A person's word on a transaction. ``category`` is a detailed code; ``merchant`` a name, ``None`` to leave the pack's word.

    ``regression``: whether packs must decide so from now on; not for an exception that says nothing of other rows.
    """

    transaction_id: str
    category: str
    made_by: str
    merchant: str | None = None
    reason: str = ""
    regression: bool = True


class Corrected(msgspec.Struct, frozen=True):
    """A correction as it was written: reversible by its changeset."""

    correction: int
    changeset: int
    transaction: Transaction
    before: str | None
    """The detailed category that it had."""
    after: str
    pack: str
    """Digest of the pack that is corrected."""


class Broken(msgspec.Struct, frozen=True):
    """A correction that a pack does not agree with."""

    correction: int
    transaction_id: str
    descriptor: str
    wanted: str
    """What the person said: a detailed category, or a merchant's name."""
    given: str | None
    made_by: str

    def __str__(self) -> str:
        """Say it in a line."""
        return f"{self.transaction_id} {self.descriptor!r} is {self.wanted} as {self.made_by} says, and would be {self.given or 'nothing'}"


async def correct(session: asyncpg.Connection, wanted: Correction) -> Corrected:
    """Decide a transaction by a person's word and lock it, in one transaction with its history.

    Raises ``InvalidInput`` when there is no such transaction or category, or nobody's name is given.
    """
    if not wanted.made_by.strip():
        raise InvalidInput("a correction needs the name of who makes it")
    with errors_as_ours():
        async with session.transaction():
            await session.execute("SELECT pg_advisory_xact_lock_shared(hashtext('rayapp.decisions'))")
            row = await session.fetchrow(SQL["row"], wanted.transaction_id)
            if row is None:
                raise InvalidInput(f"there is no transaction {wanted.transaction_id!r}")
            primary = await _primary(session, row["pack"], wanted.category)
            changeset = await session.fetchval(SQL["open"], row["pack_id"], wanted.made_by, wanted.reason)
            merchant = (wanted.merchant or "").strip() or None
            correction = await session.fetchval(
                SQL["record"], changeset, row["id"], primary, wanted.category, merchant, wanted.regression, wanted.made_by, wanted.reason
            )
            await session.execute(SQL["keep"], changeset, row["id"], primary, wanted.category, merchant)
            await session.execute(SQL["write"], changeset)
    given = Transaction(**{name: row[name] for name in INPUTS})
    return Corrected(correction, changeset, given, row["category_detailed"], wanted.category, row["pack"])


async def _primary(session: asyncpg.Connection, digest: str, category: str) -> str:
    """Give the group of a category in the pack's taxonomy."""
    pack = await read_pack(session, digest)
    codes: list[str] = pack.strings["category"].to_pylist()
    if category not in codes:
        near = [code for code in codes if category.upper() in code][:MOST_SHOWN]
        hint = f": did you mean {', '.join(near)}?" if near else ""
        raise InvalidInput(f"there is no category {category!r} in pack {digest[:12]}{hint}")
    return str(pack.strings["primary"][int(pack.arrays["category/primary"][codes.index(category)])].as_py())


async def has_corrections(session: asyncpg.Connection) -> bool:
    """Say whether packs have any correction to agree with."""
    with errors_as_ours():
        return bool(await session.fetchval(SQL["any"]))


async def broken_corrections(session: asyncpg.Connection, classifier: Classifier) -> list[Broken]:
    """Give the corrections that a pack does not agree with, oldest first: it gives another category, or another merchant's name."""
    with errors_as_ours():
        rows: Sequence[asyncpg.Record] = await session.fetch(SQL["standing"])
    if not rows:
        return []
    decided = classifier.classify(table_of([Transaction(**{name: row[name] for name in INPUTS}) for row in rows])).to_pylist()
    found = []
    for row, decision in zip(rows, decided, strict=True):
        if decision["category_detailed"] != row["category_detailed"]:
            given, wanted = decision["category_detailed"], row["category_detailed"]
        elif row["merchant_name"] is not None and _folded(decision["merchant_name"]) != _folded(row["merchant_name"]):
            given, wanted = decision["merchant_name"], row["merchant_name"]
        else:
            continue
        found.append(Broken(row["correction"], row["id"], row["descriptor"], wanted, given, row["made_by"]))
    return found


def _folded(name: str | None) -> str:
    """Give what of a name counts: its letters and digits."""
    return "".join(char for char in (name or "").casefold() if char.isalnum())


def refuse_broken(broken: Sequence[Broken], override: str) -> None:
    """Raise ``InvalidInput`` where a pack breaks corrections and nobody says why it may."""
    if broken and not override.strip():
        raise InvalidInput.of(f"the pack breaks {len(broken)} corrections; give the reason to override them", broken)
