"""A piece of a source as a file of results: a row for each row of the piece, with its decision or with what is wrong with it.

``row`` is one-based in the source and grows from part to part. A row without a decision has the status ``rejected`` and ``errors``.
"""

import os
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rayapp.errors import Unavailable
from rayapp.scoring.classifier import Classifier
from rayapp.scoring.output import SCHEMA
from rayapp.sources.pieces import Rows

REJECTED = "rejected"
MOST_SHOWN = 1_000

ERRORS = pa.list_(pa.struct([("pointer", pa.string()), ("detail", pa.string())]))
PLAIN = [(field.name, field.type.value_type if pa.types.is_dictionary(field.type) else field.type) for field in SCHEMA]
PART_SCHEMA = pa.schema([("row", pa.int64()), ("line", pa.int64()), *PLAIN, ("merchant_website", pa.string()), ("errors", ERRORS)])


class Written(NamedTuple):
    """A file of results that is complete."""

    rows: int
    rejected: int


class _Bad(NamedTuple):
    row: int
    line: int
    id: str | None
    errors: list[dict[str, str]]


def part_of(parts: Iterable[Rows], classifier: Classifier) -> pa.Table:
    """Classify what was read of a piece; gives a table of ``PART_SCHEMA`` in the order of the source."""
    tables = [table for rows in parts for table in _tables(rows, classifier)]
    return pa.concat_tables([PART_SCHEMA.empty_table(), *tables]).sort_by("row")


def write_part(table: pa.Table, path: Path) -> Written:
    """Write a part so that it is there as a whole or not at all; raises ``Unavailable`` when the disk does not take it."""
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            pq.write_table(table, file, compression="zstd")
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise Unavailable(f"results cannot be written: {error.strerror}") from error
    rejected = pc.sum(pc.equal(table["status"], REJECTED)).as_py() or 0
    return Written(table.num_rows, rejected)


def _tables(rows: Rows, classifier: Classifier) -> Iterable[pa.Table]:
    decided, problems = classifier.classify_rows(rows.table)
    places = np.asarray(rows.places, np.int64)
    good = np.ones(rows.table.num_rows, np.bool_)
    good[[problem.row for problem in problems]] = False
    yield _decided(decided, places[good], rows, classifier)
    bad: dict[int, _Bad] = {}
    for problem in problems:
        place = int(places[problem.row])
        shown = rows.table["id"][problem.row].as_py() if "id" in rows.table.column_names else None
        _add(bad, place, rows, _text(shown), (problem.field, problem.message))
    for unread in rows.unread:
        _add(bad, unread.row, rows, unread.id, (unread.column, unread.message))
    if bad:
        yield _rejected(list(bad.values()))


def _add(bad: dict[int, _Bad], place: int, rows: Rows, row_id: str | None, fault: tuple[str, str]) -> None:
    found = bad.setdefault(place, _Bad(place + 1, rows.line_of(place), row_id, []))
    field, message = fault
    found.errors.append({"pointer": f"#/{field}" if field else "#", "detail": message[:MOST_SHOWN]})


def _decided(decided: pa.Table, places: Any, rows: Rows, classifier: Classifier) -> pa.Table:  # noqa: ANN401 - an array of numpy
    websites = classifier.pack.strings["merchant_website"]
    columns = {name: _plain(decided[name]) for name in decided.column_names}
    columns["merchant_website"] = pa.chunked_array([websites.take(chunk.indices) for chunk in decided["merchant_id"].chunks], pa.string())
    columns["row"] = pa.array(places + 1, pa.int64())
    columns["line"] = pa.array([rows.line_of(int(place)) for place in places], pa.int64())
    columns["errors"] = pa.nulls(decided.num_rows, ERRORS)
    return pa.table([columns[name] for name in PART_SCHEMA.names], schema=PART_SCHEMA)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_dictionary(column.type):
        return column
    return pa.chunked_array([chunk.dictionary_decode() for chunk in column.chunks], column.type.value_type)


def _rejected(bad: Sequence[_Bad]) -> pa.Table:
    given = {
        "row": [each.row for each in bad],
        "line": [each.line for each in bad],
        "id": [each.id for each in bad],
        "status": [REJECTED] * len(bad),
        "errors": [each.errors for each in bad],
    }
    return pa.table([pa.array(given.get(field.name, [None] * len(bad)), field.type) for field in PART_SCHEMA], schema=PART_SCHEMA)


def _text(value: object) -> str | None:
    shown = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    return None if shown is None else str(shown)[:MOST_SHOWN].encode("utf-8", "replace").decode()
