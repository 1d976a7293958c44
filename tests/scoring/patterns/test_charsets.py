from hypothesis import given
from hypothesis import strategies as st

from rayapp.scoring.patterns.charsets import complement, difference, members, size, union, upper, utf8_sequences

points = st.integers(0, 0x10FFFF).filter(lambda point: not 0xD800 <= point <= 0xDFFF)
ranges = st.lists(st.tuples(points, st.integers(0, 5000)).map(lambda both: (both[0], min(both[0] + both[1], 0x10FFFF))), max_size=4).map(
    union
)


@given(ranges, points)
def test_a_character_is_in_a_set_or_in_its_complement(some, point):
    assert contains(some, point) != contains(complement(some), point)


@given(ranges, ranges, points)
def test_a_difference_holds_what_is_in_one_and_not_in_the_other(some, others, point):
    assert contains(difference(some, others), point) == (contains(some, point) and not contains(others, point))


@given(ranges, points)
def test_utf8_sequences_spell_exactly_the_set(some, point):
    fits = [sequence for sequence in utf8_sequences(some) if spells(sequence, chr(point).encode())]
    assert len(fits) == contains(some, point)


def test_small_letters_become_capitals_and_other_alphabets_keep_both_cases():
    assert upper(((0x61, 0x63),)) == ((0x41, 0x43),)
    assert set(members(upper(((ord("я"), ord("я")),)))) == {ord("я"), ord("Я")}
    assert size(upper(((0x40, 0x7A),))) == 0x60 - 0x40 + 1


def spells(sequence, spelled):
    return len(sequence) == len(spelled) and all(low <= byte <= high for byte, (low, high) in zip(spelled, sequence, strict=True))


def contains(some, point):
    return any(low <= point <= high for low, high in some)
