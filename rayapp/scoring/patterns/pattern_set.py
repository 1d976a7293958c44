"""Many patterns as one set of flat arrays that travels between processes without being rebuilt."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from rayapp.errors import InvalidSetup
from rayapp.scoring.patterns.kernel import match_rows
from rayapp.scoring.patterns.layout import build_tables, read_only
from rayapp.scoring.patterns.program import compile_pattern
from rayapp.scoring.patterns.syntax import RejectedPattern
from rayapp.scoring.patterns.tables import Tables, new_scratch

USUAL_PAIRS = 10
"""Pairs per row that are made room for; more cost a second pass."""

Pairs = tuple[NDArray[np.int32], NDArray[np.int32]]


class PatternFault(msgspec.Struct, frozen=True):
    """What is wrong with the pattern at ``index``, and what to write instead (or an empty string)."""

    index: int
    message: str
    suggestion: str


class PatternSet(NamedTuple):
    """Compiled patterns: their sources, in order of id, and the tables that match them."""

    patterns: tuple[str, ...]
    tables: Tables

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Give the whole set as named arrays, C-contiguous and read-only."""
        texts = [pattern.encode() for pattern in self.patterns]
        offsets = np.zeros(len(texts) + 1, np.int64)
        np.cumsum([len(text) for text in texts], out=offsets[1:])
        source = {"source": np.frombuffer(b"".join(texts), np.uint8), "source_offsets": read_only(offsets)}
        return {**self.tables._asdict(), **source}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild the set, without copying, from what ``arrays`` gave; arrays from elsewhere are not checked."""
        source, offsets = arrays["source"].tobytes(), arrays["source_offsets"].tolist()
        patterns = tuple(source[begin:end].decode() for begin, end in pairwise(offsets))
        return cls(patterns, Tables(**{name: read_only(arrays[name]) for name in Tables._fields}))


def find_faults(patterns: Sequence[str], most_unfiltered: int = 0) -> list[PatternFault]:
    """Every pattern that would be rejected, in order; ``most_unfiltered`` as in compile_patterns."""
    faults: list[PatternFault] = []
    unfiltered = 0
    for index, pattern in enumerate(patterns):
        try:
            program = compile_pattern(pattern)
        except RejectedPattern as rejection:
            faults.append(PatternFault(index, rejection.message, rejection.suggestion))
            continue
        unfiltered += not program.literals
        if not program.literals and unfiltered > most_unfiltered:
            faults.append(PatternFault(index, *NO_LITERAL))
    return faults


NO_LITERAL = (
    "no fixed text of three bytes is in every match, so that the pattern would be tried on every row",
    r"add fixed text, or bind a word of two with \b on both sides",
)


def compile_patterns(patterns: Sequence[str], most_unfiltered: int = 0) -> PatternSet:
    """Compile patterns, whose ids are their positions; raise InvalidSetup with every PatternFault if any is rejected.

    Up to ``most_unfiltered`` patterns may lack a fixed text; these cost time on every row.
    """
    faults = find_faults(patterns, most_unfiltered)
    if faults:
        raise InvalidSetup.of("patterns are rejected", faults)
    return PatternSet(tuple(patterns), build_tables([compile_pattern(pattern) for pattern in patterns]))


def match(pattern_set: PatternSet, data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> Pairs:
    """Find all (row, pattern) pairs in order of row, then pattern, each once.

    Row r is ``data[offsets[r]:offsets[r + 1]]``, a clean view in UTF-8. Releases the GIL while it runs.
    """
    rows = len(offsets) - 1
    scratch = new_scratch(pattern_set.tables)
    room = 64 + USUAL_PAIRS * rows
    while True:
        pairs = np.empty(room, np.int32), np.empty(room, np.int32)
        found = match_rows(pattern_set.tables, data, offsets, 0, rows, scratch, *pairs)
        if found <= room:
            return pairs[0][:found], pairs[1][:found]
        room = found
