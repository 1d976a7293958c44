"""Writing decisions as CSV, JSON lines or Parquet, block by block, to a file or standard output."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from rayapp.cli.json_lines import json_lines
from rayapp.errors import InvalidInput

Format = Literal["csv", "jsonl", "parquet"]
FORMATS: tuple[Format, ...] = ("csv", "jsonl", "parquet")
SUFFIXES: dict[str, Format] = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".parquet": "parquet", ".pq": "parquet"}
LISTS_JOINED_BY = "|"


class Sink(Protocol):
    """Takes tables of one schema, in order."""

    def write(self, table: pa.Table) -> None:
        """Write the rows, all the way to the reader."""

    def close(self) -> None:
        """Write what comes after the last row."""


def format_for(out: str | None) -> Format:
    """Choose the format that a file's name stands for; CSV when it says nothing."""
    return SUFFIXES.get(Path(out).suffix.lower(), "csv") if out else "csv"


@contextmanager
def open_sink(out: str | None, form: Format, schema: pa.Schema) -> Iterator[Sink]:
    """Open the file ``out``, or standard output for ``None`` and ``-``.

    A file appears under its name when all is written, and not before; one that is there stays until then.
    """
    if out is None or out == "-":
        sink = SINKS[form](sys.stdout.buffer, schema)
        yield sink
        sink.close()
        sys.stdout.buffer.flush()
        return
    with replacing(Path(out)) as file:
        sink = SINKS[form](file, schema)
        yield sink
        sink.close()


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes the place of ``path`` at the end; what is no regular file (a device, a pipe) is opened itself."""
    direct = path.exists() and not path.is_file()
    part = path if direct else path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        file = part.open("wb")
    except OSError as error:
        raise InvalidInput(f"cannot write {path}: {error.strerror}") from error
    try:
        with file:
            yield file
        if not direct:
            part.replace(path)
    except BaseException:
        if not direct:
            with suppress(OSError):
                part.unlink()
        raise


class CsvSink:
    """CSV with a header; a field is quoted where it must be; rule ids stand in one field, joined by ``|``."""

    def __init__(self, file: BinaryIO, schema: pa.Schema) -> None:
        """Write the header."""
        self._file = file
        self._file.write(",".join(schema.names).encode() + b"\n")

    def write(self, table: pa.Table) -> None:
        """Write the rows."""
        for batch in table.to_batches():
            if batch.num_rows:
                lines = pc.binary_join_element_wise(*map(_csv_field, batch.columns), ",")
                whole = pa.ListArray.from_arrays(pa.array([0, len(lines)], pa.int32()), lines)
                self._file.write(pc.binary_join(whole, "\n")[0].as_buffer())
                self._file.write(b"\n")
        self._file.flush()

    def close(self) -> None:
        """Do nothing: the last line is complete."""


class JsonSink:
    """One object a line, null where there is nothing."""

    def __init__(self, file: BinaryIO, _schema: pa.Schema) -> None:
        """Take the file."""
        self._file = file

    def write(self, table: pa.Table) -> None:
        """Write the rows."""
        self._file.write(json_lines(table))
        self._file.flush()

    def close(self) -> None:
        """Do nothing: the last line is complete."""


class ParquetSink:
    """Parquet, compressed with zstd."""

    def __init__(self, file: BinaryIO, schema: pa.Schema) -> None:
        """Take the schema."""
        from pyarrow import parquet

        self._writer = parquet.ParquetWriter(file, schema, compression="zstd")

    def write(self, table: pa.Table) -> None:
        """Write the rows as one row group."""
        self._writer.write_table(table)

    def close(self) -> None:
        """Write the footer."""
        self._writer.close()


SINKS: dict[Format, type[CsvSink] | type[JsonSink] | type[ParquetSink]] = {"csv": CsvSink, "jsonl": JsonSink, "parquet": ParquetSink}


def _csv_field(column: pa.Array) -> pa.StringArray:
    """Give a column's values as CSV fields."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _csv_field(column.dictionary).take(column.indices).fill_null("")
    if pa.types.is_list(kind):
        return _csv_field(pc.binary_join(column.cast(pa.list_(pa.string())), LISTS_JOINED_BY))
    text = column.cast(pa.string()).fill_null("")
    special = pc.match_substring_regex(text, r'[",\r\n]')
    if not special.true_count:
        return text
    quoted = pc.binary_join_element_wise('"', pc.replace_substring(text, '"', '""'), '"', "")
    return pc.if_else(special, quoted, text)
