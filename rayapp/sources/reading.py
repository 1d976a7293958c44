"""Reading a piece of a planned source, in this process or on a worker: its rows as the dataset's columns."""

from collections.abc import Iterator
from typing import BinaryIO

import msgspec
import numpy as np

from rayapp.datasets import Dataset
from rayapp.errors import InvalidInput
from rayapp.sources.blocks import Block
from rayapp.sources.fields import cutter_of, kinds_of, reader_of
from rayapp.sources.locations import opened, remote_errors, stamp_of
from rayapp.sources.mapped import Mapper
from rayapp.sources.mapping import Mapping
from rayapp.sources.parquet_rows import opened_parquet, read_rows
from rayapp.sources.pieces import Piece, Rows, SourceFile
from rayapp.sources.row_cuts import Cut
from rayapp.sources.stream import BLOCK_BYTES


class PieceReader(msgspec.Struct, frozen=True):
    """Reads pieces of ``files``.

    ``identity`` goes into the ids of rows that have none, and ``repeats`` says of rows with the same digest the how manieth each is.
    """

    dataset: Dataset
    files: tuple[SourceFile, ...]
    mapping: Mapping
    identity: str = ""
    repeats: dict[int, int] = {}

    def __call__(self, piece: Piece) -> Iterator[Rows]:
        """Read a piece, block by block. Raises ``InvalidInput`` when the file is not what was planned."""
        mapper = Mapper(self.mapping, self.identity, self.repeats)
        file = self.files[piece.file]
        for block, begin in self.blocks(piece):
            lines = LineOf(block.lines, begin)
            mapped = mapper(block)
            yield Rows(mapped.table, mapped.places, mapped.unread, lines, file.name)

    def blocks(self, piece: Piece) -> Iterator[tuple[Block, "Begin"]]:
        """Read a piece by the file's own fields, with where each block begins."""
        file = self.files[piece.file]
        _check_unchanged(file)
        with opened(file.text) as content, remote_errors(file.name):
            if file.format == "parquet":
                yield from self._parquet(piece, content)
            else:
                yield from self._text(piece, file, content)

    def _parquet(self, piece: Piece, content: BinaryIO) -> Iterator[tuple[Block, "Begin"]]:
        with opened_parquet(content) as file:
            for block in read_rows(file, piece.offset, piece.length, self.mapping.fields, piece.first_row):
                yield block, Begin(piece.first_row, piece.first_line, None)

    def _text(self, piece: Piece, file: SourceFile, content: BinaryIO) -> Iterator[tuple[Block, "Begin"]]:
        rows = reader_of(file.format, file.dialect, file.keys, file.encoding, kinds_of(self.dataset, self.mapping))
        row, line = piece.first_row, piece.first_line
        for cut in _cuts(content, piece, file):
            yield rows.read(cut, row), Begin(row, line, cut)
            row += len(cut.ends)
            line += len(cut.lines)


class Begin(msgspec.Struct, frozen=True):
    """Where a block begins: its first row in the source and line in the file, and the text that it was read from."""

    row: int
    line: int
    cut: Cut | None


class LineOf:
    """Gives the line of a row of a block; counted only when somebody asks."""

    def __init__(self, lines: dict[int, int] | None, begin: Begin) -> None:
        """Take lines that are known, or the text to count in."""
        self._lines = lines or {}
        self._begin = begin

    def __call__(self, row: int) -> int:
        """Give the line on which a row begins."""
        if row in self._lines:
            return self._lines[row]
        begin, inside = self._begin.line, row - self._begin.row
        cut = self._begin.cut
        if cut is None or not inside:
            return begin + inside
        return begin + int(np.searchsorted(cut.lines, cut.ends[inside - 1], "right"))


def _cuts(content: BinaryIO, piece: Piece, file: SourceFile) -> Iterator[Cut]:
    """Give the rows of a piece: in blocks, or at once where the last would have little, which costs as much as many rows to begin with."""
    content.seek(piece.offset)
    cutter = cutter_of(file.dialect)
    left = piece.length
    while left:
        part = content.read(BLOCK_BYTES if left >= 2 * BLOCK_BYTES else left)
        if not part:
            raise InvalidInput(f"{file.name} is shorter than when it was planned")
        left -= len(part)
        yield from cutter.feed(part)
    yield from cutter.finish()


def _check_unchanged(file: SourceFile) -> None:
    """Refuse a file that changed since it was planned: its rows are no longer where the plan says."""
    if stamp_of(file.text) != file.stamp:
        raise InvalidInput(f"{file.name} has changed since it was planned: run it again")
