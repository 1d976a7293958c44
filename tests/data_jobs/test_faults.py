import pytest

from . import faults


@pytest.mark.slow
@pytest.mark.parametrize(("tier", "seed"), [("huge", 1), ("large", 2)])
def test_whatever_is_killed_in_the_middle_of_a_load_the_table_is_that_of_a_clean_one(tier: str, seed: int) -> None:
    outcome = faults.run(10, seed, tier)
    assert sum(outcome.kills.values()) >= 5
    assert outcome.stored == outcome.expected
    assert (outcome.counted, outcome.first_loads, outcome.keys) == (faults.ROWS, 0, 1)
