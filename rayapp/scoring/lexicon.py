"""The arrays that the kernels of the core work on: the pack's lexicon, what is found in each row, and a row's scratch."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rayapp.scoring.phrases import Trie
from rayapp.scoring.tokens import MAX_TOKENS, Tokens, new_tokens

MAX_HITS = 6
"""Alias hits kept of one descriptor; leftmost first."""

CITY, REGION, COUNTRY, COMMON = 1, 2, 4, 8
"""What a place name can be; a common word is a place only before a region or a country."""


NOWHERE, UNKNOWN = np.uint64(0), np.uint64(0xFFFFFFFFFFFFFFFF)
"""No cells of places, whose entries are far fewer."""


class Lexicon(NamedTuple):
    """The pack's phrases and places as arrays."""

    phrases: Trie
    kind: NDArray[np.uint16]
    processor: NDArray[np.int16]
    channel: NDArray[np.int8]
    places: Trie
    place_kind: NDArray[np.uint8]
    place_country: NDArray[np.int16]
    place_region: NDArray[np.int32]
    learned: Trie


class Facts(NamedTuple):
    """What is known of each row beside its core; -1 where nothing is. Spans are places in the clean view, shape (n, 2)."""

    processor: NDArray[np.int16]
    channel: NDArray[np.int8]
    country: NDArray[np.int16]
    region: NDArray[np.int32]
    city: NDArray[np.int32]
    store: NDArray[np.int32]
    phone: NDArray[np.int32]
    weight: NDArray[np.int32]
    """Letters of the core that say something: legal and generic words left out."""
    words: NDArray[np.int32]
    """Letters of the core, those of legal and neutral words alone left out."""
    learned: NDArray[np.int32]
    """Learned merchant whose core is exactly this one."""


class Hits(NamedTuple):
    """Aliases found: hit ``h`` of row ``r`` has ``offset[r] <= h < offset[r + 1]``."""

    offset: NDArray[np.int64]
    entry: NDArray[np.int32]
    start: NDArray[np.int32]
    end: NDArray[np.int32]
    first: NDArray[np.uint8]
    """1 where the alias opens the core."""
    letters: NDArray[np.int32]
    """Letters of the alias that say something."""


class Scan(NamedTuple):
    """Scratch of one row: the tokens kept, and which alias hit each belongs to (-1 for none)."""

    tokens: Tokens
    kept: NDArray[np.int32]
    hit_of: NDArray[np.int32]
    entry: NDArray[np.int32]
    first: NDArray[np.int32]
    last: NDArray[np.int32]
    hashes: NDArray[np.uint64]
    node: NDArray[np.uint64]
    """Node of each token as the first of a phrase."""
    cell: NDArray[np.uint64]
    """Its cell, 0 where no phrase begins with the token."""
    single: NDArray[np.int32]
    """Entry of each token alone, -1 for none."""
    kind: NDArray[np.int32]
    """What that entry is good for."""
    place_node: NDArray[np.uint64]
    """Node of each token as the first of a place."""
    place_cell: NDArray[np.uint64]
    """Its cell, 0 where no place begins with the token, UNKNOWN before that was asked."""


def new_scan() -> Scan:
    """Make scratch for one thread."""

    def integers() -> NDArray[np.int32]:
        return np.empty(MAX_TOKENS + 1, np.int32)

    def hashes() -> NDArray[np.uint64]:
        return np.empty(MAX_TOKENS + 1, np.uint64)

    return Scan(
        new_tokens(),
        integers(),
        integers(),
        integers(),
        integers(),
        integers(),
        hashes(),
        hashes(),
        hashes(),
        integers(),
        integers(),
        hashes(),
        hashes(),
    )


def new_facts(rows: int) -> Facts:
    """Make room for the facts of ``rows`` rows."""
    return Facts(
        np.empty(rows, np.int16),
        np.empty(rows, np.int8),
        np.empty(rows, np.int16),
        np.empty(rows, np.int32),
        np.empty(rows, np.int32),
        np.empty((rows, 2), np.int32),
        np.empty((rows, 2), np.int32),
        np.empty(rows, np.int32),
        np.empty(rows, np.int32),
        np.empty(rows, np.int32),
    )


def new_hits(rows: int) -> Hits:
    """Make room for the hits of ``rows`` rows."""
    room = rows * MAX_HITS
    return Hits(
        np.empty(rows + 1, np.int64),
        np.empty(room, np.int32),
        np.empty(room, np.int32),
        np.empty(room, np.int32),
        np.empty(room, np.uint8),
        np.empty(room, np.int32),
    )
