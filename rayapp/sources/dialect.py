"""How a CSV is written: its delimiter, the line of its header, and where its rows begin."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from rayapp.datasets import Dataset
from rayapp.errors import InvalidInput
from rayapp.sources.header_names import known_in
from rayapp.sources.mapping import plain
from rayapp.sources.options import MappingFile
from rayapp.sources.row_ends import count_line_ends, row_ends

DELIMITERS = ",;\t|"
LOOKED_AT = 200
"""Rows of a sample that are counted."""

SNIFFED_BYTES = 1 << 16

HEADER_WITHIN = 40
"""Rows among which a header is looked for; above it banks print the account's name and the like."""

TOLD_BY = 2
"""Known names that make a row below the first one a header."""


class Dialect(msgspec.Struct, frozen=True):
    """A CSV's ``delimiter``, and ``fields``, the columns' names as ``plain`` gives them, each once.

    The rows begin at byte ``offset`` of the text, without its mark, on line ``first_line`` (one-based). ``printed`` are the names as
    they stand there.
    """

    delimiter: str
    fields: tuple[str, ...]
    printed: tuple[str, ...]
    offset: int
    first_line: int

    @property
    def twice(self) -> frozenset[str]:
        """Names that several columns have."""
        names = Counter(plain(name) for name in self.printed)
        return frozenset(name for name, count in names.items() if count > 1)


def dialect_of(sample: bytes, dataset: Dataset, said: MappingFile, encoding: str = "utf-8") -> Dialect:
    """Read a dialect off the beginning of a text in an encoding whose ASCII is ASCII; the last row of it may be cut off.

    Raises ``InvalidInput`` when there is no header, or when the first row looks like none.
    """
    announced = _announced(sample)
    skip = len(announced[1]) if announced else 0
    rows = _Rows(sample, skip, encoding)
    delimiter = said.delimiter or (announced[0] if announced else _likeliest(rows, dataset))
    if said.header_line() == 0:
        first = next(rows.cut_by(delimiter), ([], skip))[0]
        names = tuple(str(number) for number in range(1, len(first) + 1))
        return Dialect(delimiter, names, names, skip, count_line_ends(sample[:skip]) + 1)
    row, end = _header(rows, delimiter, dataset, said.header_line())
    names = tuple(name.strip() for name in row)
    if not any(names):
        raise InvalidInput("the source has no header: a line with the columns' names, or `header = false` in a mapping file")
    return Dialect(delimiter, _each_once(names), names, end, (count_line_ends(sample[:end]) or 1) + 1)


class _Rows(NamedTuple):
    """The rows of a sample from ``skip`` on."""

    sample: bytes
    skip: int
    encoding: str

    def cut_by(self, delimiter: str) -> Iterator[tuple[list[str], int]]:
        """Give the first rows by their cells, with the place in the sample after each; the last one may be cut off."""
        rest = self.sample[self.skip : self.skip + SNIFFED_BYTES]
        places = row_ends(rest, delimiter).rows[:LOOKED_AT].tolist()
        if len(places) < LOOKED_AT and (not places or places[-1] < len(rest)):
            places.append(len(rest))
        text = rest[: places[-1]].decode(self.encoding, "replace")
        for cells, end in zip(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), places, strict=False):
            yield cells, self.skip + end

    def line(self, end: int) -> int:
        """Give the line that ends before a place."""
        return count_line_ends(self.sample[:end]) or 1


def _header(rows: _Rows, delimiter: str, dataset: Dataset, line: int | None) -> tuple[list[str], int]:
    """Give the header's cells, and the place after it."""
    found = list(rows.cut_by(delimiter))
    if line is not None:
        for cells, end in found:
            if rows.line(end) >= line:
                return cells, end
        raise InvalidInput(f"the header should stand in line {line}, and there are no more than {len(found)} rows up to there")
    found = found[:HEADER_WITHIN]
    told = [known_in(dataset, cells) for cells, _ in found]
    best = max(range(len(found)), key=lambda row: (told[row], -row), default=0)
    return (found[best] if told[0] < TOLD_BY <= told[best] else found[0]) if found else ([], rows.skip)


def _announced(sample: bytes) -> tuple[str, bytes] | None:
    """Read the line ``sep=;`` that spreadsheets put first."""
    line = sample[: row_ends(sample[:100], None).rows[0]] if b"\n" in sample[:100] else b""
    words = line.strip().strip(b'"').lower()
    return (chr(words[4]), line) if words.startswith(b"sep=") and len(words) == len(b"sep=;") else None


def _likeliest(rows: _Rows, dataset: Dataset) -> str:
    """Choose the delimiter that cuts a header into most known names, and most rows into the same number of cells."""

    def fitness(delimiter: str) -> tuple[int, float, int]:
        found = [cells for cells, _ in rows.cut_by(delimiter)]
        told = max((known_in(dataset, cells) for cells in found[:HEADER_WITHIN]), default=0)
        counts = Counter(len(cells) for cells in found if len(cells) > 1)
        columns, times = max(counts.items(), key=lambda entry: (entry[1], entry[0]), default=(1, 0))
        return told, times / max(1, len(found)), columns

    return max(DELIMITERS, key=fitness)


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    """Give every column a name of its own: its plain one, a later one of the same name with its number."""
    seen: Counter[str] = Counter()
    found = []
    for number, name in enumerate(names, 1):
        label = plain(name) or f"column {number}"
        seen[label] += 1
        found.append(label if seen[label] == 1 else f"{label} ({number})")
    return tuple(found)
