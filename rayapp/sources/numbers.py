"""Numbers as banks print them: which decimal mark a column has, and its values as ``1234.56``.

Taken are signs before or after, brackets around negative numbers, currency signs and codes, and groups of digits.
"""

from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

PLAIN = r"^\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*$"
CURRENCY = r"(?:[A-Z]{3}|(?:US|R|A|C)?\$|[€£¥₹₽₺₴₪]|kr\.?|zł|Kč|Ft|lei|Fr\.?)"
SPACE = r"[\s\x{a0}\x{202f}\x{2009}]"
BODY = {
    ".": r"(?:\d+|\d{1,3}(?:[,'’\s\x{a0}\x{202f}\x{2009}]\d{2,3})*[,'’\s\x{a0}\x{202f}\x{2009}]\d{3})(?:\.\d*)?|\.\d+",
    ",": r"(?:\d+|\d{1,3}(?:[.'’\s\x{a0}\x{202f}\x{2009}]\d{3})+)(?:,\d*)?|,\d+",
}
ENOUGH = 0.6
"""Share of a sample that must be numbers for its column to be one."""


class Written(NamedTuple):
    """How a column's values are written; ``question`` is for a person where they can be read in two ways."""

    notation: str
    question: str = ""


def numbers_in(values: pa.Array) -> Written | None:
    """Say how the numbers of a sample without blanks are written; ``None`` when they are none."""
    if not len(values):
        return Written("")
    plain, dot, comma = _share(values, PLAIN), _share(values, _pattern(".")), _share(values, _pattern(","))
    if max(plain, dot, comma) < ENOUGH:
        return None
    if comma > max(plain, dot):
        return Written(",")
    if max(plain, dot) > comma or not _share(values, r"[.,]"):
        return Written("") if plain >= dot else Written(".")
    shown = next(value for value in values.to_pylist() if "." in value or "," in value)
    reading = shown.strip()
    return Written(
        "" if plain >= dot else ".", f'{reading!r} has thousands or three decimals: say decimal = "." or decimal = "," in a mapping file'
    )


def as_printed_plainly(column: pa.Array, notation: str) -> tuple[pa.Array, pa.Array]:
    """Give numbers with the decimal mark ``notation`` as plain ones, and a mask of the values that are none. Blanks become null."""
    blank = pc.match_substring_regex(column, r"^\s*$")
    good = pc.match_substring_regex(column, _pattern(notation))
    digits = pc.replace_substring_regex(column, r"[^0-9.]" if notation == "." else r"[^0-9,]", "")
    if notation == ",":
        digits = pc.replace_substring(digits, ",", ".")
    negative = pc.match_substring_regex(column, r"[-−(]")
    signed = pc.binary_join_element_wise(pc.if_else(negative, "-", ""), digits, "")
    wrong = pc.and_not(pc.invert(good), blank)
    return pc.if_else(good, signed, pa.scalar(None, pa.string())), pc.fill_null(wrong, fill_value=False)


def _pattern(mark: str) -> str:
    sign, money = r"[-+−]?", f"(?:{CURRENCY})?"
    bare = f"{SPACE}*{money}{SPACE}*(?:{BODY[mark]}){SPACE}*{money}{SPACE}*"
    return rf"^{SPACE}*(?:{money}{SPACE}*{sign}{bare}{sign}{SPACE}*{money}|\({bare}\)){SPACE}*$"


def _share(values: pa.Array, pattern: str) -> float:
    return float(pc.match_substring_regex(values, pattern).true_count / len(values))
