"""Cutting a text into whole rows as it arrives, so that a row that cannot be read takes none of its neighbours with it.

A row is poison when it is longer than ``LONGEST_ROW`` bytes, when a quote of it is never closed, or when it runs over several lines and a
field goes on after its closing quote or the columns are not as many as the header's, as after a quote that was forgotten. Of a poison row
the first line is given up, and reading goes on with the next line. Whether a row is poison depends on nothing that stands before it, so
that any cut of a file finds the same rows.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from rayapp.errors import InvalidInput
from rayapp.sources.row_ends import CR, Places, RowEnds, delimiters, line_ends, loose_closings, row_ends
from rayapp.sources.stream import BLOCK_BYTES, Stream

LONGEST_ROW = 1 << 26
MOST_POISON = 10_000
"""Poison rows of one text; a file with more of them is not what it is taken for, and each costs a second look at its block."""

SHOWN = 200
"""Bytes of a poison row that are kept."""

TOO_LONG = f"is longer than {LONGEST_ROW:,} bytes"
NOT_CLOSED = "opens a quote that is not closed in its row"


class Cut(NamedTuple):
    """Whole rows: ``ends`` are the places after each in ``content``, ``lines`` those after each line.

    With a ``fault`` it is one poison row of so much ``length``, and ``content`` its beginning.
    """

    content: bytes
    ends: Places
    lines: Places
    length: int
    fault: str = ""


class _Poison(NamedTuple):
    row: int
    fault: str


class RowCutter:
    """Takes a text in parts and gives it back in cuts, each as soon as its last row is there."""

    def __init__(self, delimiter: str | None, columns: int = 0) -> None:
        """Take the CSV's delimiter and its number of columns (0 when unknown); no delimiter for JSON lines."""
        self._delimiter = delimiter
        self._columns = columns
        self._rest = b""
        self._given_up = 0
        self._skipping = False
        self._skipped = b""
        self._skipped_length = 0

    def feed(self, part: bytes) -> Iterator[Cut]:
        """Take the next part."""
        if self._skipping:
            part = self._skip(part)
            if not part:
                return
            yield self._skipped_cut()
        self._rest += part
        yield from self._whole(final=False)

    def finish(self) -> Iterator[Cut]:
        """Give what is left when nothing more comes."""
        if self._skipping:
            yield self._skipped_cut()
            return
        yield from self._whole(final=True)

    def _whole(self, *, final: bool) -> Iterator[Cut]:
        while self._rest:
            found = self._ends(final=final)
            poison = self._poison(found, final=final)
            if poison is None:
                if len(found.rows):
                    yield self._take(found.rows, found.lines)
                return
            if poison.row:
                yield self._take(found.rows[: poison.row], found.lines)
            line = self._first_line()
            if not line and not final:
                self._skipping, self._skipped, self._skipped_length = True, self._rest[:SHOWN], len(self._rest)
                self._rest = b""
                return
            length = line or len(self._rest)
            content, self._rest = self._rest[:length], self._rest[length:]
            yield self._poison_cut(content, length, poison.fault)

    def _ends(self, *, final: bool) -> RowEnds:
        """Find the rows of the rest; a carriage return at its end may belong to a line feed that is still to come."""
        found = row_ends(self._rest, self._delimiter)
        last = int(found.rows[-1]) if len(found.rows) else 0
        if not final and last == len(self._rest) and self._rest[-1] == CR and self._delimiter:
            return found._replace(rows=found.rows[:-1])
        if final and last < len(self._rest) and not found.open:
            return found._replace(rows=np.append(found.rows, len(self._rest)), lines=np.append(found.lines, len(self._rest)))
        return found

    def _poison(self, ends: RowEnds, *, final: bool) -> _Poison | None:
        """Find the first poison row, by its number in the rest."""
        found = [self._torn(ends)]
        lengths = np.diff(ends.rows, prepend=0, append=len(self._rest)) if len(self._rest) > LONGEST_ROW else np.zeros(0, np.int64)
        if (long := np.flatnonzero(lengths > LONGEST_ROW)).size:
            found.append(_Poison(int(long[0]), TOO_LONG))
        if final and ends.open:
            found.append(_Poison(len(ends.rows), NOT_CLOSED))
        return min((poison for poison in found if poison), default=None)

    def _torn(self, ends: RowEnds) -> _Poison | None:
        """Find the first row of several lines that no program would write."""
        if not self._delimiter or not self._columns or len(ends.rows) == len(ends.lines) or not len(ends.rows):
            return None
        several = np.diff(np.searchsorted(ends.lines, ends.rows), prepend=-1) > 1
        if not several.any():
            return None
        columns = np.diff(np.searchsorted(delimiters(self._rest, self._delimiter), ends.rows), prepend=0) + 1
        loose = np.diff(np.searchsorted(loose_closings(self._rest, self._delimiter), ends.rows), prepend=0)
        torn = np.flatnonzero(several & ((columns != self._columns) | (loose > 0)))
        return _Poison(int(torn[0]), NOT_CLOSED) if torn.size else None

    def _take(self, ends: Places, lines: Places) -> Cut:
        length = int(ends[-1])
        content, self._rest = self._rest[:length], self._rest[length:]
        return Cut(content, ends, lines[: np.searchsorted(lines, length, "right")], length)

    def _poison_cut(self, content: bytes, length: int, fault: str) -> Cut:
        self._given_up += 1
        if self._given_up > MOST_POISON:
            raise InvalidInput(f"more than {MOST_POISON:,} rows cannot be told apart, the last {fault}: is the delimiter right?")
        end = np.array([length])
        return Cut(content, end, end, length, fault)

    def _first_line(self) -> int:
        """Give the place after the first line end of the rest, 0 when there is none."""
        window = 1 << 12
        while window < 2 * len(self._rest):
            ends = line_ends(self._rest[:window]) if self._delimiter else row_ends(self._rest[:window], None).rows
            if len(ends) and not (ends[0] == window and self._rest[window - 1] == CR):
                return int(ends[0])
            window *= 2
        ends = line_ends(self._rest)
        return int(ends[0]) if len(ends) else 0

    def _skip(self, part: bytes) -> bytes:
        """Look for the end of a line that is too long; gives what comes after it, nothing while it goes on."""
        ends = line_ends(part)
        end = int(ends[0]) if len(ends) and ends[0] < len(part) else len(part)
        self._skipped_length += end
        return part[end:]

    def _skipped_cut(self) -> Cut:
        self._skipping = False
        return self._poison_cut(self._skipped, self._skipped_length, TOO_LONG)


def cuts(source: Stream, delimiter: str | None, columns: int = 0) -> Iterator[Cut]:
    """Give a stream in cuts, in order and without gaps."""
    cutter = RowCutter(delimiter, columns)
    while part := source.read(BLOCK_BYTES):
        yield from cutter.feed(part)
    yield from cutter.finish()
