"""Which rules fire on a row, whatever comes out of it: what a plan tells of rules that others outdo."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from rayapp.scoring.evidence import Findings, Inputs, Rules
from rayapp.scoring.reasons import holds


@njit(nogil=True, cache=True, _nrt=False)
def fired_rows(rule: int, inputs: Inputs, found: Findings, rules: Rules, out: NDArray[np.bool_]) -> None:
    """Write for each row whether the rule fires: a pattern of it is there, none of those against it is, and its conditions hold."""
    for row in range(out.size):
        text = inputs.text[row]
        speaks = barred = False
        for i in range(found.pattern_offset[text], found.pattern_offset[text + 1]):
            pattern = found.pattern[i]
            for use in range(rules.use_offset[pattern], rules.use_offset[pattern + 1]):
                if rules.use_rule[use] == rule:
                    if rules.use_unless[use]:
                        barred = True
                    else:
                        speaks = True
        out[row] = speaks and not barred and holds(rule, row, inputs, rules)
