"""The rows of any text by its fields, before they become a dataset's columns."""

from typing import Protocol

from rayapp.datasets import Dataset
from rayapp.sources.blocks import Block, Unread
from rayapp.sources.csv_rows import CsvRows
from rayapp.sources.dialect import Dialect
from rayapp.sources.formats import STATEMENTS, Format
from rayapp.sources.json_rows import JsonRows, Kind
from rayapp.sources.mapping import Mapping
from rayapp.sources.row_cuts import Cut, RowCutter

LINE, FAULT, VALUE = "source line", "source fault", "source value"
"""Keys that the rows of bank statements have beside a transaction's."""


class ReadsCuts(Protocol):
    """Reads whole rows of a text."""

    def read(self, cut: Cut, first: int) -> Block:
        """Read a cut whose first row is row ``first`` of the source."""
        ...


def cutter_of(dialect: Dialect | None) -> RowCutter:
    """Give what cuts a text into rows; without a ``dialect`` it is JSON lines."""
    return RowCutter(dialect.delimiter, len(dialect.fields)) if dialect else RowCutter(None)


def reader_of(form: Format, dialect: Dialect | None, keys: tuple[str, ...], encoding: str, kinds: dict[str, Kind]) -> ReadsCuts:
    """Give what reads cuts of a text; ``kinds`` are the fields that are wanted."""
    if dialect is not None:
        return CsvRows(dialect, kinds, encoding)
    if form in STATEMENTS:
        return StatementRows(keys, kinds)
    return JsonRows(keys, kinds, encoding)


def kinds_of(dataset: Dataset, mapping: Mapping) -> dict[str, Kind]:
    """Say what the fields of JSON lines may hold, by the columns that they become."""
    kinds: dict[str, Kind] = {}
    for source in mapping.columns:
        column = dataset.column(source.column)
        for field in source.fields:
            if source.how in {"split", "sign", "split sign"} or column.type in {"decimal", "integer"}:
                kinds[field] = "number"
            elif column.type == "json":
                kinds[field] = "json"
            elif source.how != "digest":
                strict = column.type == "text" and column.needed and column.name not in dataset.key
                kinds[field] = "text" if strict and source.how == "value" else "scalar"
            else:
                kinds.setdefault(field, "scalar")
    return kinds


class StatementRows:
    """Reads cuts of the JSON lines that bank statements are unpacked to; an entry with a fault is named."""

    def __init__(self, keys: tuple[str, ...], kinds: dict[str, Kind]) -> None:
        """Take the fields that are wanted."""
        self._rows = JsonRows((*keys, LINE, FAULT, VALUE), {**kinds, LINE: "scalar", FAULT: "scalar", VALUE: "scalar"})

    def read(self, cut: Cut, first: int) -> Block:
        """Read entries; the line of each in the statement stays as a column."""
        block = self._rows.read(cut, first)
        faults, values = block.table[FAULT].to_pylist(), block.table[VALUE].to_pylist()
        bad = [
            (row, Unread(block.places[row], fault, "", value))
            for row, (fault, value) in enumerate(zip(faults, values, strict=True))
            if fault is not None
        ]
        lines = {place: int(line) for place, line in zip(block.places, block.table[LINE].to_pylist(), strict=True) if line}
        return block._replace(lines=lines).without_rows(bad)
