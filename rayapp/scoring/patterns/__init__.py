"""Finds which of many regular expressions occur in which rows of text: one linear pass, whatever the pattern and the text.

Patterns are matched against the clean view (upper case, single spaces, UTF-8); plain ``re`` with IGNORECASE on that view is the
reference of meaning.

    compile    syntax: text to tree -> literals, rareness: which fixed texts decide, or must occur -> nfa -> automaton (a small
               table) or, where that would be large, positions (bit sets) -> program: all of that for one pattern
    lay out    pattern_set, layout: programs -> tables, with one aho_corasick table for the literals of all patterns
    match      kernel: rows -> literals -> candidates -> confirm: the automata of the few candidates
    explain    span: where a pattern matches
"""

from rayapp.scoring.patterns.kernel import match_on, match_rows
from rayapp.scoring.patterns.pattern_set import PatternFault, PatternSet, compile_patterns, find_faults, match
from rayapp.scoring.patterns.span import spans
from rayapp.scoring.patterns.tables import Matching, Tables, new_scratch

__all__ = [
    "Matching",
    "PatternFault",
    "PatternSet",
    "Tables",
    "compile_patterns",
    "find_faults",
    "match",
    "match_on",
    "match_rows",
    "new_scratch",
    "spans",
]
