"""Fold names to the tokens that the engine compares, so that two spellings of one alias are found to be one.

The tool ships spellings, not tokens: the pack compiler folds them with the engine's own tokeniser. This module takes the engine's table
of letters and repeats its rules for tokens; a disagreement would cost a duplicate alias, no more.
"""

import re
import unicodedata
from functools import cache

from rayapp.scoring.fold import CYRILLIC, GREEK, LETTERS, PUNCTUATION

_SCRIPTS = {**CYRILLIC, **GREEK}
_LETTERS = str.maketrans({**PUNCTUATION, **LETTERS, **_SCRIPTS, **{letter.lower(): text for letter, text in _SCRIPTS.items()}})
_PLUS = re.compile(r"(?<=[^\W_])\+")
_PAIRS = re.compile(r"(?<=[A-Z]{3})(?=[0-9]{2,}\b)|(?<=[0-9])(?=[A-Z]{3})")
_WORDS = re.compile(r"[^\W_]+")
_QUALIFIER = re.compile(r"\s*[(（\[][^)）\]]*[)）\]]")
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ø": "oe", "Ø": "Oe", "å": "aa", "Å": "Aa"})


def fold(name: str) -> str:
    """Give the name in upper case without accents, Greek and Cyrillic in Latin letters; other scripts stay."""
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", name.translate(_LETTERS)) if not unicodedata.combining(letter))
    return plain.translate(_LETTERS).upper()


@cache
def tokens(name: str) -> tuple[str, ...]:
    """Split the folded name as the engine does: apostrophes vanish, ``&`` is AND, ``+`` PLUS, digits part from words."""
    plain = _PLUS.sub(" PLUS ", fold(name).replace("'", "").replace("`", "").replace("&", " AND "))
    return tuple(_WORDS.findall(_PAIRS.sub(" ", plain)))


def key(name: str) -> str:
    """Give the tokens with one space between them: equal for two spellings of one name."""
    return " ".join(tokens(name))


def squashed(name: str) -> str:
    """Give the tokens without spaces."""
    return "".join(tokens(name))


def without_qualifier(name: str) -> str:
    """Drop what stands in brackets: ``Metro (Canada)`` is printed METRO."""
    return _QUALIFIER.sub("", name).strip() or name.strip()


def is_latin(name: str) -> bool:
    """Tell whether the folded name is plain ASCII, as nearly all bank files are."""
    return key(name).isascii()


def spelt_out(name: str) -> str:
    """Write umlauts and Nordic letters with two letters, as older bank systems do."""
    return name.translate(_GERMAN)
