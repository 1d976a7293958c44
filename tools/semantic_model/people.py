"""Names of people among merchants: a sole trader's name is personal data, and is not learned by heart unless it is a brand's too.

A core reads as a person's name when it has two to four words, each an initial, a given name or a surname of the US census of 1990 (names,
MIT), a given name or an initial stands first or last, and no word is one of trade or everyday speech that few people bear. So does a given
name before a single word that neither speech nor the brands know.
"""

from functools import cache
from importlib import resources

from gazetteer.commonness import everyday_words

LEAST_WORDS, MOST_WORDS = 2, 4
FREQUENT_SURNAMES = 3_000
"""Surnames that are taken for names though they are everyday words (BAKER, YOUNG); of rarer ones the word goes first (MARINE)."""
BORN_BEFORE = ("DR", "MR", "MRS", "MS")
"""Titles that make a name of what follows."""


def reads_as_person(core: str, trade: frozenset[str]) -> bool:
    """Tell whether a core could be nothing but somebody's name; ``trade`` are the words that brands are made of."""
    words = core.split()
    titled = words[0] in BORN_BEFORE
    words = words[titled:]
    if not LEAST_WORDS - titled <= len(words) <= MOST_WORDS or not any(len(word) > 1 for word in words):
        return False
    ends = (words[0], words[-1])
    opened = titled or any(word in _given() or len(word) == 1 for word in ends)
    if opened and all(len(word) == 1 or _is_name(word) for word in words):
        return True
    if len(words) != LEAST_WORDS or words[0] not in _given():
        return False
    return words[1].isalpha() and words[1] not in trade and words[1] not in everyday_words()


def _is_name(word: str) -> bool:
    return word in _given() or word in _frequent() or (word in _surnames() and word not in everyday_words())


@cache
def _given() -> frozenset[str]:
    """Give the given names."""
    return frozenset([*_listed("male.first"), *_listed("female.first")])


@cache
def _surnames() -> frozenset[str]:
    """Give the surnames."""
    return frozenset(_listed("all.last"))


@cache
def _frequent() -> frozenset[str]:
    """Give the most frequent surnames."""
    return frozenset(_listed("all.last")[:FREQUENT_SURNAMES])


def _listed(kind: str) -> list[str]:
    """Read a list of names, the most frequent first."""
    text = (resources.files("names") / f"dist.{kind}").read_text()
    return [line.split()[0] for line in text.split("\n") if line.strip()]
