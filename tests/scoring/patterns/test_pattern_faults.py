import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rayapp.errors import InvalidSetup
from rayapp.scoring.patterns import PatternFault, compile_patterns, find_faults

REJECTED = tomllib.loads((Path(__file__).parents[2] / "cases" / "patterns.toml").read_text())["rejected"]


@pytest.mark.parametrize("case", REJECTED, ids=lambda case: case["why"])
def test_each_rejected_pattern_says_what_is_wrong_with_it(case):
    (fault,) = find_faults([case["pattern"]])
    assert fault.index == 0
    assert case["says"] in f"{fault.message} ({fault.suggestion})"


def test_all_faults_come_at_once_with_their_positions():
    assert [fault.index for fault in find_faults(["UBER", "A*", "LYFT", "(", "FEE"])] == [1, 3]


def test_compiling_raises_with_every_fault():
    with pytest.raises(InvalidSetup) as caught:
        compile_patterns(["A*", "UBER", "("])
    assert [type(fault) for fault in caught.value.details] == [PatternFault, PatternFault]
    assert [fault.index for fault in caught.value.details] == [0, 2]


def test_good_patterns_have_no_faults():
    assert find_faults(["UBER", r"\bFEE\b.*\bREVERSAL\b"]) == []


def test_patterns_without_text_are_allowed_up_to_a_number():
    patterns = [r"\d{9}", "UBER", r"^[A-Z]+$", r"\d+X"]
    assert [fault.index for fault in find_faults(patterns, most_unfiltered=2)] == [3]
    assert find_faults(patterns, most_unfiltered=3) == []


HARD_TEXTS = ["(" * 5000, "A" * 2001, "\ud800ABC", "(?:" * 600 + "ABC" + ")" * 600, "[", "\\", "AB{999999999999}", "(?z)ABC"]
HARD_TEXTS += ["AB\x00", "\\N{DIGIT ONE}AB", "[^\\x00-\\U0010ffff]ABC", "A" * 1999]


@pytest.mark.parametrize("pattern", HARD_TEXTS, ids=range(len(HARD_TEXTS)))
def test_no_text_breaks_the_compiler(pattern):
    find_faults([pattern], most_unfiltered=1)


@given(st.text(alphabet="AB*+?(){}[]|\\^$.bdw,1é-", max_size=30))
def test_any_text_is_a_pattern_or_a_fault(text):
    if not find_faults([text], most_unfiltered=1):
        compile_patterns([text], most_unfiltered=1)
