"""Plain ``re`` with IGNORECASE on the text is the reference of meaning."""

import re
import warnings

import numpy as np
from hypothesis import given, settings, strategies as st

from rayapp.scoring.patterns import compile_patterns, find_faults, match

from . import regexes


def joined(rows):
    encoded = [row.encode() for row in rows]
    offsets = np.zeros(len(rows) + 1, np.int64)
    np.cumsum([len(row) for row in encoded], out=offsets[1:])
    return np.frombuffer(b"".join(encoded), np.uint8), offsets


def expected_pairs(patterns, rows):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compiled = [re.compile(pattern, re.IGNORECASE) for pattern in patterns]
    return [(row, index) for row, text in enumerate(rows) for index, one in enumerate(compiled) if one.search(text)]


@settings(max_examples=300, deadline=None)
@given(st.lists(regexes.patterns, min_size=1, max_size=8), st.lists(regexes.rows, max_size=12))
def test_any_set_of_patterns_matches_exactly_where_re_does(patterns, rows):
    bad = {fault.index for fault in find_faults(patterns, most_unfiltered=len(patterns))}
    good = [pattern for index, pattern in enumerate(patterns) if index not in bad]
    found = match(compile_patterns(good, most_unfiltered=len(good)), *joined(rows))
    assert list(zip(*(ids.tolist() for ids in found), strict=True)) == expected_pairs(good, rows)
