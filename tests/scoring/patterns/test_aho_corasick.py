from hypothesis import given, settings
from hypothesis import strategies as st

from rayapp.scoring.patterns import compile_patterns
from rayapp.scoring.patterns.aho_corasick import build_automaton

from .columns import pairs

texts = st.lists(st.text("ABé中", min_size=3, max_size=9), min_size=1, max_size=12, unique=True)


@settings(deadline=None)
@given(texts, st.lists(st.text("ABé中", max_size=30), max_size=8))
def test_every_text_is_found_in_every_row_that_has_it(some, rows):
    expected = [(row, number) for row, text in enumerate(rows) for number, one in enumerate(some) if one in text]
    assert pairs(compile_patterns(some), rows) == expected


def test_only_the_head_that_tells_texts_apart_has_states():
    automaton = build_automaton({b"ABCDEFGHIJ": [(0, 0)], b"ABCDXYZ": [(1, 0)]})
    assert len(automaton.moves) == len(["", "A", "AB", "ABC", "ABCD"])


def test_bytes_beyond_ascii_share_a_few_classes():
    automaton = build_automaton({"".join(map(chr, range(0x4E00, 0x4F00))).encode(): [(0, 0)], b"AB": [(1, 0)]})
    assert automaton.classes.max() <= 2 + 8


def test_no_texts_make_an_automaton_that_stays_where_it_is():
    automaton = build_automaton({})
    assert automaton.moves.tolist() == [[0]]
