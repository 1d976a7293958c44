"""Names as the engine sees them, so that two spellings of one alias are found to be one.

The tool ships spellings, not tokens: the pack compiler folds them with the same tokeniser that this module asks.
"""

import re
import tomllib
from functools import cache
from pathlib import Path

from rayapp.packs.phrase_index import token_texts

_QUALIFIER = re.compile(r"\s*[(（\[][^)）\]]*[)）\]]")
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ø": "oe", "Ø": "Oe", "å": "aa", "Å": "Aa"})


@cache
def key(name: str) -> str:
    """Give the engine's tokens with one space between them: equal for two spellings of one name."""
    return token_texts([name])[0]


def tokens(name: str) -> tuple[str, ...]:
    """Split a name as the engine does."""
    return tuple(key(name).split())


def squashed(name: str) -> str:
    """Give the tokens without spaces."""
    return key(name).replace(" ", "")


def without_qualifier(name: str) -> str:
    """Drop what stands in brackets: ``Metro (Canada)`` is printed METRO."""
    return _QUALIFIER.sub("", name).strip() or name.strip()


def is_latin(name: str) -> bool:
    """Tell whether the folded name is plain ASCII, as nearly all bank files are."""
    return key(name).isascii()


def spelt_out(name: str) -> str:
    """Write umlauts and Nordic letters with two letters, as older bank systems do."""
    return name.translate(_GERMAN)


def word_list(name: str) -> frozenset[str]:
    """Read one of the lists of ``words.toml``."""
    return frozenset(tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))[name].split())
