"""The border for tables: columns of an Arrow table become the engine's arrays, and every bad value is named by row and field.

A descriptor is read as UTF-8 text of 1 to 512 characters. Optional columns may be missing, null or empty strings alike. A negative amount
without a direction is read as a debit, as most bank exports print it; conditions compare the amount without its sign.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rayapp.errors import InvalidInput, Problem
from rayapp.scoring.evidence import NO_DATE
from rayapp.scoring.short_texts import short_codes
from rayapp.scoring.transaction import Transaction
from rayapp.scoring.values import (
    MAX_DESCRIPTOR,
    MISSING,
    amount_of,
    country_of,
    currency_of,
    day_of,
    descriptor_fault,
    direction_of,
    mcc_of,
    shown,
)

FIELDS = ("id", "descriptor", "amount", "currency", "direction", "mcc", "country", "booked_at", "account_id", "user_id")
DEBIT = 0


class Columns(NamedTuple):
    """Good rows of a table: ids and descriptors as Arrow strings, the rest as arrays of the same length."""

    id: pa.Array
    descriptor: pa.Array
    amount: NDArray[np.float64]
    currency: NDArray[np.int16]
    direction: NDArray[np.int8]
    mcc: NDArray[np.int16]
    country: NDArray[np.int16]
    day: NDArray[np.int32]


def as_table(transactions: Any) -> pa.Table:  # noqa: ANN401 - any frame that can become Arrow
    """Take an Arrow table or record batch, a pandas or polars frame, or anything with the Arrow stream interface."""
    if isinstance(transactions, pa.Table):
        return transactions
    if isinstance(transactions, pa.RecordBatch):
        return pa.Table.from_batches([transactions])
    if hasattr(transactions, "__arrow_c_stream__"):
        return pa.table(transactions)
    if hasattr(transactions, "to_arrow"):
        return transactions.to_arrow()
    if type(transactions).__module__.startswith("pandas"):
        return pa.Table.from_pandas(transactions, preserve_index=False)
    raise InvalidInput(f"transactions must be a table, not {type(transactions).__name__}")


def read_columns(table: pa.Table, *, strict: bool = False) -> tuple[Columns, tuple[Problem, ...]]:
    """Read the rows of a table: the good ones, and a problem for each bad value of the others, by row then field.

    Raises ``InvalidInput`` where the columns ``id`` or ``descriptor`` are missing, a name stands twice, or, if ``strict``, a column is
    unknown.
    """
    _check_names(table.column_names, strict=strict)
    problems: list[Problem] = []
    ids = _texts(table, "id", problems)
    descriptors = _descriptors(table, problems)
    amount = _amounts(table, problems)
    columns = {
        "currency": _coded(table, "currency", currency_of, np.int16, MISSING, problems),
        "direction": _coded(table, "direction", direction_of, np.int8, MISSING, problems),
        "mcc": _coded(table, "mcc", mcc_of, np.int16, MISSING, problems),
        "country": _coded(table, "country", country_of, np.int16, MISSING, problems),
        "day": _coded(table, "booked_at", day_of, np.int32, NO_DATE, problems),
    }
    direction = columns["direction"]
    direction[(direction == MISSING) & (amount < 0)] = DEBIT
    read = Columns(ids, descriptors, np.abs(amount), **columns)
    if not problems:
        return read, ()
    problems.sort(key=lambda problem: (problem.row, FIELDS.index(problem.field)))
    good = np.ones(len(table), bool)
    good[[problem.row for problem in problems]] = False
    return select(read, good), tuple(problems)


def select(columns: Columns, good: NDArray[np.bool_]) -> Columns:
    """Keep the rows where ``good`` holds."""
    mask = pa.array(good)
    return Columns(
        columns.id.filter(mask),
        columns.descriptor.filter(mask),
        columns.amount[good],
        columns.currency[good],
        columns.direction[good],
        columns.mcc[good],
        columns.country[good],
        columns.day[good],
    )


def _check_names(names: list[str], *, strict: bool) -> None:
    for field in ("id", "descriptor"):
        if field not in names:
            raise InvalidInput(f"the column {field!r} is missing; the table has {', '.join(map(repr, names)) or 'none'}")
    twice = sorted({name for name in names if name in FIELDS and names.count(name) > 1})
    if twice:
        raise InvalidInput(f"the column {twice[0]!r} stands twice")
    unknown = [name for name in names if name not in FIELDS]
    if strict and unknown:
        raise InvalidInput(f"unknown column {unknown[0]!r}; known are {', '.join(FIELDS)}")


def _combined(column: pa.ChunkedArray) -> pa.Array:
    """Make one array of a column's chunks."""
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)


