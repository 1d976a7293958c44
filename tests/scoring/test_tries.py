"""What was put in is found again, whatever the filters say of the rest."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rayapp.scoring.near import LEAST_CUT, MOST, build_near_index, near_rows
from rayapp.scoring.phrases import build_trie, find

tokens = st.integers(0, 40).map(lambda number: (number * 0x9E3779B97F4A7C15 + 77) % (1 << 64))
phrases = st.lists(st.lists(tokens, min_size=1, max_size=5).map(tuple), min_size=1, max_size=40)


@settings(max_examples=60)
@given(inside=phrases, outside=phrases)
def test_a_trie_finds_its_phrases_and_no_others(inside, outside):
    offsets = np.cumsum([0, *map(len, inside)], dtype=np.int64)
    trie = build_trie(np.array([token for phrase in inside for token in phrase], np.uint64), offsets)
    entry = {phrase: number for number, phrase in enumerate(inside)}
    for phrase in inside + outside:
        assert find(trie, np.array(phrase, np.uint64), 0, len(phrase)) == entry.get(phrase, -1)


@settings(max_examples=60)
@given(name=st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=LEAST_CUT + 2, max_size=MOST - 1), place=st.integers(0, 99))
def test_a_name_is_found_whole_with_a_letter_wrong_and_cut_off(name, place):
    index = build_near_index([name.encode(), b"OTHERNAMES"], np.array([5, 6], np.int32), np.array([1, 2], np.int32))
    at = place % len(name)
    words = [name, name[:at] + name[at + 1 :], name[:at] + "7" + name[at:], name[:at] + "7" + name[at + 1 :], name[:LEAST_CUT]]
    content = np.frombuffer("".join(words).encode(), np.uint8).copy()
    ends = np.cumsum([0, *map(len, words)], dtype=np.int64)
    alias, weight = np.empty(len(words), np.int32), np.empty(len(words), np.int32)
    near_rows(index, content, ends, np.zeros(len(words) + 1, np.int64), np.empty(MOST, np.uint8), alias, weight)
    assert alias.tolist() == [5] * len(words)
