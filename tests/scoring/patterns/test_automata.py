"""Both kinds of automata are held to ``re``, whichever of them the compiler would choose."""

import warnings

from hypothesis import given, settings
from hypothesis import strategies as st

from rayapp.scoring.patterns import PatternSet, find_faults
from rayapp.scoring.patterns.automaton import build_dfa
from rayapp.scoring.patterns.layout import build_tables
from rayapp.scoring.patterns.literals import trim
from rayapp.scoring.patterns.nfa import build_nfa
from rayapp.scoring.patterns.positions import Positions, build_positions
from rayapp.scoring.patterns.program import Program, compile_pattern
from rayapp.scoring.patterns.syntax import parse

from . import regexes
from .columns import pairs, pairs_of_re


def sets_of_either_kind(pattern):
    nfa = build_nfa(trim(parse(pattern)))
    chosen = compile_pattern(pattern)
    for automaton in (build_dfa(nfa), build_positions(nfa)):
        yield "always on", Program(automaton=automaton)
        if chosen.automaton is not None:
            yield "behind literals", chosen._replace(automaton=automaton)


@settings(max_examples=300, deadline=None)
@given(regexes.patterns, st.lists(regexes.rows, max_size=12))
def test_an_automaton_of_either_kind_matches_where_re_does(pattern, rows):
    if find_faults([pattern], most_unfiltered=1):
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = pairs_of_re([pattern], rows)
    for how, program in sets_of_either_kind(pattern):
        assert pairs(PatternSet((pattern,), build_tables([program])), rows) == expected, how


def test_a_table_that_would_be_too_large_becomes_a_set_of_positions():
    assert build_dfa(build_nfa(parse("A.{20}FEE"))) is None
    assert isinstance(compile_pattern("A.{20}FEE").automaton, Positions)
