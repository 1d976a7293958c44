import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from rayapp.scoring.patterns import PatternSet, compile_patterns, match

from .columns import joined, pairs, pairs_of_re

PATTERNS = [r"\bUBER\b", r"\bUBER\b.*\bEATS\b", r"CHECK ?#?\d{3,6}", "FEE", r"\bFEES?\b", r"^ACH", "支付宝", r"COFFEE.{0,5}SHOP"]
PATTERNS += [r"\b(?:LYFT|BOLT) RIDE"]
ROWS = ["UBER EATS", "ACH CHECK 1234 FEE", "", "COFFEE THE SHOP", "é支付宝", "LYFT RIDE UBER", "FEES", "XACH", " ", "UBER"] * 137


def test_the_answer_does_not_depend_on_how_rows_are_chunked():
    pattern_set = compile_patterns(PATTERNS)
    whole = pairs(pattern_set, ROWS)
    assert whole == pairs_of_re(PATTERNS, ROWS)
    for size in (1, 7, 997, len(ROWS)):
        parts = [pairs(pattern_set, ROWS[first : first + size]) for first in range(0, len(ROWS), size)]
        assert [(row + number * size, pattern) for number, part in enumerate(parts) for row, pattern in part] == whole


def test_rows_may_begin_anywhere_in_the_buffer():
    data, offsets = joined(ROWS)
    pattern_set = compile_patterns(PATTERNS)
    rows, found = match(pattern_set, data, offsets[5:40])
    assert list(zip((rows + 5).tolist(), found.tolist(), strict=True)) == [pair for pair in pairs(pattern_set, ROWS) if 5 <= pair[0] < 39]


def test_ids_are_int32_and_sorted():
    rows, found = match(compile_patterns(PATTERNS), *joined(ROWS))
    assert rows.dtype == found.dtype == np.int32
    assert (np.diff(rows.astype(np.int64) << 32 | found) > 0).all()


def test_the_arrays_are_flat_read_only_and_give_the_same_set_again():
    pattern_set = compile_patterns(PATTERNS)
    arrays = pattern_set.arrays()
    for array in arrays.values():
        assert array.flags.c_contiguous
        assert not array.flags.writeable
    again = PatternSet.from_arrays(pickle.loads(pickle.dumps(arrays)))  # noqa: S301
    assert again.patterns == tuple(PATTERNS)
    assert pairs(again, ROWS) == pairs(pattern_set, ROWS)
    assert not any(table.flags.writeable for table in again.tables)


def test_the_same_patterns_give_the_same_bytes():
    first, second = compile_patterns(PATTERNS).arrays(), compile_patterns(PATTERNS).arrays()
    assert {name: array.tobytes() for name, array in first.items()} == {name: array.tobytes() for name, array in second.items()}


@pytest.mark.parametrize("patterns", [[], ["UBER"], [r"\d+"]])
@pytest.mark.parametrize("rows", [[], [""], ["", "", ""]])
def test_nothing_is_found_in_nothing(patterns, rows):
    assert pairs(compile_patterns(patterns, most_unfiltered=1), rows) == []


def test_a_set_without_patterns_finds_nothing():
    empty = compile_patterns([])
    assert pairs(empty, ROWS) == pairs(PatternSet.from_arrays(empty.arrays()), ROWS) == []


def test_the_same_pattern_twice_has_two_ids():
    assert pairs(compile_patterns(["UBER", "LYFT", "UBER"]), ["X UBER"]) == [(0, 0), (0, 2)]


def test_more_matches_than_expected_are_all_returned():
    patterns = ["AB" + "C" * i for i in range(1, 40)]
    assert len(pairs(compile_patterns(patterns), ["AB" + "C" * 40] * 50)) == 39 * 50


def test_literals_that_end_in_each_other_are_all_found():
    patterns = ["STARBUCKS", "BUCKS", "UCKS", r"\bBUCKS", "ARB", "STARB", "UCKS$"]
    rows = ["STARBUCKS", "BUCKS", "XUCKS 1"]
    assert pairs(compile_patterns(patterns), rows) == pairs_of_re(patterns, rows)


def test_threads_share_a_set():
    pattern_set = compile_patterns(PATTERNS)
    expected = pairs(pattern_set, ROWS)
    with ThreadPoolExecutor(4) as pool:
        assert all(found == expected for found in pool.map(lambda _: pairs(pattern_set, ROWS), range(16)))


def test_patterns_by_the_thousand_share_one_table():
    patterns = [rf"\bNAME{i}\b.*(?:SHOP|STORE {i % 10})" if i % 3 else f"NAME{i} TOWN" for i in range(3000)]
    rows = ["NAME1 SHOP", "NAME2999 STORE 9", "NAME2998 STORE 9", "NAME300 TOWN", "NAME3 TOWN", "NAME30 TOWNS"]
    pattern_set = compile_patterns(patterns)
    assert pairs(pattern_set, rows) == pairs_of_re(patterns, rows)
    assert sum(array.nbytes for array in pattern_set.arrays().values()) < 25e6
