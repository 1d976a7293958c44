"""When lint says that a pattern matches wherever another does, no text shows otherwise."""

import re

from hypothesis import assume, given
from hypothesis import strategies as st

from rayapp.packs.check_overlap import _covers
from rayapp.scoring.patterns import find_faults

edge = st.sampled_from(["", r"\b"])
word = st.sampled_from(["ABA", "ABAC", "CABA", "ABA-C", "ABA C", "BAC"])
odd = st.sampled_from(["(?:ABA|BAC)", "AB[AC]", "ABA C?", "ABA.{0,3}", "ABA$", "^ABA", "ABA *C?", r"ABA\b", "ABAB?", "A?BAC", r"BAC\W?"])
patterns = st.builds("{}{}{}".format, edge, word | odd, edge)
texts = st.lists(st.sampled_from(["A", "B", "C", "ABA", "BAC", " ", "-", "1", "Ł"]), max_size=8).map("".join)


@given(st.lists(patterns, min_size=2, max_size=6, unique=True), st.lists(texts, max_size=30))
def test_a_covering_pattern_matches_every_text_that_the_covered_one_matches(written, tried):
    assume(not find_faults(written))
    for covered, covering in _covers(written).items():
        for text in tried:
            if re.search(covered, text, re.IGNORECASE):
                assert all(re.search(other, text, re.IGNORECASE) for other in covering), (covered, covering, text)


def test_a_word_with_bound_edges_covers_longer_phrases_and_an_anchored_one_does_not():
    covers = _covers([r"\bCOFFEE\b", r"\bBLUE COFFEE BAR\b", r"^COFFEE\b", r"\bCOFFEE.{0,40}$", r"\bCOFFEEHOUSE\b", "COFFEE"])
    assert covers[r"\bBLUE COFFEE BAR\b"] == {r"\bBLUE COFFEE BAR\b", r"\bCOFFEE\b", "COFFEE"}
    assert covers[r"\bCOFFEEHOUSE\b"] == {r"\bCOFFEEHOUSE\b", "COFFEE"}
    assert covers[r"\bCOFFEE\b"] == {r"\bCOFFEE\b", "COFFEE"}