def _filled(column: pa.Array, number: int, kind: type[np.number[Any]]) -> NDArray[Any]:
    """Give the values of a column of the numpy type ``kind``, and a number where there is none.

    Read from the buffers: Arrow's own ways to numpy and from bare numbers first import pandas where that is installed, which takes 0.3 s
    and 50 MB.
    """
    if column.null_count:
        one = pa.Array.from_buffers(column.type, 1, [None, pa.py_buffer(np.array([number], kind))])
        column = pc.fill_null(column, one[0])
    values = column.buffers()[1]
    return np.zeros(0, kind) if values is None else np.frombuffer(values, kind)[column.offset : column.offset + len(column)]


def _as_text(table: pa.Table, field: str, problems: list[Problem]) -> pa.Array:
    """Give a column as strings; bytes that are not UTF-8 become a problem and an empty string."""
    column = _combined(table[field])
    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        try:
            column.validate(full=True)
        except pa.ArrowInvalid:
            return _decoded(column.cast(pa.large_binary() if pa.types.is_large_string(column.type) else pa.binary()), field, problems)
        return column if pa.types.is_string(column.type) else _narrowed(column)
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return _decoded(column, field, problems)
    try:
        return column.cast(pa.string())
    except pa.ArrowException:
        raise InvalidInput(f"the column {field!r} has type {column.type}, which cannot be read as text") from None


def _narrowed(column: pa.Array) -> pa.Array:
    """Use 32-bit offsets where the text fits, as a table of up to two gigabytes does."""
    try:
        return column.cast(pa.string())
    except pa.ArrowException:
        raise InvalidInput("a column holds more than two gigabytes of text: send the table in parts") from None


def _decoded(column: pa.Array, field: str, problems: list[Problem]) -> pa.Array:
    """Decode bytes row by row, the slow way that names the rows."""
    texts: list[str | None] = []
    for row, value in enumerate(column.to_pylist()):
        try:
            texts.append(None if value is None else value.decode())
        except UnicodeDecodeError as error:
            problems.append(Problem(row, field, f"byte {error.start} is not UTF-8"))
            texts.append("?")
    return pa.array(texts, pa.string())


def _texts(table: pa.Table, field: str, problems: list[Problem]) -> pa.Array:
    """Read a column of identifiers, which must be neither null nor blank."""
    column = _as_text(table, field, problems)
    if column.null_count:
        problems.extend(
            Problem(row, field, "is missing") for row in np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False)).tolist()
        )
    filled = pc.cast(pc.binary_length(column), pa.bool_())  # no Python value goes to Arrow, which would import pandas for it
    blank = pc.or_(pc.utf8_is_space(column), pc.invert(filled))
    if pc.any(blank).as_py():
        problems.extend(Problem(row, field, "is empty") for row in pc.indices_nonzero(blank).to_pylist())
    return column


def _descriptors(table: pa.Table, problems: list[Problem]) -> pa.Array:
    """Read the descriptors; nulls, blank and too long ones are problems and become empty."""
    column = _as_text(table, "descriptor", problems)
    known = {problem.row for problem in problems if problem.field == "descriptor"}
    lengths = _filled(pc.binary_length(column), 0, np.int32)
    suspects = np.flatnonzero((lengths > MAX_DESCRIPTOR) | (lengths <= 1))
    blank = _blank(column, lengths)
    for row in np.union1d(suspects, blank).tolist():
        fault = descriptor_fault(column[row].as_py())
        if fault and row not in known:
            problems.append(Problem(row, "descriptor", fault))
    return column.fill_null("") if column.null_count else column


