"""Compiling what a pack knows of words: aliases, processors, rail wording and places become tries and tables."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from rayapp.packs.phrase_index import token_texts, trie_of
from rayapp.packs.source import MerchantSource, PackSource
from rayapp.scoring import evidence, phrases
from rayapp.scoring.fold import as_half_width
from rayapp.scoring.geography import CURRENCIES, CURRENCY_HOME, country_number, currency_number
from rayapp.scoring.lexicon import CITY, COMMON, COUNTRY, REGION
from rayapp.scoring.near import LEAST, MOST, build_near_index
from rayapp.scoring.pack import string_array

Arrays = dict[str, NDArray[Any]]
Strings = dict[str, pa.StringArray]

MONTHS = """
    JAN FEB MAR APR MAY JUN JUL AUG SEP SEPT OCT NOV DEC JANUARY FEBRUARY MARCH APRIL JUNE JULY AUGUST SEPTEMBER OCTOBER NOVEMBER DECEMBER
    MAI OKT DEZ JANV FEVR AVR JUIN JUIL AOUT ENE ABR AGO DIC GEN MAG GIU LUG SET OTT FEV OUT
    ENERO FEBRERO MARZO ABRIL MAYO JUNIO JULIO AGOSTO SEPTIEMBRE OCTUBRE NOVIEMBRE DICIEMBRE
    GENNAIO FEBBRAIO APRILE MAGGIO GIUGNO LUGLIO SETTEMBRE OTTOBRE NOVEMBRE DICEMBRE
    JANEIRO FEVEREIRO MAIO JUNHO JULHO SETEMBRO OUTUBRO NOVEMBRO DEZEMBRO JANVIER FEVRIER AVRIL SEPTEMBRE OCTOBRE DECEMBRE
    JANUAR FEBRUAR MAERZ JUNI JULI OKTOBER DEZEMBER DESEMBER JANUARI FEBRUARI MAART AUGUSTI AUGUSTUS AGUSTUS
    STYCZEN LUTY MARZEC KWIECIEN CZERWIEC LIPIEC SIERPIEN WRZESIEN PAZDZIERNIK LISTOPAD GRUDZIEN
    OCAK SUBAT NISAN MAYIS HAZIRAN TEMMUZ AGUSTOS EYLUL EKIM KASIM ARALIK OCTOMBRIE NOIEMBRIE IANUARIE FEBRUARIE SEPTEMBRIE DECEMBRIE
    """.split()  # noqa: SIM905 - a list of words reads better as words
MONEY = """
    EUR USD GBP CHF SEK NOK DKK PLN CZK HUF RON BGN JPY CNY RMB HKD SGD MYR INR AUD CAD NZD THB IDR PHP KRW BRL MXN ZAR AED SAR ILS EGP KES
    NGN
    """.split()  # noqa: SIM905 - a list of words reads better as words
"""Codes of currencies: they go beside a number, as months do. Those that are words (TRY, ALL, TOP, PEN) are left out."""
GLUE = "OF THE AND AT IN ON FOR FROM DE DU DES LA LE DEL DELLA DI DA DO DOS VAN VON DER DEN UND ET Y E".split()  # noqa: SIM905
"""Words after which a place belongs to the name (UNIVERSITY OF TORONTO)."""

GAZETTEER_SHARE = 0.95
"""Of its weight that a brand of the gazetteer keeps: what people wrote by hand, and a whole core learned from many rows, go before it."""

MOST_LEARNED = 0.94
"""The weight of a learned merchant at most: a hand-written one goes before it."""

DOMAINS = (" COM", " CO UK", " DE", " FR", " NET", " ORG")
"""Ends of web addresses, which are printed as they are or not at all."""

NEUTRAL = """
    STORE STORES SHOP SHOPS ONLINE COM WWW NET HTTP HTTPS APP PAYMENT PAYMENTS PYMT PMT BILL BILLING SUBSCRIPTION SUBSCR MEMBERSHIP MONTHLY
    ORDER PURCHASE TRIP HELP CARD TIENDA FILIALE MAGASIN NEGOZIO LOJA WINKEL BUTIK SKLEP USA UK FIL FILIAL FILIAAL SUC SUCURSAL SUBE BRANCH
    OUTLET BUTIKK KAUPPA PRODEJNA
    """.split()  # noqa: SIM905 - a list of words reads better as words
"""Words that may stand beside a common word that is a merchant's whole name (NEXT ONLINE), where trade words may not (NEXT SUPPLY)."""

