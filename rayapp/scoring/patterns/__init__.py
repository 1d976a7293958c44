"""Finds which of many regular expressions occur in which rows of text: one linear pass, whatever the pattern and the text.

Patterns are matched against the clean view (upper case, single spaces, UTF-8); plain ``re`` with IGNORECASE on that view is the
reference of meaning. A pattern becomes a tree (syntax), its required texts (literals), an automaton that confirms (nfa,
automaton) and together a program; a set of programs is one Aho-Corasick table with the automata behind it (pattern_set, kernel).
"""

from rayapp.scoring.patterns.kernel import match_rows
from rayapp.scoring.patterns.pattern_set import PatternFault, PatternSet, compile_patterns, find_faults, match
from rayapp.scoring.patterns.span import spans
from rayapp.scoring.patterns.tables import Tables, new_scratch

__all__ = ["PatternFault", "PatternSet", "Tables", "compile_patterns", "find_faults", "match", "match_rows", "new_scratch", "spans"]
