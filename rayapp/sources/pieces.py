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
    """Whole rows of one file of a source: its bytes ``offset`` to ``offset + length``, or its rows for Parquet.

    ``file`` counts the source's files from zero. The first row is the source's ``first_row`` (zero-based, over all files) and stands on
    its file's ``first_line`` (one-based): a quoted value may hold line ends, so that rows and lines part.
    """

    number: int
    file: int
    offset: int
    length: int
    first_row: int
    first_line: int


class SourceFile(msgspec.Struct, frozen=True):
    """One file of a source: where it is, how many bytes it has as it lies there, and its rows."""

    name: str
    bytes: int
    rows: int


class Plan(msgspec.Struct, frozen=True):
    """What will be loaded. ``rows`` are counted, or estimated if not ``counted``.

    ``digest`` covers the source's bytes and the cut; ``content`` the bytes and what the columns mean, however they are cut, so that a load
    that broke off is found again by it and goes on with the cut that it began with.
    """

    source: str
    digest: str
    bytes: int
    rows: int
    tier: Tier
    pieces: tuple[Piece, ...]
    files: tuple[SourceFile, ...] = ()
    counted: bool = True
    content: str = ""


class Unread(NamedTuple):
    """A row that could not be read, by its zero-based row in the source; ``column`` is empty where no single value is to blame."""

    row: int
    message: str
    column: str = ""
    value: str | None = None


class Rows(NamedTuple):
    """Rows of a piece: the dataset's columns, each row's zero-based row in the source, and the rows that could not be read.

    ``line_of`` gives the one-based line of its file on which a row begins, and ``file`` that file's name.
    """

    table: pa.Table
    places: Sequence[int]
    unread: Sequence[Unread] = ()
    line_of: Callable[[int], int] = lambda row: row + 1
    file: str = ""


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
