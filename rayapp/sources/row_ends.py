"""Cutting a text into pieces of whole rows, as they arrive."""

import re
from collections.abc import Iterator

from rayapp.errors import InvalidInput
from rayapp.sources.stream import BLOCK_BYTES, Stream

LONGEST_ROW = 1 << 26


def whole_rows(source: Stream, delimiter: str | None) -> Iterator[bytes]:
    """Give the source in pieces that end where a row ends, each as soon as its last row is there.

    With a ``delimiter`` the rows are CSV: a line end inside quotes is none, and a quote opens only where a field begins. Raises
    ``InvalidInput`` on a row of more than ``LONGEST_ROW`` bytes, since memory is bounded.
    """
    quoted = quoted_or_end(delimiter) if delimiter else None
    rest = b""
    while part := source.read(BLOCK_BYTES):
        rest += part
        if end := _last_end(rest, quoted):
            yield rest[:end]
            rest = rest[end:]
        elif len(rest) > LONGEST_ROW:
            raise InvalidInput(f"a row is longer than {LONGEST_ROW:,} bytes; a quote that is never closed?")
    if rest:
        yield rest


def quoted_or_end(delimiter: str) -> re.Pattern[bytes]:
    """Match a quoted field, its last quote as group 1 (empty when it is not there yet), or a line end."""
    return re.compile(rb'(?<![^\r\n%b])"(?:[^"]+|"")*+("?)|\n' % re.escape(delimiter.encode()))


def _last_end(piece: bytes, quoted: re.Pattern[bytes] | None) -> int:
    """Give the place after the last whole row, 0 when there is none."""
    if quoted is None or b'"' not in piece:
        return piece.rfind(b"\n") + 1
    end = 0
    for found in quoted.finditer(piece):
        if found.group(1) is None:
            end = found.end()
        elif not found.group(1):
            break
    return end
