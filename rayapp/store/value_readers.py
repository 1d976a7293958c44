"""Texts as values of one type: each type's reader gives a column as it is copied, and marks what is no value of the type."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rayapp.scoring.codes import COUNTRIES, CURRENCIES
from rayapp.store.buffers import bytes_of
from rayapp.store.numerics import MOST_DIGITS, numerics

INSTANT, ZONELESS = pa.timestamp("us", "UTC"), pa.timestamp("us")
CALENDAR = tuple(pa.scalar(edge.replace(tzinfo=UTC), INSTANT) for edge in (datetime.min, datetime.max))  # noqa: DTZ901
DATE_LETTERS = len("2025-01-31")
TRUE, FALSE = frozenset({"true", "t", "yes", "y", "1", "on"}), frozenset({"false", "f", "no", "n", "0", "off"})

JSONB_FORMAT = b"\x01"

Marks = NDArray[np.bool_]


class Read(NamedTuple):
    """A column as it is copied; ``bad`` marks rows whose value is not what ``wrong`` says, ``None`` where there are none."""

    column: pa.Array
    bad: Marks | None
    wrong: str = ""


def _as_text(texts: pa.Array) -> Read:
    """Read text: null where it is empty; NUL is bad."""
    bad = marks_of(pc.match_substring(texts, "\0")) if _holds_nul(texts) else None
    lengths = pc.binary_length(texts)
    if len(texts) and pc.min(lengths).as_py() == 0:
        texts = pc.if_else(pc.equal(lengths, 0), pa.scalar(None, pa.string()), texts)
    return Read(texts, bad, "holds a NUL character")


def _holds_nul(texts: pa.Array) -> bool:
    """Look for a NUL byte in the values of an array, all at once."""
    data, ends = bytes_of(texts)
    first, last = int(ends[0]), int(ends[-1])
    return last > first and bool(data[first:last].min() == 0)


def _as_whole(values: pa.Array) -> Read:
    """Read 64-bit whole numbers."""
    if pa.types.is_integer(values.type):
        return Read(values.cast(pa.int64()), None)
    try:
        return Read(values.cast(pa.int64()), None)
    except pa.ArrowInvalid:
        return one_by_one(values, pa.int64(), _whole_of, "is not a whole number of 64 bits")


def _whole_of(text: str) -> int:
    number = int(text)
    if not -(1 << 63) <= number < 1 << 63 or not text.strip().isascii() or "_" in text:
        raise ValueError
    return number


def _as_decimal(texts: pa.Array) -> Read:
    """Read decimals of any precision."""
    column, bad = numerics(texts)
    return Read(column, bad if bad.any() else None, f"is not a decimal number of at most {MOST_DIGITS} digits")


def _as_boolean(values: pa.Array) -> Read:
    """Read yes and no as people write them."""
    if pa.types.is_boolean(values.type):
        return Read(values, None)
    return one_by_one(values, pa.bool_(), _boolean_of, "is neither true nor false")


def _boolean_of(text: str) -> bool:
    word = text.strip().lower()
    if word not in TRUE | FALSE:
        raise ValueError
    return word in TRUE


def _as_date(values: pa.Array) -> Read:
    """Read ISO 8601 dates; a time after the date is left out."""
    if pa.types.is_date32(values.type):
        return Read(values, None)
    return one_by_one(values, pa.date32(), lambda text: date.fromisoformat(text.strip()[:10]), "is not an ISO 8601 date")


def _as_instant(values: pa.Array) -> Read:
    """Read dates and date-times; without a time they are midnight, without a zone UTC."""
    wrong = "is not an ISO 8601 date or date-time"
    if pa.types.is_date(values.type):
        values = values.cast(pa.timestamp("ms"))
    if pa.types.is_timestamp(values.type):
        return Read(values.cast(INSTANT, safe=False) if values.type.tz else values.cast(pa.timestamp("us"), safe=False).cast(INSTANT), None)
    for kind in (INSTANT, ZONELESS) if _begins_with_zone(values) else (ZONELESS, INSTANT):
        try:
            instants = values.cast(kind).cast(INSTANT)
        except pa.ArrowInvalid:
            continue
        if not pc.any(pc.or_(pc.less(instants, CALENDAR[0]), pc.greater(instants, CALENDAR[1]))).as_py():
            return Read(instants, None)
    return one_by_one(values, INSTANT, _instant_of, wrong)


def _begins_with_zone(texts: pa.Array) -> bool:
    """Tell whether the first value has a zone: a cast that does not fit is the dearest, since it words an error for each value."""
    first = next((text.as_py() for text in texts if text.is_valid), "")[DATE_LETTERS:]
    return first.endswith("Z") or first[-6:-5] in {"+", "-"}


def _instant_of(text: str) -> datetime:
    """Read one value; what stands after a date and is no time is left out, as the engine leaves it out."""
    text = text.strip()
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        if text[10:11] not in {"", " ", "T"}:
            raise
        read = datetime.combine(date.fromisoformat(text[:10]), time())
    try:
        return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
    except OverflowError:  # a zone that moves the first or last day of the calendar off it
        return read.replace(tzinfo=UTC)


def _as_currency(texts: pa.Array) -> Read:
    """Read ISO 4217 codes, in capitals."""
    return one_by_one(texts, pa.string(), lambda text: _code(text, CURRENCIES), "is not an ISO 4217 currency code")


def _as_country(texts: pa.Array) -> Read:
    """Read ISO 3166-1 alpha-2 codes, in capitals."""
    return one_by_one(texts, pa.string(), _country_of, "is not an ISO 3166-1 alpha-2 country code")


def _country_of(text: str) -> str:
    return "GB" if text.strip().upper() == "UK" else _code(text, COUNTRIES)


def _code(text: str, known: Any) -> str:  # noqa: ANN401 - a set or a mapping of codes
    code = text.strip().upper()
    if code not in known:
        raise ValueError
    return code


def _as_json(texts: pa.Array) -> Read:
    """Read JSON, for a ``jsonb`` column."""
    return one_by_one(texts, pa.binary(), _json_of, "is not JSON that PostgreSQL can keep")


def _refused(constant: str) -> None:
    raise ValueError(constant)


JSON = json.JSONDecoder(parse_constant=_refused)


def _json_of(text: str) -> bytes:
    JSON.decode(text)
    if "\\u0000" in text or "\0" in text:
        raise ValueError
    return JSONB_FORMAT + text.encode()


def one_by_one(texts: pa.Array, kind: pa.DataType, read: Callable[[str], Any], wrong: str) -> Read:
    """Read by the distinct values; blanks are null."""
    encoded = texts.dictionary_encode()
    values, bad = [], np.zeros(len(encoded.dictionary) + 1, np.bool_)
    for place, text in enumerate(encoded.dictionary.to_pylist()):
        value = None
        if text.strip():
            try:
                value = read(text)
            except (ValueError, RecursionError, OverflowError):
                bad[place] = True
        values.append(value)
    column = pa.array(values, kind).take(encoded.indices)
    if not bad.any():
        return Read(column, None)
    places = encoded.indices.cast(pa.int64()).fill_null(len(encoded.dictionary)).to_numpy()
    return Read(column, bad[places], wrong)


READERS: dict[str, Callable[[pa.Array], Read]] = {
    "text": _as_text,
    "integer": _as_whole,
    "decimal": _as_decimal,
    "boolean": _as_boolean,
    "date": _as_date,
    "instant": _as_instant,
    "currency": _as_currency,
    "country": _as_country,
    "json": _as_json,
}


def marks_of(found: pa.Array) -> Marks:
    """Give booleans of Arrow as marks; null is false."""
    return np.asarray(pc.fill_null(found, fill_value=False).to_numpy(zero_copy_only=False), np.bool_)
