"""Patterns and rows on which a backtracking matcher does not come back."""

import numpy as np
import pytest

from rayapp.scoring.patterns import Matching, compile_patterns, match_rows, new_scratch, spans

from .columns import joined, pairs

CASES = [
    (r"(A+)+$", lambda n: "A" * (n - 1) + "B", lambda n: "B" + "A" * (n - 1)),
    (r"^(A|AA)+$", lambda n: "A" * (n - 1) + "B", lambda n: "A" * n),
    (r"(\w*\s*)*#\d{9}$", lambda n: "AB " * (n // 3 - 4) + "#12345678X", lambda n: "AB " * (n // 3 - 4) + "#123456789"),
    (r"^(([A-Z])+.)+[A-Z]([A-Z])+$", lambda n: "A" * (n - 1) + "!", lambda n: "A" * n),
    (r"(.*A){9}#", lambda n: "A" * n, lambda n: "A" * (n - 1) + "#"),
    (r"(A?){40}A{40}$", lambda n: "A" * (n - 1) + "B", lambda n: "A" * n),
    (r"(A|A)*B\b", lambda n: "A" * (n - 2) + "BC", lambda n: "A" * (n - 1) + "B"),
    (r"(?:\bA+\b ?)+!", lambda n: "A " * (n // 2), lambda n: "A " * (n // 2 - 1) + "!"),
]


@pytest.mark.parametrize("length", [512, 2000])
@pytest.mark.parametrize(("pattern", "near_miss", "hit"), CASES)
def test_a_hostile_row_is_decided_in_one_pass(pattern, near_miss, hit, length):
    pattern_set = compile_patterns([pattern], most_unfiltered=1)
    assert pairs(pattern_set, [near_miss(length), "", hit(length)]) == [(2, 0)]


@pytest.mark.parametrize(("pattern", "near_miss", "hit"), CASES)
def test_the_place_of_a_hostile_match_is_found_in_one_pass(pattern, near_miss, hit):
    pattern_set = compile_patterns([pattern], most_unfiltered=1)
    assert spans(pattern_set, 0, near_miss(512)) is None
    assert spans(pattern_set, 0, hit(512)) is not None


def test_every_pattern_in_every_row_is_counted_and_sorted():
    patterns = [f"(?:{'A' * (3 + i % 50)})" + r"\b" * (i % 2) for i in range(500)]
    rows = ["A" * 512] * 5
    assert pairs(compile_patterns(patterns), rows) == [(row, pattern) for row in range(5) for pattern in range(500)]


def test_nothing_is_written_beyond_the_given_room():
    pattern_set = compile_patterns(["AAA", "AAAA", "BBB"])
    data, offsets = joined(["AAAA BBB", "BBB", "AAA"])
    out_rows, out_patterns = np.full(8, -7, np.int32), np.full(8, -7, np.int32)
    for room in range(6):
        out_rows[:], out_patterns[:] = -7, -7
        found = match_rows(pattern_set.tables, data, offsets, 0, 3, new_scratch(pattern_set.tables), out_rows[:room], out_patterns[:room])
        assert found == 5
        assert (out_rows[room:] == -7).all()
        assert (out_patterns[room:] == -7).all()


def test_a_scratch_of_the_wrong_size_is_refused():
    pattern_set = compile_patterns(["AAA"])
    out = np.empty(4, np.int32)
    with pytest.raises(ValueError, match="new_scratch"):
        match_rows(pattern_set.tables, *joined(["AAA"]), 0, 1, Matching(np.empty(0, np.int32), np.empty(0, np.uint64)), out, out.copy())


def test_bytes_that_are_not_utf8_do_no_harm():
    pattern_set = compile_patterns([r"A.B\b", r"[é中]ABC", r"ABC\B."], most_unfiltered=3)
    rng = np.random.default_rng(1)
    data = rng.choice(np.array([0x41, 0x42, 0x43, 0x80, 0xBF, 0xC3, 0xA9, 0xE4, 0xF0, 0xFF, 0x20], np.uint8), 4000)
    offsets = np.arange(0, 4001, 8)
    out = np.empty((2, 2000), np.int32)
    assert match_rows(pattern_set.tables, data, offsets, 0, 500, new_scratch(pattern_set.tables), *out) <= 1500