KINDS = {
    "noise": phrases.NOISE,
    "noise_start": phrases.NOISE_START,
    "noise_end": phrases.NOISE_END,
    "tail": phrases.TAIL,
    "tail_colon": phrases.TAIL_COLON,
    "head": phrases.HEAD,
    "head_colon": phrases.HEAD | phrases.TAIL_COLON,
    "dated": phrases.NOISE | phrases.DATED,
    "legal": phrases.LEGAL,
    "generic": phrases.GENERIC,
}
MARKS = {"=": "", "^": "first", "~": "weak"}
"""What a mark before an alias says of it; the tokeniser drops the mark."""

MATCHES = {"": 0, "first": evidence.FIRST, "weak": evidence.WEAK, "exact": evidence.EXACT}
MARKET_ORDER = "US GB DE FR CA AU IT ES NL IN BR MX JP".split()  # noqa: SIM905 - as above
"""Of merchants alike in all else (Target of two countries), the one of the first of these is meant where a line names no country."""

REGION_ORDER = ("US", "CA", "AU", "GB")
"""Whose region is meant by a code of several countries (WA): whose banks print regions most."""

MARKETS = {country_number(land): place for place, land in enumerate(MARKET_ORDER)}
PLACE_KINDS = {"city": CITY, "region": REGION, "country": COUNTRY}


class Entries:
    """Gathers phrases: the same token text is the same entry, whatever it is good for."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.number: dict[str, int] = {}
        self.kind: list[int] = []
        self.processor: list[int] = []
        self.channel: list[int] = []

    def add(self, text: str, kind: int) -> int:
        """Say that a token text is good for ``kind``; gives its entry."""
        entry = self.number.setdefault(text, len(self.kind))
        if entry == len(self.kind):
            self.kind.append(0)
            self.processor.append(-1)
            self.channel.append(-1)
        self.kind[entry] |= kind
        return entry


def _merchant_rows(source: PackSource) -> Iterable[tuple[str, str, str, Sequence[str], Sequence[str], str, str, float, int]]:
    """Give every merchant as id, name, category, aliases, countries, website, match, weight, origin; hand-written ones first.

    The gazetteer lists a merchant's name among its aliases, and has a row more for those aliases that are common words.
    """
    for item in source.merchants:
        for match, aliases in _by_match(item).items():
            yield item.id, item.name, item.category, aliases, item.countries, item.website, match, item.weight, evidence.CURATED
    if source.gazetteer is not None:
        columns = [
            source.gazetteer[name].to_pylist() for name in ("id", "name", "category", "aliases", "countries", "website", "match", "weight")
        ]
        for *row, weight in zip(*columns, strict=True):
            yield (*row, weight * GAZETTEER_SHARE, evidence.GAZETTEER)


def _by_match(item: MerchantSource) -> dict[str, list[str]]:
    """Sort a merchant's aliases by how they count: as its row says, or as the mark before an alias does."""
    found: dict[str, list[str]] = {item.match: [item.name]}
    for alias in item.aliases:
        found.setdefault(MARKS.get(alias[0], item.match), []).append(alias)
    return found


def _in_both_widths(aliases: Sequence[str]) -> Iterable[str]:
    """Give each alias once, and as banks print it that have katakana in half width."""
    return dict.fromkeys([*aliases, *map(as_half_width, aliases)])


def compile_merchants(source: PackSource, categories: dict[str, int], entries: Entries) -> tuple[Arrays, Strings]:
    """Number merchants and aliases; an alias that is a common word for one of its rows is one for the merchant."""
    number: dict[str, int] = {}
    names: list[str] = []
    websites: list[str] = []
    category: list[int] = []
    origin: list[int] = []
    countries: list[list[int]] = []
    wanted: list[tuple[str, int, int, int]] = []
    for key, name, code, aliases, lands, website, match, weight, source_kind in _merchant_rows(source):
        merchant = number.setdefault(key, len(names))
        if merchant == len(names):
            names.append(name)
            websites.append(website)
            category.append(categories.get(code, -1))
            origin.append(source_kind)
            countries.append(sorted({country_number(land) for land in lands}))
        wanted.extend((alias, merchant, MATCHES[match], round(weight * evidence.ONE)) for alias in _in_both_widths(aliases))
    texts = token_texts([alias for alias, *_ in wanted])
    chosen: dict[tuple[int, int], tuple[int, int]] = {}
    for text, (_, merchant, match_kind, share) in zip(texts, wanted, strict=True):
        if text:
            key_pair = (entries.add(text, phrases.ALIAS), merchant)
            chosen[key_pair] = max(chosen.get(key_pair, (0, share)), (match_kind, share))
    plain = {entry for (entry, _), (match_kind, _) in chosen.items() if match_kind < evidence.WEAK}
    for entry in {entry for entry, _ in chosen} - plain:
        entries.kind[entry] |= phrases.FAINT
    words = token_texts([item.phrase for item in source.phrases if item.kind == "word"])
    return _alias_tables(chosen, list(number), names, websites, category, origin, countries, entries, words)


