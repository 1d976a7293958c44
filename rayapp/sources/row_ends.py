"""Where the rows of a text end: line ends that stand in no quotes, found for millions of bytes at once.

A quote opens only where a field begins, as the csv modules of Python and Arrow read it; a carriage return alone ends a line too. Quotes
are paired by counting, which is right whenever each quote that the count takes for an opening one follows a delimiter, a line end or the
quote before it; where that does not hold, the text is walked through.
"""

import re
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rayapp.sources.byte_bits import ONE, Bits, count, from_odd_to_even, listed, moved_back, moved_on, where

LF, CR, QUOTE = 10, 13, 34

Places = NDArray[np.int64]


def line_ends(content: bytes) -> Places:
    """Give the places after each line end, quoted or not; a carriage return at the very end is one."""
    return listed(_line_ends(content)) + 1


def count_line_ends(content: bytes) -> int:
    """Count the line ends, quoted or not."""
    return count(_line_ends(content))


def _line_ends(content: bytes) -> Bits:
    """Mark line feeds, and carriage returns that no line feed follows."""
    feeds = where(content, LF)
    return feeds | (where(content, CR) & ~moved_back(feeds)) if b"\r" in content else feeds


class RowEnds(NamedTuple):
    """The places after each row of a text and after each line, and whether the text ends inside quotes."""

    rows: Places
    lines: Places
    open: bool


def row_ends(content: bytes, delimiter: str | None) -> RowEnds:
    """Find the ends of the rows of a text that begins where a row begins; without a ``delimiter`` every line is a row."""
    if delimiter is None:
        ends = listed(where(content, LF)) + 1
        return RowEnds(ends, ends, open=False)
    lines = _line_ends(content)
    if b'"' not in content:
        ends = listed(lines) + 1
        return RowEnds(ends, ends, open=False)
    quotes = where(content, QUOTE)
    quoted = from_odd_to_even(quotes)
    fields = where(content, ord(delimiter)) | lines
    if _opens_amid(fields | where(content, CR) if b"\r" in content else fields, quotes, quoted):
        return _walked(content, delimiter, listed(lines) + 1)
    rows = listed(lines & ~quoted) + 1
    every = rows if len(rows) == count(lines) else listed(lines) + 1
    return RowEnds(rows, every, open=count(quotes) % 2 == 1)


def _opens_amid(ends: Bits, quotes: Bits, quoted: Bits) -> bool:
    """Say whether a quote that would open stands after anything but the ``ends`` of fields, a closing quote and the text's beginning."""
    amid = quotes & quoted & ~moved_on(ends | (quotes & ~quoted))
    amid[0] &= ~ONE
    return bool(amid.any())


def delimiters(content: bytes, delimiter: str) -> Places:
    """Give the places of the delimiters that stand in no quotes."""
    quotes = paired_quotes(content, delimiter)
    if quotes is None:
        return np.fromiter((match.start() for match in _pieces(delimiter).finditer(content) if match["delimiter"]), np.int64)
    return outside(quotes, np.flatnonzero(np.frombuffer(content, np.uint8) == ord(delimiter)))


def loose_closings(content: bytes, delimiter: str) -> Places:
    """Give the places of the quotes that close a field which yet goes on, as no program writes it."""
    quotes = paired_quotes(content, delimiter)
    if quotes is None:
        fields = (match for match in _pieces(delimiter).finditer(content) if match["close"])
        closing = np.fromiter((match.end() - 1 for match in fields), np.int64)
    else:
        closing = quotes[1::2]
    seen = np.frombuffer(content, np.uint8)
    closing = closing[closing + 1 < len(content)]
    after = seen[closing + 1]
    loose: Places = closing[(after != ord(delimiter)) & (after != LF) & (after != CR) & (after != QUOTE)]
    return loose


def paired_quotes(content: bytes, delimiter: str) -> Places | None:
    """Give the places of the quotes where every second one closes what the one before it opened, ``None`` where it is not as simple."""
    seen = np.frombuffer(content, np.uint8)
    quotes = np.flatnonzero(seen == QUOTE)
    opening = quotes[::2]
    before = seen[opening - 1]
    begins = (before == ord(delimiter)) | (before == LF) | (before == CR) | (opening == 0)
    if begins.all():
        return quotes
    begins[1:] |= opening[1:] - 1 == quotes[1 : 2 * len(opening) - 1 : 2]
    return quotes if begins.all() else None


def outside(quotes: Places, places: Places) -> Places:
    """Keep the places that stand in no quotes."""
    kept: Places = places[np.searchsorted(quotes, places) % 2 == 0]
    return kept


def _walked(content: bytes, delimiter: str, lines: Places) -> RowEnds:
    """Walk through the rows that hold quotes; every other line is a row."""
    quotes = np.flatnonzero(np.frombuffer(content, np.uint8) == QUOTE)
    is_end = np.ones(len(lines), np.bool_)
    walked = 0
    for line in np.unique(np.searchsorted(lines, quotes, "right")).tolist():
        begin = int(lines[line - 1]) if line else 0
        if begin < walked:
            continue
        walked, is_open = _row_from(content, delimiter, begin)
        if not walked:
            is_end[line:] = False
            return RowEnds(lines[is_end], lines, is_open)
        is_end[line : np.searchsorted(lines, walked)] = False
    return RowEnds(lines[is_end], lines, open=False)


def _row_from(content: bytes, delimiter: str, begin: int) -> tuple[int, bool]:
    """Give the place after the row that begins at a place, nought when it has no end, and then whether it ends inside quotes."""
    is_open = False
    for match in _pieces(delimiter).finditer(content, begin):
        if match["end"] is not None:
            return match.end(), False
        is_open = match["quoted"] is not None and not match["close"]
    return 0, is_open


@lru_cache(maxsize=8)
def _pieces(delimiter: str) -> re.Pattern[bytes]:
    """Match a quoted field, a delimiter, or a line end."""
    mark = re.escape(delimiter.encode())
    return re.compile(rb'(?<![^\r\n%b])(?P<quoted>"(?:[^"]+|"")*+(?P<close>"?))|(?P<end>\r?\n|\r)|(?P<delimiter>%b)' % (mark, mark))
