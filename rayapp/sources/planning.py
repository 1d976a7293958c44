"""A file cut into pieces of whole rows, which can be read apart from each other, here or on another process of this machine."""

import hashlib
import io
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from rayapp.errors import InvalidInput
from rayapp.settings import Settings
from rayapp.sources.blocks import DELIMITERS, PARQUET, read_blocks
from rayapp.sources.pieces import LARGE_ROWS, Piece, Plan, Rows, SourceFile, Tier, Unread, tier_of
from rayapp.sources.row_ends import quoted_or_end, whole_rows
from rayapp.sources.stream import BLOCK_BYTES, Stream

UTF_8_MARK = b"\xef\xbb\xbf"
NEEDED = ("id", "descriptor")


class FileReader(msgspec.Struct, frozen=True):
    """Reads pieces of the plain text at ``path``; ``header`` is its first line and ``delimiter`` its own, nothing for JSON lines."""

    path: str
    header: bytes
    delimiter: str | None

    def __call__(self, piece: Piece) -> Iterator[Rows]:
        """Read a piece, block by block."""
        with Path(self.path).open("rb") as file:
            file.seek(piece.offset)
            content = file.read(piece.length)

        def line_of(row: int) -> int:
            before = _ends(content, self.delimiter)[row - piece.first_row - 1] if row > piece.first_row else 0
            return piece.first_line + content.count(b"\n", 0, before)

        for block in read_blocks(Stream.of(io.BytesIO(self.header + content))):
            places = [piece.first_row + place for place in block.places]
            unread = [Unread(piece.first_row + bad.row, bad.message) for bad in block.unread]
            yield Rows(block.table, places, unread, line_of, self.path)


@contextmanager
def plan_source(name: str, settings: Settings) -> Iterator[tuple[Plan, FileReader]]:
    """Read a CSV or JSONL file once and say how it will be loaded; packed or recoded text is unpacked beside the data for that long.

    Raises ``InvalidInput`` when it cannot be read or lacks a column that is needed.
    """
    path = Path(name)
    if not path.is_file():
        raise InvalidInput(f"cannot read {name}: {'it is a folder' if path.is_dir() else 'no such file'}")
    with ExitStack() as stack:
        file = stack.enter_context(path.open("rb", buffering=0))
        plain = stack.enter_context(_plain_text(file, settings))
        yield _plan(name, Path(plain.name), settings)


@contextmanager
def _plain_text(file: BinaryIO, settings: Settings) -> Iterator[BinaryIO]:
    """Give the file itself where it is plain UTF-8, else a copy that is."""
    source = Stream.of(file)
    packed = source.decompressed()
    if packed.peek(4) == PARQUET:
        raise InvalidInput("`rayapp ingest` loads CSV and JSON lines; `rayapp classify` reads Parquet as well")
    text = packed.as_utf_8(None)
    if text is source:
        yield file
        return
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=settings.data_dir, prefix="unpacked-") as copy:
        while part := text.read(BLOCK_BYTES):
            copy.write(part)
        copy.flush()
        yield cast("BinaryIO", copy)


def _plan(name: str, path: Path, settings: Settings) -> tuple[Plan, FileReader]:
    with path.open("rb", buffering=0) as file:
        header, delimiter, start = _head(file)
        digest = _digest(file)
        file.seek(start)
        blocks = list(_blocks(file, start, delimiter, 1 + header.count(b"\n")))
        rows = sum(block.rows for block in blocks)
        tier = tier_of(rows, settings)
        pieces = tuple(_cut(file, blocks, tier, delimiter))
    content, size = f"sha256:{digest}", path.stat().st_size
    plan = Plan(name, f"{content}/{tier}", size, rows, tier, pieces, (SourceFile(name, size, rows),), content=content)
    return plan, FileReader(str(path), header, delimiter)


def _head(file: BinaryIO) -> tuple[bytes, str | None, int]:
    """Give the header's bytes with their line end, the delimiter (``None`` for JSON lines), and where the rows begin."""
    file.seek(0)
    begin = file.read(BLOCK_BYTES)
    mark = len(UTF_8_MARK) if begin.startswith(UTF_8_MARK) else 0
    if begin[mark:].lstrip()[:1] == b"{":
        return b"", None, mark
    line, end, _ = begin[mark:].partition(b"\n")
    text = line.decode("utf-8", "replace").rstrip("\r")
    delimiter = max(DELIMITERS, key=text.count)
    names = [column.strip().strip('"').strip().lower() for column in text.split(delimiter)]
    for column in NEEDED:
        if column not in names:
            raise InvalidInput(f"the column {column!r} is missing; the header has {', '.join(names)}")
    return line + b"\n", delimiter, mark + len(line) + len(end)


def _digest(file: BinaryIO) -> str:
    file.seek(0)
    digest = hashlib.sha256()
    while part := file.read(BLOCK_BYTES):
        digest.update(part)
    return digest.hexdigest()


class _Block(msgspec.Struct, frozen=True):
    """Whole rows that were read together."""

    offset: int
    length: int
    rows: int
    first_line: int


def _blocks(file: BinaryIO, start: int, delimiter: str | None, line: int) -> Iterator[_Block]:
    offset = start
    for piece in whole_rows(Stream.of(file), delimiter):
        yield _Block(offset, len(piece), len(_ends(piece, delimiter)), line)
        offset += len(piece)
        line += piece.count(b"\n")


def _cut(file: BinaryIO, blocks: list[_Block], tier: Tier, delimiter: str | None) -> Iterator[Piece]:
    """Cut as the tier wants: in one, by rows, or by blocks."""
    match tier:
        case "small" | "medium":
            if blocks:
                yield Piece(0, 0, blocks[0].offset, sum(block.length for block in blocks), 0, blocks[0].first_line)
        case "large":
            yield from _by_rows(file, blocks, delimiter)
        case "huge":
            row = 0
            for number, block in enumerate(blocks):
                yield Piece(number, 0, block.offset, block.length, row, block.first_line)
                row += block.rows


def _by_rows(file: BinaryIO, blocks: list[_Block], delimiter: str | None) -> Iterator[Piece]:
    row = number = 0
    for block in blocks:
        file.seek(block.offset)
        content = file.read(block.length)
        ends = _ends(content, delimiter)
        begin = 0
        for first in range(0, len(ends), LARGE_ROWS):
            end = ends[min(first + LARGE_ROWS, len(ends)) - 1]
            yield Piece(number, 0, block.offset + begin, end - begin, row + first, block.first_line + content.count(b"\n", 0, begin))
            number, begin = number + 1, end
        row += len(ends)


def _ends(piece: bytes, delimiter: str | None) -> list[int]:
    """Give where each row of some whole rows ends; the last one may end without a line end."""
    if delimiter is None or b'"' not in piece:
        ends = []
        place = piece.find(b"\n") + 1
        while place:
            ends.append(place)
            place = piece.find(b"\n", place) + 1
    else:
        ends = [found.end() for found in quoted_or_end(delimiter).finditer(piece) if found.group(1) is None]
    if piece and (not ends or ends[-1] < len(piece)):
        ends.append(len(piece))
    return ends
