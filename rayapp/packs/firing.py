"""Which patterns match which descriptors, found by the engine itself: one linear pass, however hostile a pattern is."""

from collections.abc import Iterable, Sequence

from rayapp.packs.phrase_index import clean_texts
from rayapp.packs.source import Pattern, RuleSource
from rayapp.scoring.patterns import compile_patterns, match


class Firing:
    """The matches of a fixed set of patterns in a fixed list of descriptors."""

    def __init__(self, patterns: Iterable[str], descriptors: Sequence[str]) -> None:
        """Match ``patterns``, which must all be supported, against the clean views of ``descriptors``."""
        self._patterns = list(dict.fromkeys(patterns))
        self._matched: list[set[str]] = [set() for _ in descriptors]
        if not self._patterns or not descriptors:
            return
        compiled = compile_patterns(self._patterns, most_unfiltered=len(self._patterns))
        rows, found = match(compiled, *clean_texts(descriptors))
        for row, pattern in zip(rows.tolist(), found.tolist(), strict=True):
            self._matched[row].add(self._patterns[pattern])

    def matched(self, row: int) -> set[str]:
        """Give the patterns that match a descriptor."""
        return self._matched[row]

    def fires(self, rule: RuleSource, row: int) -> bool:
        """Say whether a rule's patterns let it fire on a descriptor, conditions aside."""
        matched = self._matched[row]
        return not matched.isdisjoint(texts(rule.patterns)) and matched.isdisjoint(texts(rule.unless))


def texts(patterns: Iterable[Pattern]) -> list[str]:
    """Give the patterns without their lines."""
    return [pattern.text for pattern in patterns]
