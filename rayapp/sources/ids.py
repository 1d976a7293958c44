"""Ids for rows that have none: a digest of what stands in them, and which of several equal rows each is."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rayapp.errors import InvalidInput
from rayapp.sources.mapped import digests
from rayapp.sources.pieces import Piece

if TYPE_CHECKING:
    from rayapp.sources.reading import PieceReader

MOST_ROWS = 5_000_000
"""Rows whose digests are compared, 16 bytes of memory each."""


def repeats_in(reader: "PieceReader", pieces: Sequence[Piece], rows: int) -> dict[int, int]:
    """Give for each row that has the same digest as an earlier one how manieth it is, from two on.

    Raises ``InvalidInput`` where there are too many rows to compare.
    """
    if rows > MOST_ROWS:
        raise InvalidInput(
            f"the source has no column for the id, and more than {MOST_ROWS:,} rows to make ids for: name the column in a mapping file, "
            'or say id = "row", which tells rows apart inside this source alone'
        )
    source = next(column for column in reader.mapping.columns if column.how == "digest")
    places: list[int] = []
    found: list[bytes] = []
    for piece in pieces:
        for block, _ in reader.blocks(piece):
            places += block.places
            found += [bytes.fromhex(digest) for digest in digests(block, source.fields)]
    return _numbered(np.array(found, "V16"), places)


def _numbered(found: "np.ndarray[tuple[int], np.dtype[np.void]]", places: Sequence[int]) -> dict[int, int]:
    if not len(found):
        return {}
    _, inverse, counts = np.unique(found, return_inverse=True, return_counts=True)
    seen: dict[int, int] = {}
    repeats = {}
    for row in np.flatnonzero(counts[inverse] > 1).tolist():
        same = int(inverse[row])
        seen[same] = seen.get(same, 0) + 1
        if seen[same] > 1:
            repeats[places[row]] = seen[same]
    return repeats
