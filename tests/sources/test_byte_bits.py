"""Places as bits: against going through the text byte by byte, over the borders of words and parts."""

from hypothesis import given
from hypothesis import strategies as st

from rayapp.sources.byte_bits import PART, count, from_odd_to_even, listed, moved_back, moved_on, where

TEXTS = st.binary(max_size=40).flatmap(lambda text: st.integers(1, 12).map(lambda times: text * times + b'"'))
QUOTE = ord('"')


@given(TEXTS)
def test_bits_stand_where_the_byte_stands(text):
    places = [place for place, byte in enumerate(text) if byte == QUOTE]
    bits = where(text, QUOTE)
    assert listed(bits).tolist() == places
    assert count(bits) == len(places)


@given(TEXTS)
def test_bits_move_over_the_borders_of_words(text):
    bits = where(text, QUOTE)
    places = listed(bits).tolist()
    assert [place for place in listed(moved_on(bits)).tolist() if place < len(text)] == [place + 1 for place in places if place + 1 < len(text)]
    assert listed(moved_back(bits)).tolist() == [place - 1 for place in places if place]


@given(TEXTS)
def test_a_span_goes_from_an_odd_quote_to_before_the_even_one(text):
    inside, opened = [], False
    for place, byte in enumerate(text):
        opened ^= byte == QUOTE
        if opened:
            inside.append(place)
    spans = listed(from_odd_to_even(where(text, QUOTE))).tolist()
    assert [place for place in spans if place < len(text)] == inside


def test_parts_of_a_long_text_join():
    places = [0, 63, 64, PART - 1, PART, PART + 1, 2 * PART - 1, 2 * PART + 4]
    text = bytearray(2 * PART + 5)
    for place in places:
        text[place] = QUOTE
    assert listed(where(bytes(text), QUOTE)).tolist() == places
