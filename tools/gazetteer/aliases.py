"""Spell a merchant's names as banks print them.

A descriptor carries upper case ASCII, no brackets, often no legal form, no umlaut and no trade word at the end. Each form is generated
from a name that the index gives; ``Spelling.loose`` marks the forms that say less than the name did, which need a second look.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from gazetteer.merging import Merchant
from gazetteer.text import is_latin, key, spelt_out, squashed, tokens, without_qualifier, word_list

_LEGAL = word_list("legal")
_MARKS = word_list("marks")

_TAILS = word_list("tails")
_HEADS = word_list("heads")
_ENOUGH_LETTERS = 6
_MOST_LETTERS = 60
_SHORT_CODE = 3
_ONE_WORD_LETTERS, _ONE_WORD_TOKENS = 20, 3
_MOST_LABELS, _COUNTRY_CODE = 3, 2


@dataclass(frozen=True, slots=True)
class Spelling:
    """One alias. ``loose`` when words of the name were left out, ``borrowed`` when the index only accepts it as a search term."""

    text: str
    loose: bool = False
    borrowed: bool = False

    @property
    def key(self) -> str:
        """The tokens of the alias."""
        return key(self.text)


def spellings(merchant: Merchant, hosts: Sequence[str]) -> list[Spelling]:
    """Give the merchant's aliases, each token sequence once, the surest first."""
    found: dict[str, Spelling] = {}
    for spelling in _all(merchant, hosts):
        if spelling.key and len(spelling.text) <= _MOST_LETTERS:
            found.setdefault(spelling.key, spelling)
    return list(found.values())


def _all(merchant: Merchant, hosts: Sequence[str]) -> Iterator[Spelling]:
    names = [without_qualifier(name) for name in merchant.names]
    others = [without_qualifier(name) for name in merchant.others if _worth(name, merchant.tree)]
    yield from (Spelling(name) for name in names)
    yield from (Spelling(form) for name in names if is_latin(name) for form in _written(name))
    yield from (Spelling(name, borrowed=True) for name in others)
    yield from (Spelling(form, borrowed=True) for name in others if is_latin(name) for form in _written(name))
    yield from (Spelling(form) for form in _addresses(merchant, hosts))
    if merchant.tree == "brands" and merchant.category:
        yield from (Spelling(form, loose=True) for name in names if is_latin(name) for form in _shortened(name))


def _worth(name: str, tree: str) -> bool:
    """Keep short codes of brands and networks only: an operator's initials are anybody's."""
    words = tokens(name)
    return bool(words) and (len(words) > 1 or tree == "brands" or len(words[0]) > _SHORT_CODE + (tree == "operators"))


def _written(name: str) -> Iterator[str]:
    """Give other spellings of the same words."""
    yield spelt_out(name)
    words = tokens(name)
    if not words:
        return
    bare = _without_legal(words)
    yield " ".join(bare)
    if words[0] == "THE" and len(bare) > len(("THE", "X")):
        yield " ".join(bare[1:])
    if "'s" in name or "’s" in name:
        yield name.replace("'s", " s").replace("’s", " s")
    if "AND" in bare[1:-1] and all(len(word) >= _SHORT_CODE for word in bare):
        yield " ".join(word for word in bare if word != "AND")
    one_word = squashed(name.replace("&", ""))
    if any(mark in name for mark in "-.&") and len(words) <= _ONE_WORD_TOKENS and _ENOUGH_LETTERS <= len(one_word) <= _ONE_WORD_LETTERS:
        yield one_word


def _without_legal(words: Sequence[str]) -> Sequence[str]:
    end = len(words)
    while end > 1 and words[end - 1] in _LEGAL:
        end -= 1
    if end > 1 and words[end - 1] == "AND":
        end -= 1
    return words[:end]


def _shortened(name: str) -> Iterator[str]:
    """Give the name without its trade word or article; who calls decides whether what is left is enough."""
    words = list(_without_legal(tokens(name)))
    if len(words) > 1 and words[0] in _HEADS:
        yield " ".join(words[1:])
    while len(words) > 1 and (words[-1] in _TAILS or words[-1] in _MARKS):
        words.pop()
        if words[-1] not in _MARKS:
            yield " ".join(words[1:] if words[0] == "THE" else words)


def _addresses(merchant: Merchant, hosts: Iterable[str]) -> Iterator[str]:
    """Give the web addresses of the merchant's own name, and their label, which is the name written in one word.

    An address counts when its ending is a country's where the merchant trades, or no country's.
    """
    own = {squashed(name) for name in merchant.names if is_latin(name)}
    for host in hosts:
        label, _, ending = host.partition(".")
        home = ending.split(".")[-1].upper().replace("UK", "GB")
        if len(label) < _SHORT_CODE or squashed(label) not in own or len(host.split(".")) > _MOST_LABELS:
            continue
        if len(home) > _COUNTRY_CODE or not merchant.countries or home in merchant.countries:
            yield label if len(label) >= _ENOUGH_LETTERS else host
            yield host
