"""Some values of every field of a file, from its beginning, its end and places between, to tell how they are written."""

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa

from rayapp.datasets import Dataset
from rayapp.sources.blocks import Block
from rayapp.sources.fields import cutter_of, reader_of
from rayapp.sources.formats import Format
from rayapp.sources.infer import Samples
from rayapp.sources.json_rows import Kind
from rayapp.sources.locations import opened, remote_errors
from rayapp.sources.parquet_rows import opened_parquet, read_rows
from rayapp.sources.survey import Head, Surveyed, fields_in

PLACES = 16
PLACE_BYTES = 1 << 17
PLACE_ROWS = 500


def samples_of(file: Surveyed, dataset: Dataset) -> Samples:
    """Give values of each field of a file, in the order of the rows."""
    return samples_in(_blocks(file), file.fields, dataset, is_json=bool(file.file.keys))


def samples_in(blocks: Iterable[Block], fields: Sequence[str], dataset: Dataset, *, is_json: bool) -> Samples:
    """Give the values of each field in some blocks.

    JSON lines in the dataset's own format may have any of its columns further on, so that all of them are fields.
    """
    tables = [block.table for block in blocks if block.table.num_rows]
    found: dict[str, pa.Array] = {}
    for field in fields:
        columns = [_as_text(table[field]) for table in tables if field in table.column_names]
        found[field] = pa.chunked_array([chunk for column in columns for chunk in column.chunks], pa.string()).combine_chunks()
    if is_json and all(key in found for key in dataset.key):
        found |= {name: pa.array([], pa.string()) for name in dataset.names if name not in found}
    return found


def text_blocks(form: Format, head: Head, sample: bytes) -> Iterator[Block]:
    """Read the whole rows of a sample that begins where a row begins; its last row may be cut off."""
    kinds: dict[str, Kind] = dict.fromkeys(fields_in(head), "json")
    reader = reader_of(form, head.dialect, head.keys, head.encoding or "utf-8", kinds)
    cutter = cutter_of(head.dialect)
    found = list(cutter.feed(sample))
    for cut in found or cutter.finish():
        if not cut.fault:
            yield reader.read(cut, 0)


def _blocks(file: Surveyed) -> Iterator[Block]:
    """Read at so many places of a file."""
    step = max(1, -(-len(file.stretches) // PLACES))
    known = file.file
    with opened(known.text) as content, remote_errors(known.name):
        if known.format == "parquet":
            with opened_parquet(content) as parquet:
                for stretch in file.stretches[::step]:
                    yield from read_rows(parquet, stretch.offset, min(PLACE_ROWS, stretch.rows), file.fields, 0)
            return
        head = Head(known.encoding, known.dialect, known.keys, 0, 1)
        for stretch in file.stretches[::step]:
            content.seek(stretch.offset)
            yield from text_blocks(known.format, head, content.read(min(PLACE_BYTES, stretch.length)))


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Give values as they would be printed; those that have no text, such as lists, as nothing."""
    try:
        return column.cast(pa.string())
    except pa.ArrowException:
        return pa.chunked_array([pa.nulls(len(column), pa.string())])
