"""A pattern set as flat arrays, and the codes in them."""

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Bytes: TypeAlias = NDArray[np.uint8]
Ints: TypeAlias = NDArray[np.int32]
Cells: TypeAlias = NDArray[np.uint16]
Sets: TypeAlias = NDArray[np.uint64]

AFTER_SHIFT, DECIDES, CONFIRMS = 3, 64, 128
"""An entry's second number: contexts allowed before (3 bits) and after (3 bits), and what a hit means.

A hit decides the pattern, or makes it a candidate that its automaton must confirm, or else only sets a mark.
"""

PLACE, COLUMNS, WIDTH, BEGIN, MIDDLE, REACH, ALSO, KINDS = range(8)
"""Columns of ``patterns``."""

UNBOUNDED = -1


class Tables(NamedTuple):
    """What match_rows reads; all arrays are read-only.

    ``classes``, ``moves``, ``hits`` and ``texts`` are those of aho_corasick.Automaton; its entries are pairs of pattern or mark
    and code, where marks are numbered after the patterns.

    ``patterns`` has a row per pattern. Where a Dfa confirms: the place of its table in ``cells``, the row of its classes in
    ``columns``, its width, begin and middle. Where Positions confirm: the place in ``sets``, the row in ``columns``, the words,
    the count, 0. Then the program's reach (UNBOUNDED for none), the place in ``also``, and the kinds of Positions or 0.

    ``also`` begins with the length of the scratch; then, per place, come the number of sets and, per set, the number of marks
    and the marks, of which one must be set. ``unfiltered`` are the patterns to try on every row.
    """

    classes: Bytes
    moves: Ints
    hits: Ints
    texts: Bytes
    patterns: Ints
    cells: Cells
    sets: Sets
    columns: Bytes
    also: Ints
    unfiltered: Ints


class Matching(NamedTuple):
    """Working memory of match_rows: what is known of each pattern and mark, then the candidates; and two sets of positions."""

    notes: Ints
    sets: Sets


def new_scratch(tables: Tables) -> Matching:
    """Give the working memory that one call of match_rows needs; threads must not share it."""
    words = tables.patterns[tables.patterns[:, KINDS] > 0, WIDTH].max(initial=1)
    return Matching(np.full(int(tables.also[0]), -1, np.int32), np.empty(2 * int(words), np.uint64))
