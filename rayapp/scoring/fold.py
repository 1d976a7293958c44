"""The fold table: what each character of a descriptor becomes in the clean view.

Accents come off by compatibility decomposition (Unicode NFKD); letters that do not decompose (ł, ø, ß, ...) and the Greek and Cyrillic
alphabets have entries of their own, written as banks transliterate them. A character becomes one to three ASCII bytes, stays as it is
(letters and digits of scripts that do not fold), disappears (combining marks, zero-width characters) or parts words.
"""

import unicodedata
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

PLANE = 0x10000
"""The table covers the basic multilingual plane; characters beyond it part words."""

PART, KEEP, DROP = 0, 4, 5
"""Codes in the low byte of an entry; 1, 2 and 3 are the number of ASCII bytes that follow in the higher bytes."""

LETTERS = {
    "ß": "SS", "ẞ": "SS", "Æ": "AE", "æ": "AE", "Œ": "OE", "œ": "OE", "Ø": "O", "ø": "O", "Đ": "D", "đ": "D", "Ð": "D", "ð": "D",
    "Ł": "L", "ł": "L", "Þ": "TH", "þ": "TH", "Ħ": "H", "ħ": "H", "ı": "I", "Ŋ": "N", "ŋ": "N", "Ŧ": "T", "ŧ": "T", "Ə": "A", "ə": "A",
    "ĸ": "K", "ƒ": "F",
}  # fmt: skip

PUNCTUATION = {
    "‘": "'", "’": "'", "‚": "'", "‛": "'", "′": "'", "ʼ": "'", "´": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"',
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-", "∗": "*", "×": "X", "⁄": "/", "∕": "/", "…": ".",
}  # fmt: skip

CYRILLIC = {
    "А": "A", "Б": "B", "В": "V", "Г": "G", "Ґ": "G", "Д": "D", "Е": "E", "Ё": "E", "Є": "YE", "Ж": "ZH", "З": "Z", "И": "I", "І": "I",
    "Ї": "I", "Й": "Y", "К": "K", "Л": "L", "М": "M", "Н": "N", "О": "O", "П": "P", "Р": "R", "С": "S", "Т": "T", "У": "U", "Ў": "U",
    "Ф": "F", "Х": "KH", "Ц": "TS", "Ч": "CH", "Ш": "SH", "Щ": "SCH", "Ъ": "", "Ы": "Y", "Ь": "", "Э": "E", "Ю": "YU", "Я": "YA",
    "Ђ": "DJ", "Ј": "J", "Љ": "LJ", "Њ": "NJ", "Ћ": "C", "Џ": "DZ", "Ѓ": "G", "Ќ": "K", "Ѕ": "DZ",
}  # fmt: skip

GREEK = {
    "Α": "A", "Β": "V", "Γ": "G", "Δ": "D", "Ε": "E", "Ζ": "Z", "Η": "I", "Θ": "TH", "Ι": "I", "Κ": "K", "Λ": "L", "Μ": "M", "Ν": "N",
    "Ξ": "X", "Ο": "O", "Π": "P", "Ρ": "R", "Σ": "S", "Τ": "T", "Υ": "Y", "Φ": "F", "Χ": "CH", "Ψ": "PS", "Ω": "O",
}  # fmt: skip


def _transliterated() -> dict[str, str]:
    """Join the tables of letters, adding lower case and the accented forms that decompose to a listed letter."""
    table = {**PUNCTUATION, **LETTERS}
    for upper, ascii_text in {**CYRILLIC, **GREEK}.items():
        table[upper] = ascii_text
        table[upper.lower()] = ascii_text
    table["ς"] = "S"
    return table


def _entry(ascii_text: str) -> int:
    """Pack up to three ASCII characters into an entry."""
    packed = len(ascii_text)
    for place, char in enumerate(ascii_text):
        packed |= ord(char) << (8 * (place + 1))
    return packed


def _fold(char: str, table: dict[str, str]) -> int:
    """Give the entry of one character."""
    if char in table:
        return _entry(table[char]) if table[char] else DROP
    category = unicodedata.category(char)
    if category in {"Mn", "Me", "Cf"}:
        return DROP
    if not unicodedata.decomposition(char):  # most characters by far; what is neither listed nor decomposes has no ASCII in it
        return KEEP if char.isalnum() else PART
    plain = "".join(table.get(part, part) for part in unicodedata.normalize("NFKD", char) if not unicodedata.combining(part))
    ascii_text = "".join(part for part in plain.upper() if part.isascii() and (part.isalnum() or part in "'\"*-/.#&+()%$@,:;!?_"))
    if ascii_text and len(ascii_text) == len(plain.upper()) and len(ascii_text) <= 3:
        return _entry(ascii_text)
    return KEEP if char.isalnum() else PART


@lru_cache(maxsize=1)
def fold_table() -> NDArray[np.uint32]:
    """Build the table: entry ``c`` says what the character with code point ``c`` becomes. Shape (65536,), read-only."""
    table = _transliterated()
    entries = np.zeros(PLANE, np.uint32)
    for code in range(0x21, 0x7F):
        entries[code] = _entry(chr(code).upper())
    for code in range(0xA0, PLANE):
        if not 0xD800 <= code <= 0xF8FF:
            entries[code] = _fold(chr(code), table)
    entries.setflags(write=False)
    return entries
