"""Dates as banks print them: which format a column has, decided from all of a sample, and its values in ISO 8601.

A format is written with YYYY or YY, MM or MMM (a month's name), DD, and what stands between them; a time may follow. ``03/04/2026`` alone
can be read in two ways. The order of the rows decides then, since exports are sorted by date, and else a person must.
"""

import re
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from rayapp.sources.numbers import ENOUGH, Written

ISO = r"^\s*\d{4}-\d\d-\d\d(?:[T ]\d.*)?\s*$"
FORMATS = (
    "YYYY-MM-DD", "YYYY/MM/DD", "YYYY.MM.DD", "YYYYMMDD",
    "DD.MM.YYYY", "DD/MM/YYYY", "MM/DD/YYYY", "DD-MM-YYYY", "MM-DD-YYYY",
    "DD.MM.YY", "DD/MM/YY", "MM/DD/YY", "DD-MM-YY", "MM-DD-YY",
    "DD MMM YYYY", "DD-MMM-YYYY", "DD MMM YY", "DD-MMM-YY", "MMM DD YYYY", "DD. MMM YYYY", "DD.MMM.YYYY", "DD/MMM/YYYY",
)  # fmt: skip
DAY_FIRST = {"MM/DD/YYYY": "DD/MM/YYYY", "MM-DD-YYYY": "DD-MM-YYYY", "MM/DD/YY": "DD/MM/YY", "MM-DD-YY": "DD-MM-YY"}
PIVOT = 70
"""Years of two digits from here on are of the last century."""

MONTHS = (
    "jan januar januari janvier enero gennaio ene gen janv sty jän jänner",
    "feb februar februari février febrero febbraio fev fév lut fevr févr february",
    "mar märz maart mars marzo mär mrt march maerz",
    "apr april avril abril aprile avr abr kwi",
    "may mai mei mayo maggio maj mag",
    "jun juni juin junio giugno giu cze june",
    "jul juli juillet julio luglio lug lip juil july",
    "aug august augustus août agosto aoû ago sie aout",
    "sep sept september septembre septiembre settembre set wrz",
    "oct okt oktober octobre octubre ottobre ott paź october",
    "nov november novembre noviembre lis",
    "dec dez dezember december décembre diciembre dicembre déc dic gru des",
)
MONTH_NUMBERS = {name: f"{number:02}" for number, names in enumerate(MONTHS, 1) for name in names.split()}

TOKENS = {
    "YYYY": r"(?P<y>\d{4})",
    "YY": r"(?P<y>\d{2})",
    "MMM": r"(?P<m>\pL{3,10})\.?",
    "MM": r"(?P<m>0?[1-9]|1[0-2])",
    "DD": r"(?P<d>0?[1-9]|[12]\d|3[01])",
}
TIME = r"(?:(?:T|,?\s+)(?P<t>\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)\s*(?P<z>Z|[+-]\d\d:?\d\d)?)?"


def dates_in(values: pa.Array) -> Written | None:
    """Say how the dates of a sample without blanks, in the order of the rows, are written; ``None`` when they are none."""
    if not len(values) or pc.match_substring_regex(values, ISO).true_count == len(values):
        return Written("")
    shares = {form: pc.match_substring_regex(values, pattern(form)).true_count / len(values) for form in FORMATS}
    best = max(FORMATS, key=lambda form: shares[form])
    if shares[best] < ENOUGH:
        return Written("") if pc.match_substring_regex(values, ISO).true_count >= ENOUGH * len(values) else None
    month_first = next((other for other, day_first in DAY_FIRST.items() if day_first == best), None)
    if month_first is None or shares[month_first] < shares[best]:
        return Written(best)
    return _by_order(values, best, month_first)


def in_iso(column: pa.Array, form: str) -> tuple[pa.Array, pa.Array]:
    """Give dates of a format in ISO 8601, and a mask of the values that are none. Blanks become null."""
    parts = pc.extract_regex(column, pattern(form))
    year, month, day, time, zone = (pc.struct_field(parts, name) for name in "ymdtz")
    if "YYYY" not in form:
        recent = pc.less(pc.cast(year, pa.int32()), PIVOT)
        year = pc.binary_join_element_wise(pc.if_else(recent, "20", "19"), year, "")
    month = _month_numbers(month) if "MMM" in form else pc.utf8_lpad(month, 2, "0")
    iso = pc.binary_join_element_wise(year, month, pc.utf8_lpad(day, 2, "0"), "-")
    if pc.any(pc.not_equal(time, "")).as_py():
        has_time = pc.not_equal(time, "")
        time = pc.if_else(pc.equal(pc.find_substring(time, ":"), 1), pc.binary_join_element_wise("0", time, ""), time)
        iso = pc.if_else(has_time, pc.binary_join_element_wise(iso, "T", time, zone, ""), iso)
    wrong = pc.and_not(pc.is_null(iso), pc.match_substring_regex(column, r"^\s*$"))
    return iso, pc.fill_null(wrong, fill_value=False)


@lru_cache(maxsize=64)
def pattern(form: str) -> str:
    """Give the expression for a format; raises ``ValueError`` when it is none."""
    found = re.findall("YYYY|YY|MMM|MM|DD|.", form)
    if sorted(token[0] for token in found if token in TOKENS) != ["D", "M", "Y"]:
        raise ValueError(f"{form!r} is no format of dates: it needs YYYY or YY, MM or MMM, and DD")
    between = {" ": r"[\s,]+"}
    return rf"^\s*{''.join(TOKENS.get(token) or between.get(token) or re.escape(token) for token in found)}{TIME}\s*$"


def _by_order(values: pa.Array, day_first: str, month_first: str) -> Written:
    """Choose between two formats that both fit, by which of them has the rows in order."""
    ordered = {form: _is_ordered(values, form) for form in (day_first, month_first)}
    if ordered[day_first] != ordered[month_first]:
        return Written(day_first if ordered[day_first] else month_first)
    if pc.count_distinct(in_iso(values, day_first)[0]).as_py() == 0 or in_iso(values, day_first)[0].equals(in_iso(values, month_first)[0]):
        return Written(day_first)
    shown = values[0].as_py().strip()
    return Written(day_first, f'{shown!r} is {day_first} or {month_first}: say dates = "{day_first}" or the other in a mapping file')


def _is_ordered(values: pa.Array, form: str) -> bool:
    days = in_iso(values, form)[0].drop_null()
    if pc.count_distinct(days).as_py() < 3:  # noqa: PLR2004 - two dates are always in order
        return False
    first, second = days.slice(0, len(days) - 1), days.slice(1)
    return bool(pc.all(pc.less_equal(first, second)).as_py() or pc.all(pc.greater_equal(first, second)).as_py())


def _month_numbers(names: pa.Array) -> pa.Array:
    coded = names.dictionary_encode()
    numbers = pa.array([MONTH_NUMBERS.get(name.casefold()) for name in coded.dictionary.to_pylist()], pa.string())
    return numbers.take(coded.indices)