def _alias_tables(  # noqa: PLR0913, PLR0917 - the columns of one table
    chosen: dict[tuple[int, int], tuple[int, int]],
    ids: list[str],
    names: list[str],
    websites: list[str],
    category: list[int],
    origin: list[int],
    countries: list[list[int]],
    entries: Entries,
    words: list[str],
) -> tuple[Arrays, Strings]:
    """Lay the aliases out by entry and the countries by merchant."""
    market = [min((MARKETS.get(land, len(MARKETS)) for land in lands), default=len(MARKETS)) for lands in countries]
    order = sorted(chosen, key=lambda pair: (pair[0], market[pair[1]], pair[1]))
    texts = list(entries.number)
    arrays: Arrays = {
        "merchant/entry": np.array([entry for entry, _ in order], np.int32),
        "merchant/merchant": np.array([merchant for _, merchant in order], np.int32),
        "merchant/match": np.array([chosen[pair][0] for pair in order], np.int8),
        "merchant/weight": np.array([chosen[pair][1] for pair in order], np.int32),
        "merchant/category": np.array(category, np.int16),
        "merchant/origin": np.array(origin, np.int8),
        "merchant/country_offset": offsets_of(countries),
        "merchant/country": np.array([land for lands in countries for land in lands], np.int16),
    }
    arrays.update(_near(order, [chosen[pair][0] for pair in order], category, texts, words))
    strings = {
        "merchant_id": string_array(ids),
        "merchant_name": string_array(names),
        "merchant_website": string_array(websites),
        "alias_id": string_array([f"{ids[merchant]}/{texts[entry]}" for entry, merchant in order]),
    }
    return arrays, strings


def _near(order: list[tuple[int, int]], matches: list[int], category: list[int], texts: list[str], words: list[str]) -> Arrays:
    """Index the plain names of merchants that decide something, without their spaces, for names printed badly; and words that are none."""
    names: list[bytes] = []
    rows: list[int] = []
    for row, ((entry, merchant), match) in enumerate(zip(order, matches, strict=True)):
        squashed = texts[entry].replace(" ", "")
        plain = squashed.isascii() and squashed.isalnum() and not squashed.isdigit() and not texts[entry].endswith(DOMAINS)
        if match == 0 and category[merchant] >= 0 and plain and LEAST <= len(squashed) <= MOST:
            names.append(squashed.encode())
            rows.append(row)
    owners = [order[row][1] for row in rows]
    plain_words = sorted({word.encode() for word in words if " " not in word and LEAST <= len(word) <= MOST} - set(names))
    none = [-1] * len(plain_words)
    index = build_near_index(names + plain_words, np.array(rows + none, np.int32), np.array(owners + none, np.int32))
    return {f"near/{name}": array for name, array in index._asdict().items()}


def offsets_of(lists: Sequence[Sequence[Any]]) -> NDArray[np.int32]:
    """Give the ``n + 1`` offsets of lists laid end to end."""
    return np.concatenate([[0], np.cumsum([len(item) for item in lists])]).astype(np.int32)


