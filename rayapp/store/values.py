"""The border to the database: columns of a dataset as PostgreSQL takes them in binary, and every value that it would refuse by its place.

A value that PostgreSQL refuses takes its whole COPY with it, so what is not named here must be fit for it.
"""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rayapp.datasets import Column, Dataset
from rayapp.errors import Problem
from rayapp.scoring.codes import COUNTRIES, CURRENCIES
from rayapp.store.buffers import bytes_of, plain
from rayapp.store.numerics import MOST_DIGITS, numerics

LONGEST_KEY = 512
"""Bytes of a key's value: PostgreSQL's index takes about 2,700 for all columns of a key."""

INSTANT, ZONELESS = pa.timestamp("us", "UTC"), pa.timestamp("us")
CALENDAR = tuple(pa.scalar(edge.replace(tzinfo=UTC), INSTANT) for edge in (datetime.min, datetime.max))  # noqa: DTZ901
TRUE, FALSE = frozenset({"true", "t", "yes", "y", "1", "on"}), frozenset({"false", "f", "no", "n", "0", "off"})
BLANK = r"^\s*$"
WORDS: dict[str, Callable[[str], str]] = {"mcc": str.strip, "direction": lambda text: text.strip().lower()}
"""Of transactions: texts that are codes, which are kept as codes."""

JSONB_FORMAT = b"\x01"

Marks = NDArray[np.bool_]


class Values(NamedTuple):
    """All rows of a table in the dataset's columns, null where a value is missing or bad, and a problem for each bad value."""

    table: pa.Table
    problems: list[Problem]


class Read(NamedTuple):
    """A column as it is copied; ``bad`` marks rows whose value is not what ``wrong`` says, ``None`` where there are none."""

    column: pa.Array
    bad: Marks | None
    wrong: str = ""


def read_values(dataset: Dataset, table: pa.Table) -> Values:
    """Read every declared column of a table; columns that are not declared are left out, and one that is missing is null throughout.

    Text stays as it came, save that an empty one is null; codes lose the space around them. Types that a Parquet file brings are taken as
    they are where they fit.
    """
    problems: list[Problem] = []
    columns = {}
    for column in dataset.columns:
        found = plain(table[column.name]) if column.name in table.column_names else pa.nulls(table.num_rows, pa.string())
        texts, broken = (found, None) if _fits(column, found.type) else _text(found)
        if dataset.decides and column.name in WORDS:
            texts = _one_by_one(texts, pa.string(), WORDS[column.name], "").column
        read = READERS[column.type](texts)
        problems += _named(column.name, broken, "is not UTF-8")
        problems += _named(column.name, read.bad, read.wrong)
        values = _with_default(column, read.column)
        problems += _key_or_needed(column, values, broken, read.bad, is_key=column.name in dataset.key)
        columns[column.name] = values
    return Values(pa.table(columns), problems)


def _fits(column: Column, kind: pa.DataType) -> bool:
    """Tell whether a typed column needs no reading of texts."""
    match column.type:
        case "integer":
            return bool(pa.types.is_signed_integer(kind))
        case "boolean":
            return bool(pa.types.is_boolean(kind))
        case "date":
            return bool(pa.types.is_date32(kind))
        case "instant":
            return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))
    return False


def _text(column: pa.Array) -> tuple[pa.Array, Marks | None]:
    """Give a column as text; bytes that are not UTF-8, and NUL characters, which no text column takes, are marked and become null."""
    broken = None
    if pa.types.is_nested(column.type):
        column = pa.array([None if value is None else json.dumps(value, default=str) for value in column.to_pylist()], pa.string())
    try:
        texts = column.cast(pa.string())
        if pa.types.is_string(column.type):
            texts.validate(full=True)
    except pa.ArrowInvalid:
        texts, broken = _decoded(column.cast(pa.binary()))
    return texts, broken


def _decoded(column: pa.Array) -> tuple[pa.Array, Marks]:
    """Decode bytes one by one, the slow way that tells which are no UTF-8."""
    broken = np.zeros(len(column), np.bool_)
    texts: list[str | None] = []
    for row, value in enumerate(column.to_pylist()):
        try:
            texts.append(None if value is None else value.decode())
        except UnicodeDecodeError:
            broken[row] = True
            texts.append(None)
    return pa.array(texts, pa.string()), broken


