"""A table of decisions as messages, one for each row: the same values that ``Classifier.classify_one`` gives, so the same JSON."""

from typing import Any

import pyarrow as pa

from rayapp.scoring.pack import CompiledPack
from rayapp.scoring.transaction import Category, Classification, Merchant


def decisions_of(table: pa.Table, pack: CompiledPack) -> list[Classification]:
    """Read the rows of a table that ``Classifier.classify`` gave; ``pack`` is the one that decided and knows the merchants' websites."""
    column = {name: _values(table[name]) for name in table.column_names}
    ids, processors = _texts(column["merchant_id"]), _texts(column["processor"])
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
        _texts(column["alias_id"]),
        map(tuple, column["rule_ids"]),
        column["pack"],
        strict=True,
    )
    return [Classification(*row) for row in rows]


def _values(column: pa.ChunkedArray) -> list[Any]:
    """Give a column's values; a coded one is written out first, since Arrow turns those into Python's one by one at 2 µs each."""
    if pa.types.is_dictionary(column.type):
        return [value for chunk in column.chunks for value in chunk.dictionary_decode().to_pylist()]
    return column.to_pylist()  # type: ignore[no-any-return]


def _texts(values: list[str | None]) -> list[str | None]:
    """Give an empty text as none."""
    return [value or None for value in values]


def _websites(merchants: pa.ChunkedArray, pack: CompiledPack) -> list[str | None]:
    """Give each row's website; merchants are coded by their place in the pack's tables."""
    websites: Any = pack.strings["merchant_website"]
    return [value or None for chunk in merchants.chunks for value in websites.take(chunk.indices).to_pylist()]
