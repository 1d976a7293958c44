"""What goes into the staging table: input as PostgreSQL reads it, the decision beside it, and the row's place in its chunk."""

from datetime import UTC, date, datetime, time

import pyarrow as pa
import pyarrow.compute as pc

INPUT_COLUMNS = ("id", "descriptor", "amount", "currency", "direction", "mcc", "country", "booked_at", "account_id", "user_id")
KEPT_AS_THEY_ARE = ("id", "descriptor")
DECISION_COLUMNS = (
    "status",
    "merchant_name",
    "merchant_id",
    "processor",
    "category_primary",
    "category_detailed",
    "score",
    "confidence",
    "level",
    "merchant_score",
    "semantic_score",
    "rule_score",
    "alias_id",
    "rule_ids",
)
INSTANT = pa.timestamp("us", "UTC")


def staging_table(transactions: pa.Table, decisions: pa.Table, rows: pa.Array) -> pa.Table:
    """Put the columns side by side.

    The transactions are good rows by the engine's word. Id and descriptor stay as they came; of the other texts the space around
    them goes, and blank ones are null; ``booked_at`` becomes an instant. Amounts stay decimal text, which PostgreSQL reads exactly.
    """
    columns = {name: _input(transactions, name) for name in INPUT_COLUMNS}
    columns |= {name: decisions[name] for name in DECISION_COLUMNS}
    return pa.table(columns | {"row_number": rows.cast(pa.int32())})


def _input(transactions: pa.Table, name: str) -> pa.ChunkedArray:
    if name not in transactions.column_names:
        return pa.chunked_array([pa.nulls(transactions.num_rows, INSTANT if name == "booked_at" else pa.string())])
    column = transactions[name]
    if name == "booked_at":
        return _instants(column)
    text = column.cast(pa.string())
    if name in KEPT_AS_THEY_ARE:
        return text
    trimmed = pc.utf8_trim_whitespace(text)
    kept = pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)
    return pc.ascii_lower(kept) if name == "direction" else kept


def _instants(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Read dates and date-times by their distinct values; without a time they are midnight, without a zone UTC."""
    if pa.types.is_timestamp(column.type) and column.type.tz is not None:
        return column.cast(INSTANT, safe=False)
    encoded = column.cast(pa.string()).combine_chunks().dictionary_encode()
    instants = pa.array([_instant(text) for text in encoded.dictionary.to_pylist()], INSTANT)
    return pa.chunked_array([instants.take(encoded.indices)], INSTANT)


def _instant(text: str) -> datetime | None:
    """Read one value; what stands after a date and is no time is left out, as the engine leaves it out."""
    text = text.strip()
    if not text:
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        read = datetime.combine(date.fromisoformat(text[:10]), time())
    try:
        return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
    except OverflowError:  # a zone that moves the first or last day of the calendar off it
        return read.replace(tzinfo=UTC)
