"""How often a text is likely to occur in bank descriptors: a rough guess that only has to tell rare from common."""

from math import prod

SHARES = dict(zip(b" EATONRISLCDPMUGHBYFKVWXZJQ", (
    0.14, 0.08, 0.072, 0.06, 0.056, 0.055, 0.058, 0.052, 0.05, 0.042, 0.038, 0.03, 0.03, 0.026, 0.026, 0.019, 0.019, 0.015, 0.014,
    0.012, 0.011, 0.009, 0.009, 0.006, 0.003, 0.003, 0.002), strict=True))  # fmt: skip
DIGIT_SHARE, OTHER_SHARE = 0.014, 0.004
"""Estimated share of each byte in upper-case bank descriptors (English letter frequencies, thinned by spaces and digits)."""
BYTES_IN_DESCRIPTOR = 30
EDGE_FACTOR = 0.3
RATE_OF_COMMON = 0.05
COST_OF_TEXT = 1e-6
COMMON_WORDS = (
    b" PURCHASE PAYMENT CARD DEBIT CREDIT TRANSFER CHECK CHECKING DEPOSIT ONLINE STORE MARKET SHOP PENDING VISA ACH POS ATM WEB PPD "
    b"FEE SERVICE SERVICES INC LLC LTD THE CENTER RESTAURANT CAFE PAY BILL DES BANK RECURRING AUTHORIZED INTERNATIONAL MOBILE COM WWW "
    b"NEW SAN ST CITY PARK USA CA NY TX FL PAYPAL AMAZON MKTP DIRECT FROM "
)


def expected_rate(text: bytes, bound_edges: int) -> float:
    """About how many times a text, of which 0 to 2 edges are bound to a context, occurs in one descriptor."""
    if text.strip() in COMMON_WORDS:
        return RATE_OF_COMMON
    rate = BYTES_IN_DESCRIPTOR * prod(map(_share, text)) * EDGE_FACTOR**bound_edges
    return rate + COST_OF_TEXT


def _share(byte: int) -> float:
    return SHARES.get(byte, DIGIT_SHARE if 0x30 <= byte <= 0x39 else OTHER_SHARE)
