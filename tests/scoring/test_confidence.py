"""Confidence is the same whether rows are decided one by one or in a table, down to the last decimal."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rayapp.scoring.confidence import BASES, Calibration

FITTED = {"bases": {"mcc": {"x": [0.0, 0.16, 0.36], "y": [0.15, 0.44375, 0.97]}}}  # 0.44375 is a tie of the fourth decimal


@given(st.lists(st.tuples(st.integers(-1, len(BASES) - 1), st.integers(0, 1_000_000), st.integers(0, 1_000_000)), max_size=20))
def test_one_by_one_and_in_a_table_confidence_is_the_same(rows):
    check([*rows, (BASES.index("mcc"), 160_000, 0)])


def test_a_tie_is_rounded_alike():
    check([(BASES.index("mcc"), score, 0) for score in range(0, 360_000, 97)])


def check(rows):
    calibration = Calibration(FITTED)
    basis, score, runner_up = (np.array(column) for column in zip(*rows, strict=True))
    table = calibration.confidence(basis.astype(np.int8), score.astype(np.int32), runner_up.astype(np.int32))
    assert table.tolist() == [calibration.confidence_one(*row) for row in rows]