def _blank(column: pa.Array, lengths: NDArray[np.integer[Any]]) -> NDArray[np.intp]:
    """Find descriptors of white space alone, looking only at those that begin with it."""
    if not len(column):
        return np.zeros(0, np.intp)
    starts = np.frombuffer(column.buffers()[1], np.int32)[column.offset : column.offset + len(column)]
    content = column.buffers()[2]
    if content is None:
        return np.zeros(0, np.intp)
    first = np.frombuffer(content, np.uint8)
    opening = np.where(lengths > 0, first[np.minimum(starts, max(len(first) - 1, 0))], 0) if len(first) else np.zeros(len(column), np.uint8)
    return np.flatnonzero((opening <= 32) | (opening >= 0xC2) & (opening <= 0xE3) & (lengths <= 8))


def _amounts(table: pa.Table, problems: list[Problem]) -> NDArray[np.float64]:
    """Read the amounts, NaN for missing ones."""
    if "amount" not in table.column_names:
        return np.full(len(table), math.nan)
    column = _combined(table["amount"])
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_null(column.type):
        return np.full(len(table), math.nan)
    try:
        numbers = column.cast(pa.float64(), safe=False)
    except pa.ArrowException:
        return _amounts_one_by_one(column, problems)
    missing = _filled(column.is_null().cast(pa.uint8()), 0, np.uint8) > 0
    values = np.where(missing, math.nan, _filled(numbers, 0, np.float64))
    bad = np.flatnonzero(~np.isfinite(values) & ~missing).tolist()
    problems.extend(Problem(row, "amount", f"{shown(column[row].as_py())} is not a finite number") for row in bad)
    return values


def _amounts_one_by_one(column: pa.Array, problems: list[Problem]) -> NDArray[np.float64]:
    """Read amounts of which some are not numbers, so that each bad one is named."""
    values = np.full(len(column), math.nan)
    for row, value in enumerate(column.to_pylist()):
        try:
            values[row] = math.nan if value is None else amount_of(value)
        except (ValueError, TypeError) as error:
            problems.append(Problem(row, "amount", str(error)))
    return values


def _coded(
    table: pa.Table, field: str, read: Callable[[Any], int], kind: type[np.integer[Any]], missing: int, problems: list[Problem]
) -> NDArray[Any]:
    """Read a column of codes by its distinct values, ``missing`` where there is none."""
    if field not in table.column_names or pa.types.is_null(table.schema.field(field).type):
        return np.full(len(table), missing, kind)
    values, places = _distinct_values(_combined(table[field]))
    numbers = np.full(len(values) + 1, missing, kind)
    faults: Mapping[int, str] = _read_values(values, read, numbers)
    if faults:
        bad = np.isin(places, list(faults))
        problems.extend(Problem(row, field, faults[int(places[row])]) for row in np.flatnonzero(bad).tolist())
    return numbers[places]


def _distinct_values(column: pa.Array) -> tuple[list[Any], NDArray[np.int32]]:
    """Give a column's distinct values, and which of them each row has; -1 where it has none."""
    short = short_codes(column) if pa.types.is_string(column.type) and len(column) else None
    if short is not None:
        places, firsts = short
        return [column[row].as_py() for row in firsts.tolist()], places
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    return encoded.dictionary.to_pylist(), _filled(encoded.indices.cast(pa.int32()), -1, np.int32)


def _read_values(values: list[Any], read: Callable[[Any], int], numbers: NDArray[Any]) -> dict[int, str]:
    """Read distinct values into ``numbers``; gives what is wrong with those that cannot be read."""
    faults: dict[int, str] = {}
    for place, value in enumerate(values):
        if value is None:
            continue
        try:
            numbers[place] = read(_plain(value))
        except (ValueError, TypeError, OverflowError) as error:
            faults[place] = str(error)
    return faults


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
    """Give floats that are whole numbers as integers, for MCC columns that went through a frame with nulls; bytes as text."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value.decode() if isinstance(value, bytes) else value


def table_of(transactions: list[Transaction]) -> pa.Table:
    """Make a table of transactions, every value as text."""
    columns = {
        field: pa.array([None if (value := getattr(item, field)) is None else str(value) for item in transactions], pa.string())
        for field in FIELDS
    }
    return pa.table(columns)
