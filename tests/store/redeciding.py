"""Stored transactions for the tests of re-deciding: rows written as a load writes them, and all decisions read back."""

from collections.abc import Sequence
from typing import Any

from rayapp.scoring.classifier import Classifier
from rayapp.scoring.columns import table_of
from rayapp.scoring.text import clean
from rayapp.scoring.transaction import Transaction
from rayapp.store.packs import save_pack
from rayapp.store.targets import DECISION_COLUMNS

CAPITALS = str.maketrans({chr(code): chr(code - 32) for code in range(ord("a"), ord("z") + 1)})


async def store_rows(session: Any, classifier: Classifier, transactions: Sequence[Transaction], version: int = 0) -> None:
    """Write transactions decided by a pack, with the clean view where it is more than capitals."""
    pack = classifier.pack
    await save_pack(session, pack.digest, pack.manifest.name, pack.dump())
    pack_id = await session.fetchval("SELECT id FROM rayapp.pack WHERE digest = $1", pack.digest)
    decided = classifier.classify(table_of(list(transactions))).to_pylist()
    views = [clean(item.descriptor) for item in transactions]
    rows = [
        (
            item.id, item.descriptor, None if view == item.descriptor.translate(CAPITALS) else view, item.amount, item.currency,
            item.direction, item.mcc, item.country, item.booked_at, version,
        )
        for item, view in zip(transactions, views, strict=True)
    ]  # fmt: skip
    await session.executemany(
        "INSERT INTO rayapp.transaction (id, descriptor, clean, amount, currency, direction, mcc, country, booked_at, version)"
        " VALUES ($1, $2, $3, $4::text::numeric, $5, $6, $7, $8, $9::text::timestamptz, $10)",
        rows,
    )
    await session.copy_records_to_table(
        "decision",
        schema_name="rayapp",
        columns=("transaction_id", *DECISION_COLUMNS, "pack_id", "version"),
        records=[(item["id"], *(item[name] for name in DECISION_COLUMNS), pack_id, version) for item in decided],
    )


async def decisions(session: Any) -> dict[str, tuple[Any, ...]]:
    """Give every decision without its pack and time."""
    rows = await session.fetch("SELECT * FROM rayapp.decision")
    return {row["transaction_id"]: tuple(row[name] for name in DECISION_COLUMNS) for row in rows}
