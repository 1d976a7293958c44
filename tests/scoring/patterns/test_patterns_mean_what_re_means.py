"""Plain ``re`` with IGNORECASE on the text is the reference of meaning."""

import re
import tomllib
import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rayapp.scoring.patterns import compile_patterns, find_faults

from . import regexes
from .columns import pairs, pairs_of_re

CASES = tomllib.loads((Path(__file__).parents[2] / "cases" / "patterns.toml").read_text())["case"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["why"])
def test_each_case_matches_where_it_says_and_where_re_does(case):
    rows = [*case["matches"], *case["others"]]
    expected = [(row, 0) for row in range(len(case["matches"]))]
    assert pairs(compile_patterns([case["pattern"]]), rows) == expected == pairs_of_re([case["pattern"]], rows)


def test_all_cases_in_one_set_do_not_disturb_each_other():
    patterns = [case["pattern"] for case in CASES]
    rows = [row for case in CASES for row in case["matches"] + case["others"]]
    assert pairs(compile_patterns(patterns), rows) == pairs_of_re(patterns, rows)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(regexes.patterns, min_size=1, max_size=8), st.lists(regexes.rows, max_size=12))
def test_any_set_of_patterns_matches_exactly_where_re_does(patterns, rows):
    bad = {fault.index for fault in find_faults(patterns, most_unfiltered=len(patterns))}
    good = [pattern for index, pattern in enumerate(patterns) if index not in bad]
    assert pairs(compile_patterns(good, most_unfiltered=len(good)), rows) == pairs_of_re(good, rows)


@settings(max_examples=200, deadline=None)
@given(regexes.patterns, st.lists(regexes.rows, max_size=12))
def test_a_pattern_called_impossible_matches_in_no_row(pattern, rows):
    faults = find_faults([pattern], most_unfiltered=1)
    if faults and "can never match" in faults[0].message:
        assert pairs_of_re([pattern], rows) == []


@settings(max_examples=200, deadline=None)
@given(regexes.patterns)
def test_a_pattern_said_to_match_nothing_does_so(pattern):
    faults = find_faults([pattern], most_unfiltered=1)
    if faults and "can match nothing" in faults[0].message:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = [re.search(pattern, text, re.IGNORECASE) for text in ("", "A B", " ", "AB", "A")]
        assert any(one and one.group() == "" for one in found) or any(place in pattern for place in (r"\b", r"\B", "^", "$"))
