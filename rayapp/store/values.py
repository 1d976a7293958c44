"""The border to the database: columns of a dataset as PostgreSQL takes them in binary, and every value that it would refuse by its place.

A value that PostgreSQL refuses takes its whole COPY with it, so what is not named here must be fit for it.
"""

import json
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rayapp.datasets import Column, Dataset
from rayapp.errors import Problem
from rayapp.store.buffers import is_ascii, plain
from rayapp.store.value_readers import READERS, Marks, marks_of, one_by_one

LONGEST_KEY = 512
"""Bytes of a key's value: PostgreSQL's index takes about 2,700 for all columns of a key."""

WORDS: dict[str, Callable[[str], str]] = {"mcc": str.strip, "direction": lambda text: text.strip().lower()}
"""Of transactions: texts that are codes, which are kept as codes."""


class Values(NamedTuple):
    """All rows of a table in the dataset's columns, null where a value is missing or bad, and a problem for each bad value."""

    table: pa.Table
    problems: list[Problem]


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
            texts = one_by_one(texts, pa.string(), WORDS[column.name], "").column
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
        if pa.types.is_string(column.type) and not is_ascii(texts):
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
        found += _named(column.name, marks_of(pc.greater(pc.binary_length(values), LONGEST_KEY)), f"is longer than {LONGEST_KEY} bytes")
    return found


def _named(name: str, bad: Marks | None, wrong: str) -> list[Problem]:
    return [] if bad is None else [Problem(int(row), name, wrong) for row in np.flatnonzero(bad)]
