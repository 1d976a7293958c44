"""Numbers for country and currency codes, so that kernels compare integers."""

CURRENCY_HOME = {
    "USD": "US", "CAD": "CA", "GBP": "GB", "AUD": "AU", "NZD": "NZ", "CHF": "CH", "SEK": "SE", "NOK": "NO", "DKK": "DK", "PLN": "PL",
    "CZK": "CZ", "HUF": "HU", "RON": "RO", "BGN": "BG", "TRY": "TR", "INR": "IN", "JPY": "JP", "CNY": "CN", "HKD": "HK", "SGD": "SG",
    "MYR": "MY", "THB": "TH", "IDR": "ID", "PHP": "PH", "VND": "VN", "KRW": "KR", "TWD": "TW", "BRL": "BR", "MXN": "MX", "ARS": "AR",
    "CLP": "CL", "COP": "CO", "PEN": "PE", "ZAR": "ZA", "NGN": "NG", "KES": "KE", "EGP": "EG", "MAD": "MA", "ILS": "IL", "AED": "AE",
    "SAR": "SA", "QAR": "QA", "RUB": "RU", "UAH": "UA", "ISK": "IS", "PKR": "PK", "BDT": "BD", "LKR": "LK",
}  # fmt: skip
"""The country that a currency hints at; currencies of several countries hint at none."""

COUNTRIES = 26 * 26
CURRENCIES = 26**3


def country_number(code: str) -> int:
    """Number an ISO 3166-1 alpha-2 code, 0 to 675."""
    return (ord(code[0]) - 65) * 26 + ord(code[1]) - 65


def country_code(number: int) -> str:
    """Give the code of a country's number."""
    return chr(65 + number // 26) + chr(65 + number % 26)


def currency_number(code: str) -> int:
    """Number an ISO 4217 code, 0 to 17575."""
    return (ord(code[0]) - 65) * 676 + (ord(code[1]) - 65) * 26 + ord(code[2]) - 65
