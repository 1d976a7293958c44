"""Confidence is what numpy's interpolation gives between the points of a map, down to the last decimal."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rayapp.scoring.confidence import BASES, PRIOR, Calibration
from rayapp.scoring.evidence import ONE

FITTED = {"bases": {"mcc": {"x": [0.0, 0.16, 0.36], "y": [0.15, 0.44375, 0.97]}}}  # 0.44375 is a tie of the fourth decimal


@given(st.lists(st.tuples(st.integers(-1, len(BASES) - 1), st.integers(0, 1_000_000), st.integers(0, 1_000_000)), max_size=20))
def test_confidence_is_interpolated_between_the_points_of_a_map(rows):
    check([*rows, (BASES.index("mcc"), 160_000, 0)])


def test_a_tie_is_rounded_alike():
    check([(BASES.index("mcc"), score, 0) for score in range(0, 360_000, 97)])


def check(rows):
    calibration = Calibration(FITTED)
    basis, score, runner_up = (np.array(column) for column in zip(*rows, strict=True))
    table = calibration.confidence(basis.astype(np.int8), score.astype(np.int32), runner_up.astype(np.int32))
    assert table.tolist() == [interpolated(*row) for row in rows]


def interpolated(basis, score, runner_up):
    if basis < 0:
        return 0.0
    fitted = FITTED["bases"].get(BASES[basis])
    x, y = (fitted["x"], fitted["y"]) if fitted else PRIOR[BASES[basis]]
    return round(float(np.interp((score - 0.5 * runner_up) / ONE, x, y)) * 10_000) / 10_000
