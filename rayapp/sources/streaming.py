"""Rows of a source as they arrive, in memory of bounded size: for a pipe, and for files that are read once and not planned.

The mapping is inferred from what arrives first. Rows without an id get their number.
"""

import io
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pyarrow as pa

from rayapp.datasets import Dataset
from rayapp.errors import InvalidInput
from rayapp.sources.blocks import Block
from rayapp.sources.dialect import DELIMITERS, HEADER_WITHIN
from rayapp.sources.encoding import SAMPLE_BYTES, guessed, non_ascii_lines
from rayapp.sources.fields import ReadsCuts, cutter_of, kinds_of, reader_of
from rayapp.sources.formats import STATEMENTS
from rayapp.sources.header_names import known_in
from rayapp.sources.infer import Inference, Samples
from rayapp.sources.locations import Location, located, opened, remote_errors
from rayapp.sources.mapped import Mapper
from rayapp.sources.mapping import Mapping
from rayapp.sources.options import MappingFile, SourceOptions
from rayapp.sources.parquet_rows import fields_of, opened_parquet, read_rows
from rayapp.sources.row_cuts import Cut
from rayapp.sources.sampling import PLACE_ROWS, samples_in, text_blocks
from rayapp.sources.stream import BLOCK_BYTES, Stream
from rayapp.sources.survey import Head, fields_in, head_of, refuse_doubles
from rayapp.sources.unpacking import Opened, opened_stream

WAITED_FOR = 2
"""Lines that a sample must have before rows are given: a header, and a row that shows how values are written."""


@contextmanager
def open_source(name: str, dataset: Dataset, options: SourceOptions) -> Iterator[Iterator[Block]]:
    """Open a file, a folder, a pattern, or standard input for ``-``, and give the blocks of its rows as the dataset's columns."""
    if name == "-":
        buffered = sys.stdin.buffer
        stream = Stream.of(buffered.raw if isinstance(buffered, io.BufferedReader) else buffered)
        yield read_blocks(stream, dataset, options)
        return
    yield _all_blocks(located(name), dataset, options)


def _all_blocks(files: Sequence[Location], dataset: Dataset, options: SourceOptions) -> Iterator[Block]:
    """Give the blocks of all files of a source, which are numbered through."""
    first = 0
    for location in files:
        with opened(location) as file, remote_errors(location.name):
            for block in read_blocks(Stream.of(file), dataset, options, first):
                yield block
                seen = [*block.places[-1:], *(unread.row for unread in block.unread)]
                first = max([first, *(row + 1 for row in seen)])


def read_blocks(source: Stream, dataset: Dataset, options: SourceOptions, first: int = 0) -> Iterator[Block]:
    """Give the blocks of a stream, whatever its format; its first row is row ``first``."""
    said = options.settled()
    found = opened_stream(source, said)
    if found.format == "parquet":
        return _parquet_blocks(found.stream, dataset, said, first)
    if found.format in STATEMENTS:
        from rayapp.sources.statements import as_json_lines

        found = found._replace(stream=as_json_lines(found.stream, found.format, dataset))
    return _text_blocks(found, dataset, said, first)


def _text_blocks(found: Opened, dataset: Dataset, said: MappingFile, first: int) -> Iterator[Block]:
    sample = found.stream.ahead(lambda part: _is_enough(part, found, dataset))
    head = head_of(sample, found, dataset, said)
    samples = samples_in(text_blocks(found.format, head, sample[head.start :]), fields_in(head), dataset, is_json=head.dialect is None)
    mapping = _mapping(samples, dataset, said)
    refuse_doubles(head.dialect, mapping)
    found.stream.read(head.start)
    mapper = Mapper(mapping)
    decoded = Decoded(found, head, dataset, mapping)
    cutter = cutter_of(head.dialect)
    for part in iter(lambda: found.stream.read(BLOCK_BYTES), b""):
        for cut in cutter.feed(part):
            yield mapper(decoded.read(cut, first))
            first += len(cut.ends)
    for cut in cutter.finish():
        yield mapper(decoded.read(cut, first))
        first += len(cut.ends)


class Decoded:
    """Reads cuts in an encoding that is guessed when the first text that is not ASCII arrives."""

    def __init__(self, found: Opened, head: Head, dataset: Dataset, mapping: Mapping) -> None:
        """Take what is known."""
        self._found = found
        self._head = head
        self._kinds = kinds_of(dataset, mapping)
        self._encoding = head.encoding
        self._rows = self._reader()

    def read(self, cut: Cut, first: int) -> Block:
        """Read whole rows."""
        if not self._encoding and (lines := non_ascii_lines(cut.content, SAMPLE_BYTES)):
            self._encoding = guessed(lines)
            self._rows = self._reader()
        return self._rows.read(cut, first)

    def _reader(self) -> ReadsCuts:
        head = self._head
        return reader_of(self._found.format, head.dialect, head.keys, self._encoding or "utf-8", self._kinds)


def _is_enough(part: bytes, found: Opened, dataset: Dataset) -> bool:
    """Say whether a sample has a header and a row; a beginning that looks like no header is waited out."""
    lines = part.split(b"\n", HEADER_WITHIN + 1)
    if found.format != "csv":
        return len(lines) > 1
    if len(lines) > HEADER_WITHIN or len(part) >= BLOCK_BYTES:
        return True
    header = lines[0].decode("utf-8", "replace")
    return len(lines) > WAITED_FOR and any(known_in(dataset, header.split(delimiter)) for delimiter in DELIMITERS)


def _parquet_blocks(stream: Stream, dataset: Dataset, said: MappingFile, first: int) -> Iterator[Block]:
    # Parquet is read from its end: what comes through a pipe has to be there whole.
    whole = stream.seekable_file() or pa.BufferReader(stream.read())
    with opened_parquet(whole) as file:
        rows = file.metadata.num_rows
        fields = fields_of(file)
        samples = samples_in(read_rows(file, 0, min(PLACE_ROWS, rows), fields, 0), fields, dataset, is_json=False)
        mapping = _mapping(samples, dataset, said)
        mapper = Mapper(mapping)
        for block in read_rows(file, 0, rows, mapping.fields, first):
            yield mapper(block)


def _mapping(samples: Samples, dataset: Dataset, said: MappingFile) -> Mapping:
    mapping = Inference(dataset, samples, said).mapping(row_ids=True)
    if mapping.questions:
        raise InvalidInput.of("cannot tell how the source is to be read", mapping.questions)
    return mapping
