"""Rows as they are read: a table of a file's fields, the place of each row, and the rows that could not be read."""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa


class Unread(NamedTuple):
    """A row that could not be read, by its zero-based row in the source; ``column`` is empty where no single value is to blame."""

    row: int
    message: str
    column: str = ""
    value: str | None = None
    id: str | None = None
    """Of the row, where it could be read by itself."""


class Block(NamedTuple):
    """Some rows of a source: ``places`` gives the zero-based row in the source of each row of ``table``.

    ``lines`` are the rows' lines where they cannot be counted.
    """

    table: pa.Table
    places: Sequence[int]
    unread: tuple[Unread, ...] = ()
    lines: dict[int, int] | None = None

    def without_rows(self, bad: Iterable[tuple[int, Unread]]) -> "Block":
        """Take rows out, each by its row in the table with what is wrong with it; of several faults of a row all are kept."""
        found = list(bad)
        if not found:
            return self
        good = np.ones(self.table.num_rows, np.bool_)
        good[[row for row, _ in found]] = False
        places = np.asarray(self.places, np.int64)[good].tolist()
        unread = (*self.unread, *(fault for _, fault in found))
        return self._replace(table=self.table.filter(pa.array(good)), places=places, unread=unread)


def without(first: int, count: int, missing: Collection[int]) -> Sequence[int]:
    """Give the places from ``first`` on without the missing ones."""
    places = range(first, first + count)
    return [place for place in places if place not in missing] if missing else places
