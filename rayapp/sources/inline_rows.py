"""Rows that came in a request, one JSON object a line: read as `/classify` reads them, with nothing inferred."""

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import msgspec

from rayapp.errors import InvalidInput
from rayapp.scoring.columns import table_of
from rayapp.scoring.transaction import StrictTransaction, Transaction
from rayapp.sources.blocks import Unread
from rayapp.sources.pieces import Piece, Rows

PIECE_ROWS = 1_000


class Named(msgspec.Struct):
    """What is read of a bad row."""

    id: str | None = None


ONE = msgspec.json.Decoder(Transaction)
STRICT = msgspec.json.Decoder(StrictTransaction)
NAMED = msgspec.json.Decoder(Named)
_FIELD = re.compile(r" - at `\$\.?(?P<field>\w*)`$")


def cut_inline(path: Path) -> tuple[tuple[Piece, ...], int]:
    """Cut a file of such rows by lines and count them; raises ``InvalidInput`` when it is not there."""
    offset, count, pieces = 0, 0, list[Piece]()
    try:
        with path.open("rb") as file:
            while lines := list(islice(file, PIECE_ROWS)):
                length, first = sum(map(len, lines)), PIECE_ROWS * len(pieces)
                pieces.append(Piece(len(pieces), 0, offset, length, first, first + 1))
                offset, count = offset + length, count + len(lines)
    except OSError as error:
        raise InvalidInput(f"the rows of the request are gone: {error.strerror}") from error
    return tuple(pieces), count


class InlineReader(msgspec.Struct, frozen=True):
    """Reads pieces of such a file."""

    path: Path
    strict: bool = False
    """Whether a field that is none of a transaction's is refused, or passed over."""

    def __call__(self, piece: Piece) -> Iterator[Rows]:
        """Read a piece; a line that is no transaction is told."""
        with self.path.open("rb") as file:
            file.seek(piece.offset)
            lines = file.read(piece.length).splitlines()
        decoder = STRICT if self.strict else ONE
        good, places, unread = list[Transaction](), list[int](), list[Unread]()
        for row, line in enumerate(lines, piece.first_row):
            try:
                good.append(decoder.decode(line))
                places.append(row)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                unread.append(_unread(row, str(error), line))
        yield Rows(table_of(good), places, unread)


def _unread(row: int, said: str, line: bytes) -> Unread:
    found = _FIELD.search(said)
    return Unread(row, said[: found.start()] if found else said, found["field"] if found else "", id=_id_of(line))


def _id_of(line: bytes) -> str | None:
    try:
        return NAMED.decode(line).id
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