def _as_text(texts: pa.Array) -> Read:
    """Read text: null where it is empty; NUL is bad."""
    bad = _marks(pc.match_substring(texts, "\0")) if _holds_nul(texts) else None
    lengths = pc.binary_length(texts)
    if len(texts) and pc.min(lengths).as_py() == 0:
        texts = pc.if_else(pc.equal(lengths, 0), pa.scalar(None, pa.string()), texts)
    return Read(texts, bad, "holds a NUL character")


def _holds_nul(texts: pa.Array) -> bool:
    """Look for a NUL byte in the values of an array, all at once."""
    data, ends = bytes_of(texts)
    first, last = int(ends[0]), int(ends[-1])
    return last > first and not data[first:last].all()


def _as_whole(values: pa.Array) -> Read:
    """Read 64-bit whole numbers."""
    if pa.types.is_integer(values.type):
        return Read(values.cast(pa.int64()), None)
    try:
        return Read(values.cast(pa.int64()), None)
    except pa.ArrowInvalid:
        return _one_by_one(values, pa.int64(), _whole_of, "is not a whole number of 64 bits")


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
    return _one_by_one(values, pa.bool_(), _boolean_of, "is neither true nor false")


def _boolean_of(text: str) -> bool:
    word = text.strip().lower()
    if word not in TRUE | FALSE:
        raise ValueError
    return word in TRUE


def _as_date(values: pa.Array) -> Read:
    """Read ISO 8601 dates; a time after the date is left out."""
    if pa.types.is_date32(values.type):
        return Read(values, None)
    return _one_by_one(values, pa.date32(), lambda text: date.fromisoformat(text.strip()[:10]), "is not an ISO 8601 date")


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
    return _one_by_one(values, INSTANT, _instant_of, wrong)


def _begins_with_zone(texts: pa.Array) -> bool:
    """Tell whether the first value has a zone: a cast that does not fit is the dearest, since it words an error for each value."""
    first = next((text.as_py() for text in texts if text.is_valid), "")
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
    return _one_by_one(texts, pa.string(), lambda text: _code(text, CURRENCIES), "is not an ISO 4217 currency code")


def _as_country(texts: pa.Array) -> Read:
    """Read ISO 3166-1 alpha-2 codes, in capitals."""
    return _one_by_one(texts, pa.string(), _country_of, "is not an ISO 3166-1 alpha-2 country code")


def _country_of(text: str) -> str:
    return "GB" if text.strip().upper() == "UK" else _code(text, COUNTRIES)


def _code(text: str, known: Any) -> str:  # noqa: ANN401 - a set or a mapping of codes
    code = text.strip().upper()
    if code not in known:
        raise ValueError
    return code


def _as_json(texts: pa.Array) -> Read:
    """Read JSON, for a ``jsonb`` column."""
    return _one_by_one(texts, pa.binary(), _json_of, "is not JSON that PostgreSQL can keep")


def _json_of(text: str) -> bytes:
    def refused(constant: str) -> None:
        raise ValueError(constant)

    json.loads(text, parse_constant=refused)
    if "\\u0000" in text or "\0" in text:
        raise ValueError
    return JSONB_FORMAT + text.encode()


def _one_by_one(texts: pa.Array, kind: pa.DataType, read: Callable[[str], Any], wrong: str) -> Read:
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


def _with_default(column: Column, values: pa.Array) -> pa.Array:
    """Put the default where a value is missing."""
    if column.default is None or not values.null_count:
        return values
    if not column.default:
        return pc.fill_null(values, "")
    return pc.fill_null(values, READERS[column.type](pa.array([column.default], pa.string())).column[0])


def _key_or_needed(column: Column, values: pa.Array, *marks: Marks | None, is_key: bool) -> list[Problem]:
    found: list[Problem] = []
    if column.needed and values.null_count:
        missing = values.is_null().to_numpy(zero_copy_only=False).copy()
        for mark in marks:
            if mark is not None:
                missing &= ~mark
        found += _named(column.name, missing, "is missing")
    if is_key and pa.types.is_string(values.type) and len(values) and (pc.max(pc.binary_length(values)).as_py() or 0) > LONGEST_KEY:
        found += _named(column.name, _marks(pc.greater(pc.binary_length(values), LONGEST_KEY)), f"is longer than {LONGEST_KEY} bytes")
    return found


def _marks(found: pa.Array) -> Marks:
    return np.asarray(pc.fill_null(found, fill_value=False).to_numpy(zero_copy_only=False), np.bool_)


def _named(name: str, bad: Marks | None, wrong: str) -> list[Problem]:
    return [] if bad is None else [Problem(int(row), name, wrong) for row in np.flatnonzero(bad)]
