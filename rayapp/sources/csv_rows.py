"""Rows of CSV as a table of text: every row is there, or named with what is wrong with it."""

from collections.abc import Collection

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

from rayapp.errors import InvalidInput
from rayapp.sources.blocks import Block, Unread, without
from rayapp.sources.dialect import Dialect
from rayapp.sources.encoding import recoded
from rayapp.sources.row_cuts import Cut

SHOWN = 200
"""Bytes of a bad row that are shown."""


class CsvRows:
    """Reads cuts of one CSV; only the ``wanted`` fields are kept."""

    def __init__(self, dialect: Dialect, wanted: Collection[str], encoding: str = "utf-8") -> None:
        """Take how the CSV is written."""
        self._dialect = dialect
        self._wanted = [field for field in dialect.fields if field in wanted]
        self._encoding = encoding

    def read(self, cut: Cut, first: int) -> Block:
        """Read whole rows, of which the first is row ``first``."""
        if cut.fault:
            begin = recoded(cut.content[:SHOWN], self._encoding).decode("utf-8", "replace").rstrip("\r\n")
            return Block(self._nothing(), [], (Unread(first, cut.fault, "", begin),))
        content = recoded(cut.content, self._encoding)
        ragged: list[Unread] = []
        table = self._table(content, self._wanted, ragged, first)
        rows = table.num_rows + len(ragged)
        if rows != len(cut.ends):
            raise InvalidInput(f"{len(cut.ends)} rows from row {first + 1} on are read as {rows}")
        places = without(first, rows, {bad.row for bad in ragged})
        blank = self._blank(table, content)
        if blank.any():
            places = [place for place, nothing in zip(places, blank.tolist(), strict=True) if not nothing]
            table = table.filter(pa.array(~blank))
        return _with_good_text(Block(table, places, tuple(ragged)))

    def _table(self, content: bytes, fields: list[str], ragged: list[Unread], first: int) -> pa.Table:
        """Parse rows; the fields are text, or bytes where not all of the content is UTF-8."""
        if _is_utf_8(content):
            return self._parse(content, fields, _Ragged(first, ragged))
        as_letters = self._parse(content.decode("latin-1").encode(), fields, _Ragged(first, ragged))
        ragged[:] = [bad._replace(value=_bytes_of(bad.value or "").decode("utf-8", "replace")) for bad in ragged]
        columns = {field: [None if text is None else _bytes_of(text) for text in as_letters[field].to_pylist()] for field in fields}
        return pa.table({field: pa.array(values, pa.binary()) for field, values in columns.items()})

    def _parse(self, content: bytes, fields: list[str], ragged: "_Ragged") -> pa.Table:
        convert = csv.ConvertOptions(
            column_types=dict.fromkeys(fields, pa.string()),
            include_columns=fields or [self._dialect.fields[0]],
            check_utf8=False,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        )
        parse = csv.ParseOptions(
            delimiter=self._dialect.delimiter, newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=ragged
        )
        read = csv.ReadOptions(column_names=list(self._dialect.fields), use_threads=False, block_size=len(content) + 1)
        try:
            return csv.read_csv(pa.BufferReader(content), read, parse, convert)
        except pa.ArrowInvalid as error:
            raise InvalidInput(f"the rows from {ragged.first + 1} on are no CSV: {error}") from error

    def _blank(self, table: pa.Table, content: bytes) -> NDArray[np.bool_]:
        """Say of each row whether nothing stands in any of its fields; all are read only where it can be so."""
        blank = _all_null(table)
        if blank.any() and len(self._wanted) < len(self._dialect.fields):
            blank &= _all_null(self._table(content, [field for field in self._dialect.fields if field not in self._wanted], [], 0))
        return blank

    def _nothing(self) -> pa.Table:
        return pa.table({field: pa.array([], pa.string()) for field in self._wanted})


class _Ragged:
    """Notes the rows that have another number of columns than the header."""

    def __init__(self, first: int, found: list[Unread]) -> None:
        """Take the first row's place, and the list to note in."""
        self.first = first
        self._found = found

    def __call__(self, row: csv.InvalidRow) -> str:
        wrong = f"has {row.actual_columns} columns where the header has {row.expected_columns}"
        self._found.append(Unread(self.first + row.number - 1, wrong, "", row.text[:SHOWN]))
        return "skip"


def _is_utf_8(content: bytes) -> bool:
    if content.isascii():
        return True
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _bytes_of(text: str) -> bytes:
    """Give the bytes that were read as a letter each."""
    return text.encode("latin-1")


def _all_null(table: pa.Table) -> NDArray[np.bool_]:
    blank = np.ones(table.num_rows, np.bool_)
    for column in table.columns:
        if not column.null_count:
            return np.zeros(table.num_rows, np.bool_)
        blank &= column.is_null().to_numpy()
    return blank


def _with_good_text(block: Block) -> Block:
    """Give bytes as text, and name the values that are not UTF-8."""
    if not any(pa.types.is_binary(column.type) for column in block.table.columns):
        return block
    columns: dict[str, pa.Array] = {}
    bad: list[tuple[int, Unread]] = []
    for field in block.table.column_names:
        texts: list[str | None] = []
        for row, value in enumerate(block.table[field].to_pylist()):
            try:
                texts.append(None if value is None else value.decode())
            except UnicodeDecodeError as error:
                wrong = f"byte {error.start} is not UTF-8"
                bad.append((row, Unread(block.places[row], wrong, field, value.decode("utf-8", "replace"))))
                texts.append(None)
        columns[field] = pa.array(texts, pa.string())
    return Block(pa.table(columns), block.places, block.unread).without_rows(bad)
