"""A table of decisions as messages, one for each row: the same values that ``Classifier.classify_one`` gives, so the same JSON."""

from typing import Any

import pyarrow as pa

from rayapp.scoring.pack import CompiledPack
from rayapp.scoring.transaction import Category, Classification, Merchant


def decisions_of(table: pa.Table, pack: CompiledPack) -> list[Classification]:
    """Read the rows of a table that ``Classifier.classify`` gave; ``pack`` is the one that decided and knows the merchants' websites."""
    column = {name: table[name].to_pylist() for name in table.column_names}
    ids, processors = _texts(table["merchant_id"]), _texts(table["processor"])
    merchants = zip(column["merchant_name"], ids, _websites(table["merchant_id"], pack), processors, strict=True)
    categories = zip(column["category_primary"], column["category_detailed"], strict=True)
    rows = zip(
        column["id"],
        column["status"],
        (Merchant(*merchant) for merchant in merchants),
        (Category(primary, detailed) if detailed is not None else None for primary, detailed in categories),
        column["score"],
        column["confidence"],
        column["level"],
        column["merchant_score"],
        column["semantic_score"],
        column["rule_score"],
        _texts(table["alias_id"]),
        map(tuple, column["rule_ids"]),
        column["pack"],
        strict=True,
    )
    return [Classification(*row) for row in rows]


def _texts(column: pa.ChunkedArray) -> list[str | None]:
    """Give texts, an empty one as none."""
    return [value or None for value in column.to_pylist()]


def _websites(merchants: pa.ChunkedArray, pack: CompiledPack) -> list[str | None]:
    """Give each row's website; merchants are coded by their place in the pack's tables."""
    websites: Any = pack.strings["merchant_website"]
    return [value or None for chunk in merchants.chunks for value in websites.take(chunk.indices).to_pylist()]
