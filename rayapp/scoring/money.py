"""How much an amount is, whatever the currency: a shade, coarse enough to outlive exchange rates.

A shade is a band of half an octave of the worth in dollars, and the kind of the hundredths: round sums, prices that end in 99, and sums
with a tax on top are those of different trades. An amount in a currency that is not listed has none.
"""

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from rayapp.scoring.geography import CURRENCIES, currency_number

WORTH: Final = {
    "CAD": 1.0, "USD": 1.35, "EUR": 1.5, "GBP": 1.75, "AUD": 0.9, "NZD": 0.85, "CHF": 1.5, "SGD": 1.0, "ILS": 0.37, "SEK": 0.13,
    "NOK": 0.13, "DKK": 0.2, "PLN": 0.34, "CZK": 0.058, "HUF": 0.0038, "RON": 0.3, "BGN": 0.75, "TRY": 0.05, "INR": 0.017, "CNY": 0.19,
    "HKD": 0.17, "MYR": 0.3, "THB": 0.04, "PHP": 0.024, "TWD": 0.043, "BRL": 0.26, "MXN": 0.07, "ZAR": 0.075, "AED": 0.37, "SAR": 0.36,
    "QAR": 0.37, "JPY": 0.0098, "KRW": 0.001, "CLP": 0.0015, "COP": 0.00033, "IDR": 0.000085, "VND": 0.000055, "ISK": 0.01,
}  # fmt: skip
"""Rough worth of one unit in Canadian dollars, those of the book that was learnt from."""

WHOLE: Final = frozenset({"JPY", "KRW", "CLP", "COP", "IDR", "VND", "ISK", "HUF", "TWD"})
"""Currencies whose prices are whole units: hundredths say nothing there."""

BANDS: Final = 25
"""Bands: below 0.71, then by half octaves, the last from 2,048."""

KINDS: Final = 6
"""Kinds of hundredths: none in the currency, 00, 95 or 99, 50, other multiples of 5, any other."""

_BOUNDS: Final = 2.0 ** ((np.arange(1, BANDS) - 2) / 2)


def worth_table() -> NDArray[np.float64]:
    """Give the worth of each currency's unit by number: 0 where it is not known, negative where prices are whole units."""
    table = np.zeros(CURRENCIES)
    for code, worth in WORTH.items():
        table[currency_number(code)] = -worth if code in WHOLE else worth
    return table


@njit(nogil=True, cache=True, _nrt=False)
def shade_rows(
    rows: NDArray[np.int32], amount: NDArray[np.float64], currency: NDArray[np.int16], worth: NDArray[np.float64], out: NDArray[np.int16]
) -> None:
    """Write the shade (band times ``KINDS`` plus kind) of the amounts of the given rows, -1 where there is none."""
    for place in range(rows.size):
        row = rows[place]
        unit = worth[currency[row]] if currency[row] >= 0 else 0.0
        if unit == 0 or not amount[row] > 0:
            out[place] = -1
            continue
        value, band = amount[row] * abs(unit), 0
        while band < BANDS - 1 and value >= _BOUNDS[band]:
            band += 1
        out[place] = band * KINDS + (_kind(amount[row]) if unit > 0 else 0)


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _kind(amount: float) -> int:
    """Tell the kind of an amount's hundredths."""
    hundredths = round(amount % 1.0 * 100) % 100
    if hundredths == 0:
        return 1
    if hundredths in (95, 99):
        return 2
    if hundredths == 50:
        return 3
    return 4 if hundredths % 5 == 0 else 5
