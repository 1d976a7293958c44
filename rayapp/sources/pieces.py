"""How a source is cut up for a load: fixed when the load begins, so that a load that broke off goes on with the same pieces."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec
import pyarrow as pa

from rayapp.sources.blocks import Unread
from rayapp.sources.dialect import Dialect
from rayapp.sources.formats import Format
from rayapp.sources.locations import Location, Stamp
from rayapp.sources.mapping import Mapping
from rayapp.sources.tiers import Tier

__all__ = ["Piece", "Plan", "ReadPiece", "Rows", "SourceFile", "Unread"]


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


class SourceFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a source, and what has to be known to read a piece of it.

    ``bytes`` it has as it lies there. ``packed`` is gz or zst. Its text is read from ``text``, which is the file itself or an unpacked
    copy on this machine, and must still have the ``stamp``. ``keys`` are those of JSON lines.
    """

    name: str
    bytes: int
    rows: int
    format: Format
    packed: str = ""
    encoding: str = "utf-8"
    dialect: Dialect | None = None
    keys: tuple[str, ...] = ()
    text: Location
    stamp: Stamp
    is_copy: bool = False


class Plan(msgspec.Struct, frozen=True):
    """What will be loaded. ``rows`` are counted, or estimated if not ``counted``; blank lines count.

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
    mapping: Mapping = Mapping(())


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