def compile_phrases(source: PackSource, entries: Entries) -> tuple[Arrays, Strings]:
    """Add processors, rail wording, months and glue to the entries, and build their trie."""
    channels: dict[str, int] = {}
    names = {name: number for number, name in enumerate(dict.fromkeys(item.name for item in source.processors))}
    prefixes = [(prefix, names[item.name], item.star) for item in source.processors for prefix in item.prefixes]
    for text, (_, number, star) in zip(token_texts([prefix for prefix, *_ in prefixes]), prefixes, strict=True):
        if text:
            entry = entries.add(text, phrases.PROCESSOR | (phrases.STAR_NEEDED if star == "needed" else 0))
            entries.processor[entry] = number
    for text, item in zip(token_texts([item.phrase for item in source.phrases]), source.phrases, strict=True):
        if text and item.kind != "word":
            entry = entries.add(text, KINDS[item.kind])
            if item.channel:
                entries.channel[entry] = channels.setdefault(item.channel, len(channels))
    for word in (*MONTHS, *MONEY):
        entries.add(word, phrases.MONTH)
    for word in GLUE:
        entries.add(word, phrases.GLUE)
    for word in NEUTRAL:
        entries.add(word, phrases.GENERIC | phrases.NEUTRAL)
    trie = trie_of(list(entries.number))
    arrays: Arrays = {
        "phrase/cells": trie.cells,
        "phrase/first": trie.first,
        "phrase/last": trie.last,
        "phrase/kind": np.array(entries.kind, np.uint16),
        "phrase/processor": np.array(entries.processor, np.int16),
        "phrase/channel": np.array(entries.channel, np.int8),
    }
    return arrays, {"processor": string_array(list(names)), "channel": string_array(list(channels))}


def alias_offsets(entry: NDArray[np.int32], entries: int) -> NDArray[np.int32]:
    """Give the first alias of each entry, and one past the last."""
    return np.searchsorted(entry, np.arange(entries + 1)).astype(np.int32)


def compile_places(source: PackSource) -> tuple[Arrays, Strings]:
    """Build the trie of places; of several with one name the most populous gives country and region."""
    rows = [] if source.places is None else _place_rows(source.places)
    chosen: dict[str, list[Any]] = {}
    for text, (kind, country, region, population, common) in rows:
        if not text:
            continue
        known = chosen.setdefault(text, [0, -1, -1, "", 0])
        known[0] |= PLACE_KINDS[kind] | (COMMON if common else 0)
        order = REGION_ORDER.index(country) if kind == "region" and country in REGION_ORDER else len(REGION_ORDER)
        rank = (kind == "region", kind == "country", -order, population)
        if known[2] == -1 or rank > known[4]:
            known[1:] = [country_number(country) if country else -1, 0, region, rank]
    regions = {code: number for number, code in enumerate(sorted({item[3] for item in chosen.values()}))}
    trie = trie_of(list(chosen))
    arrays: Arrays = {
        "place/cells": trie.cells,
        "place/first": trie.first,
        "place/last": trie.last,
        "place/kind": np.array([item[0] for item in chosen.values()], np.uint8),
        "place/country": np.array([item[1] for item in chosen.values()], np.int16),
        "place/region": np.array([regions[item[3]] if item[3] else -1 for item in chosen.values()], np.int32),
    }
    return arrays, {"place": string_array(list(chosen)), "region": string_array(list(regions))}


def _place_rows(table: pa.Table) -> Iterable[tuple[str, tuple[str, str, str, int, bool]]]:
    texts = token_texts(table["name"].to_pylist())
    columns = (table[name].to_pylist() for name in ("kind", "country", "region", "population", "common"))
    return zip(texts, zip(*columns, strict=True), strict=True)


def compile_learned(source: PackSource, categories: dict[str, int]) -> tuple[Arrays, Strings]:
    """Take the learned merchants: whole cores with a category, weighed by how often and how purely they were seen, and where."""
    path = source.artefacts.get("learned.parquet")
    table = pq.read_table(path) if path else pa.table({"core": [], "category": [], "n": [], "purity": []})
    known = [row for row in table.to_pylist() if row["category"] in categories]
    texts = [row["core"] for row in known]
    trie = trie_of(texts)
    share = [min(MOST_LEARNED, (row["n"] * row["purity"] + 0.5) / (row["n"] + 1)) for row in known]
    arrays: Arrays = {
        "learned/cells": trie.cells,
        "learned/first": trie.first,
        "learned/last": trie.last,
        "learned/category": np.array([categories[row["category"]] for row in known], np.int16),
        "learned/weight": np.array([round(value * evidence.ONE) for value in share], np.int32),
        "learned/country": np.array([country_number(row["country"]) if row.get("country") else -1 for row in known], np.int16),
    }
    return arrays, {"learned": string_array(texts)}


def currency_countries() -> NDArray[np.int16]:
    """Give the country that each currency's number hints at, -1 for none."""
    table = np.full(CURRENCIES, -1, np.int16)
    for currency, country in CURRENCY_HOME.items():
        table[currency_number(currency)] = country_number(country)
    return table
