import re
import warnings

import pytest
from hypothesis import given, settings

from rayapp.scoring.patterns import compile_patterns, find_faults, spans

from . import regexes


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (r"CHECK \d+", "MY CHECK 1234 X", (3, 13)),
        (r"\bUBER\b(?: EATS)?", "UBERX UBER EATS", (6, 15)),
        (r"UBER.*EATS", "é UBER X EATS EATS", (2, 18)),
        (r"支.宝", "A 支付宝 B", (2, 5)),
        (r"\bFEES?\b", "COFFEE FEES", (7, 11)),
        (r"uber", "an Uber", (3, 7)),
        (r"UBER", "LYFT", None),
        (r"UBER", "", None),
    ],
)
def test_the_leftmost_longest_match_is_given_in_characters(pattern, text, expected):
    assert spans(compile_patterns([pattern]), 0, text) == expected


@settings(max_examples=400, deadline=None)
@given(regexes.patterns, regexes.rows)
def test_a_match_begins_where_re_begins_and_is_at_least_as_long(pattern, row):
    if find_faults([pattern], most_unfiltered=1):
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = re.search(pattern, row, re.IGNORECASE)
    found = spans(compile_patterns([pattern], most_unfiltered=1), 0, row)
    assert (found is None) == (expected is None)
    if found and expected:
        assert found[0] == expected.start()
        assert found[1] >= expected.end()
