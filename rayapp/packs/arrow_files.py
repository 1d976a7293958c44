"""The Parquet files of a pack, checked by column and kept as Arrow tables: 19,000 merchants are no reason for 19,000 objects."""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rayapp.packs.faults import Faults, quoted
from rayapp.packs.source import Place
from rayapp.scoring.codes import COUNTRIES, WITHDRAWN_COUNTRIES

MAX_ROWS = 2_000_000
MAX_BYTES = 512 * 2**20
"""Of a file, uncompressed."""
MAX_SHOWN = 5
MATCHES = ("", "first", "weak", "exact")
PLACE_KINDS = ("city", "region", "country")

GAZETTEER = pa.schema(
    [
        ("id", pa.string()),
        ("name", pa.string()),
        ("category", pa.string()),
        ("aliases", pa.list_(pa.string())),
        ("countries", pa.list_(pa.string())),
        ("website", pa.string()),
        ("match", pa.string()),
        ("weight", pa.float64()),
    ]
)
PLACES = pa.schema(
    [
        ("name", pa.string()),
        ("kind", pa.string()),
        ("country", pa.string()),
        ("region", pa.string()),
        ("population", pa.int64()),
        ("common", pa.bool_()),
    ]
)
OPTIONAL = {"common"}
"""Columns that may be missing, and then hold false."""


def read_gazetteer(path: Path, file: str, faults: Faults) -> pa.Table | None:
    """Read ``gazetteer.parquet``."""
    table = _read(path, file, GAZETTEER, faults)
    if table is None:
        return None
    weight = table["weight"]
    inside = pc.and_(pc.is_finite(weight), pc.and_(pc.greater_equal(weight, 0), pc.less_equal(weight, 1)))
    wrong = {
        "id": (pc.equal(table["id"], ""), "is empty"),
        "name": (pc.equal(table["name"], ""), "is empty"),
        "match": (_not_in(table["match"], MATCHES), "is not known"),
        "weight": (pc.invert(inside), "is not between 0 and 1"),
    }
    _refuse_rows(table, wrong, file, faults)
    codes = pc.unique(pc.list_flatten(table["countries"])).to_pylist()
    _refuse_codes({str(code) for code in codes} - COUNTRIES, file, "countries", faults)
    return table


def read_places(path: Path, file: str, faults: Faults) -> pa.Table | None:
    """Read ``places.parquet``."""
    table = _read(path, file, PLACES, faults)
    if table is None:
        return None
    wrong = {
        "name": (pc.equal(table["name"], ""), "is empty"),
        "kind": (_not_in(table["kind"], PLACE_KINDS), "is not known"),
        "population": (pc.less(table["population"], 0), "is negative"),
    }
    _refuse_rows(table, wrong, file, faults)
    _refuse_codes(set(pc.unique(table["country"]).to_pylist()) - COUNTRIES - WITHDRAWN_COUNTRIES - {""}, file, "country", faults)
    return table


def _read(path: Path, file: str, schema: pa.Schema, faults: Faults) -> pa.Table | None:
    """Read the columns of ``schema``, without nulls; a fault and ``None`` where that cannot be."""
    place = Place(file, 1)
    try:
        with pq.ParquetFile(path) as parquet:
            rows, names = parquet.metadata.num_rows, parquet.schema_arrow.names
            content = sum(parquet.metadata.row_group(group).total_byte_size for group in range(parquet.num_row_groups))
            if rows > MAX_ROWS or content > MAX_BYTES:
                faults.error(place, f"{rows:,} rows of {content:,} bytes, and the most is {MAX_ROWS:,} of {MAX_BYTES:,}")
                return None
            missing = [name for name in schema.names if name not in names and name not in OPTIONAL]
            for name in missing:
                faults.error(place, f"missing column {name}", faults.closest(name, names))
            return None if missing else _cast(parquet.read([name for name in schema.names if name in names]), schema, place, faults)
    except (pa.ArrowException, OSError, ValueError) as error:
        faults.error(place, f"not Parquet that can be read: {str(error).splitlines()[0]}")
        return None


def _cast(table: pa.Table, schema: pa.Schema, place: Place, faults: Faults) -> pa.Table | None:
    """Give the columns their types: dictionaries become strings, narrow numbers wide ones, nulls the empty value."""
    columns = []
    for field in schema:
        column = table[field.name] if field.name in table.column_names else pa.nulls(len(table), field.type)
        try:
            columns.append(_filled(column.cast(field.type), field.type))
        except pa.ArrowException:
            faults.error(place, f"column {field.name} holds {column.type}, and must hold {field.type}")
    return pa.table(columns, schema=schema) if len(columns) == len(schema) else None


def _filled(column: pa.Array | pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    if not column.null_count:
        return column
    if pa.types.is_list(kind):
        return pc.if_else(pc.is_valid(column), column, pa.scalar([], kind))
    return pc.fill_null(column, "" if pa.types.is_string(kind) else pa.scalar(0).cast(kind))


def _not_in(column: pa.ChunkedArray, known: tuple[str, ...]) -> pa.ChunkedArray:
    return pc.invert(pc.is_in(column, value_set=pa.array(known)))


def _refuse_rows(table: pa.Table, wrong: Mapping[str, tuple[pa.ChunkedArray, str]], file: str, faults: Faults) -> None:
    """Add a fault for each of the first few rows of each column that are wrong; the line of a row is its number from one."""
    for name, (mask, message) in wrong.items():
        indices = pc.indices_nonzero(mask)
        for index in indices[:MAX_SHOWN].to_pylist():
            faults.error(Place(file, index + 1), f"{name}: {quoted(table[name][index].as_py())} {message}")
        if len(indices) > MAX_SHOWN:
            faults.error(Place(file, 1), f"{name}: {len(indices) - MAX_SHOWN:,} more rows of which the value {message}")


def _refuse_codes(codes: set[str], file: str, name: str, faults: Faults) -> None:
    for code in sorted(codes)[:MAX_SHOWN]:
        faults.error(Place(file, 1), f"{name}: unknown code {quoted(code)}")
