"""The fold table: what each character of a descriptor becomes in the clean view.

Accents come off by compatibility decomposition (Unicode NFKD); letters that do not decompose (ł, ø, ß, ...) and the Greek and Cyrillic
alphabets have entries of their own, written as banks transliterate them. Katakana in half width becomes full width, large and without
voicing marks, which banks print as letters of their own or not at all. A character becomes one to three bytes, stays as it is (letters and
digits of scripts that do not fold, with the vowel signs of Indian and South-East Asian ones), disappears (combining marks, zero-width
characters) or parts words.
"""

import unicodedata
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

PLANE = 0x10000
"""The table covers the basic multilingual plane; characters beyond it part words."""

PART, KEEP, DROP = 0, 4, 5
"""Codes in the low byte of an entry; 1, 2 and 3 are the number of ASCII bytes that follow in the higher bytes."""

VOWEL_SIGNS = (range(0x0900, 0x10A0), range(0x1780, 0x1800))
"""Devanagari to Myanmar, and Khmer: scripts whose combining marks are vowels, without which a word is another."""

KATAKANA, HALF_WIDTH = range(0x30A1, 0x30FB), range(0xFF66, 0xFFA0)
SMALL_KANA = str.maketrans("ァィゥェォッャュョヮヵヶ", "アイウエオツヤユヨワカケ")

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


def _entry(text: str) -> int:
    """Pack up to three ASCII characters, or one of three bytes, into an entry."""
    written = text.encode()
    packed = len(written)
    for place, byte in enumerate(written):
        packed |= byte << (8 * (place + 1))
    return packed


def as_half_width(text: str) -> str:
    """Give a text as the clean view has it where a bank prints its katakana in half width: full width, large, without voicing marks."""
    return "".join(_kana(char) if ord(char) in KATAKANA else char for char in text)


def _kana(char: str) -> str:
    """Give a katakana letter as full width, large and without voicing mark; nothing for such a mark."""
    return unicodedata.normalize("NFKD", char)[0].translate(SMALL_KANA).strip("\u3099\u309a")


def _fold(char: str, table: dict[str, str]) -> int:
    """Give the entry of one character."""
    if char in table:
        return _entry(table[char]) if table[char] else DROP
    if ord(char) in HALF_WIDTH:
        return _entry(kana) if (kana := _kana(char)) else DROP
    category = unicodedata.category(char)
    if category in {"Mn", "Mc"} and any(ord(char) in block for block in VOWEL_SIGNS):
        return KEEP
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
