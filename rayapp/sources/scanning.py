"""One look at every byte of a text: its digest, where its rows are, and what of it is not ASCII."""

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from typing import BinaryIO, NamedTuple

import numpy as np

from rayapp.sources.encoding import SAMPLE_BYTES, non_ascii_lines
from rayapp.sources.row_cuts import Cut, RowCutter
from rayapp.sources.stream import BLOCK_BYTES
from rayapp.sources.tiers import LARGE_ROWS

MOST_ROWS = 1 << 20
"""Rows of a piece that the ledger can number."""


class Stretch(NamedTuple):
    """Whole rows that follow each other: bytes from ``offset`` on, the first row on ``first_line`` of the text."""

    offset: int
    length: int
    rows: int
    first_line: int


class Scan(NamedTuple):
    """What a look found: stretches of about a block, and in ``fine`` stretches of ``LARGE_ROWS`` while there were few rows."""

    digest: str
    stretches: list[Stretch]
    fine: list[Stretch]
    not_ascii: bytes

    @property
    def rows(self) -> int:
        """All rows, blank lines too."""
        return sum(stretch.rows for stretch in self.stretches)


class Scanner:
    """Looks at a text whose rows begin at byte ``start``, on line ``first_line``."""

    def __init__(self, cutter: RowCutter, start: int, first_line: int, fine_rows: int) -> None:
        """Take what cuts the rows; ``fine_rows`` is how many rows may be cut finely."""
        self._cutter = cutter
        self._start = self._offset = start
        self._line = first_line
        self._fine_rows = fine_rows
        self._stretches: list[Stretch] = []
        self._fine: list[Stretch] = []
        self._not_ascii = b""

    def scan(self, file: BinaryIO) -> Scan:
        """Read the file from its beginning to its end; the digest is taken on a thread beside."""
        digest = hashlib.sha256()
        file.seek(0)
        with ThreadPoolExecutor(1) as beside:
            digested: Future[None] = beside.submit(digest.update, file.read(self._start) if self._start else b"")
            while part := file.read(BLOCK_BYTES):
                digested.result()
                digested = beside.submit(digest.update, part)
                for cut in self._cutter.feed(part):
                    self._note(cut)
            for cut in self._cutter.finish():
                self._note(cut)
            digested.result()
        return Scan(digest.hexdigest(), self._stretches, self._fine, self._not_ascii)

    @staticmethod
    def digest_of(file: BinaryIO) -> str:
        """Digest a whole file."""
        file.seek(0)
        digest = hashlib.sha256()
        while part := file.read(BLOCK_BYTES):
            digest.update(part)
        return digest.hexdigest()

    def _note(self, cut: Cut) -> None:
        self._not_ascii += non_ascii_lines(cut.content, SAMPLE_BYTES - len(self._not_ascii))
        self._stretches += self._parts(cut, MOST_ROWS)
        if self._fine_rows > 0:
            self._fine += self._parts(cut, LARGE_ROWS)
            self._fine_rows -= len(cut.ends)
        self._offset += cut.length
        self._line += len(cut.lines)

    def _parts(self, cut: Cut, most: int) -> list[Stretch]:
        """Cut into stretches of at most so many rows."""
        found = []
        begin = 0
        for first in range(0, len(cut.ends), most):
            rows = min(most, len(cut.ends) - first)
            end = int(cut.ends[first + rows - 1])
            line = self._line + int(np.searchsorted(cut.lines, begin, "right"))
            found.append(Stretch(self._offset + begin, end - begin, rows, line))
            begin = end
        return found
