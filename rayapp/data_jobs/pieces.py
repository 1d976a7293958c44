"""How a source is cut up for a load: fixed when the load begins, so that a load that broke off goes on with the same pieces."""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple

import msgspec
import pyarrow as pa

from rayapp.settings import Settings

Tier = Literal["small", "medium", "large", "huge"]

LARGE_ROWS = 500
"""Rows of a piece in the tier ``large``, each committed alone."""


class Piece(msgspec.Struct, frozen=True):
    """Whole rows of a source: bytes ``offset`` to ``offset + length``.

    The first of them is the source's ``first_row`` (zero-based) and stands on its ``first_line`` (one-based): a quoted value may hold line
    ends, so that rows and lines part.
    """

    number: int
    offset: int
    length: int
    first_row: int
    first_line: int


class Plan(msgspec.Struct, frozen=True):
    """What will be loaded. ``digest`` covers the source's bytes and the cut."""

    source: str
    digest: str
    bytes: int
    rows: int
    tier: Tier
    pieces: tuple[Piece, ...]


class Unread(NamedTuple):
    """A row that could not even be read, by its zero-based row in the source."""

    row: int
    message: str


class Rows(NamedTuple):
    """Rows of a piece: the engine's input columns, each row's zero-based row in the source, and the rows that could not be read.

    ``line_of`` gives the one-based line of the source on which a row begins.
    """

    table: pa.Table
    places: Sequence[int]
    unread: Sequence[Unread] = ()
    line_of: Callable[[int], int] = lambda row: row + 1


ReadPiece = Callable[[Piece], Iterator[Rows]]
"""Reads a piece wherever it is called; goes to the workers of the cluster, so it can be pickled."""


def tier_of(rows: int, settings: Settings) -> Tier:
    """Choose how a source of so many rows is loaded.

    small and medium: one transaction. large: a transaction for each ``LARGE_ROWS``. huge: in parallel, on Ray Data.
    """
    if rows < settings.tier_small:
        return "small"
    if rows < settings.tier_medium:
        return "medium"
    return "large" if rows < settings.tier_large else "huge"
