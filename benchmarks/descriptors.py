"""Made-up bank descriptors and rules for benchmarks: the same seed gives the same rows.

Real brand names, invented small businesses, store numbers, cities, processors, bank wording and masked digits, mixed by weights
that are a judgement, not a measurement of any bank. Descriptors have a mean near 28 characters and are as printed: some in mixed
case, some with accents. Rules are about 60 % plain texts: first the kinds of lines that every pack knows, then names that
may also occur in the descriptors.
"""

import random
from collections.abc import Callable
from itertools import accumulate
from typing import Any

import pyarrow as pa

BRANDS = (
    """
STARBUCKS|MCDONALD'S|AMZN MKTP US|AMAZON.COM|WALMART|WM SUPERCENTER|TARGET|COSTCO WHSE|COSTCO GAS|SHELL OIL|EXXONMOBIL
CHEVRON|UBER TRIP|UBER EATS|LYFT RIDE|DOORDASH|GRUBHUB|NETFLIX.COM|SPOTIFY USA|HULU|DISNEY PLUS|APPLE.COM/BILL
GOOGLE STORAGE|MICROSOFT XBOX|STEAMGAMES.COM|NINTENDO|PLAYSTATION NETWORK|CVS/PHARMACY|WALGREENS|RITE AID|KROGER
SAFEWAY|PUBLIX|ALDI|LIDL|TRADER JOE S|WHOLEFDS|TESCO STORES|SAINSBURYS|ASDA|MORRISONS|CARREFOUR|REWE|EDEKA|DM DROGERIE
ROSSMANN|IKEA|HOME DEPOT|LOWES|ACE HARDWARE|BEST BUY|B&H PHOTO|H&M|ZARA|UNIQLO|GAP|OLD NAVY|NORDSTROM|MACYS|KOHLS
TJMAXX|MARSHALLS|ROSS STORES|PRIMARK|NIKE|ADIDAS|SEPHORA|ULTA|PETSMART|CHEWY.COM|CHIPOTLE|TACO BELL|BURGER KING|WENDYS
SUBWAY|DOMINO'S|PIZZA HUT|PAPA JOHNS|KFC|CHICK-FIL-A|PANERA BREAD|DUNKIN|TIM HORTONS|COSTA COFFEE|PRET A MANGER|GREGGS
NANDOS|FIVE GUYS|IN-N-OUT BURGER|SHAKE SHACK|PANDA EXPRESS|OLIVE GARDEN|APPLEBEES|CHILI'S|DENNYS|IHOP|WAFFLE HOUSE
CRACKER BARREL|7-ELEVEN|WAWA|SHEETZ|CIRCLE K|CASEYS|QT|RACETRAC|SPEEDWAY|BP#|TEXACO|ARCO|SUNOCO|TOTAL ENERGIES|ARAL
ESSO|DELTA AIR|UNITED|AMERICAN AIR|SOUTHWES|JETBLUE|RYANAIR|EASYJET|LUFTHANSA|BRITISH AIRWAYS|AIRBNB|BOOKING.COM
EXPEDIA|HOTELS.COM|MARRIOTT|HILTON|HYATT|HOLIDAY INN|TRAVELODGE|PREMIER INN|HERTZ|AVIS|ENTERPRISE|AMTRAK|TRAINLINE
TFL TRAVEL CH|DB VERTRIEB|SNCF|MTA*NYCT PAYGO|CLIPPER|VERIZON WRLS|AT&T|T-MOBILE|COMCAST|XFINITY|SPECTRUM|VODAFONE|O2
EE LIMITED|TELEKOM|ORANGE SA|PG&E|CON EDISON|DUKE ENERGY|BRITISH GAS|OCTOPUS ENERGY|EDF|GEICO|PROGRESSIVE|STATE FARM
ALLSTATE|AVIVA|AXA|ALLIANZ|BLUE CROSS|KAISER|LABCORP|QUEST DIAGNOSTICS|PLANET FITNESS|LA FITNESS|PUREGYM|PELOTON|AMC
REGAL CINEMAS|ODEON|TICKETMASTER|EVENTBRITE|STUBHUB|PATREON|ETSY.COM|EBAY O*|ALIEXPRESS|SHEIN|TEMU.COM|WAYFAIR|CHEGG
COURSERA|UDEMY|ADOBE|DROPBOX|ZOOM.US|GITHUB|AWS EMEA|DIGITALOCEAN|OPENAI|LINKEDIN|INTUIT|H&R BLOCK|USPS PO|UPS STORE
FEDEX|DHL|ROYAL MAIL|STAPLES|OFFICE DEPOT|MICHAELS|HOBBY LOBBY|JOANN|BARNES & NOBLE|WATERSTONES|DOLLAR TREE
DOLLAR GENERAL|FAMILY DOLLAR|BIG LOTS|SAMS CLUB|BJS WHOLESALE|MEIJER|WEGMANS|HEB|GIANT EAGLE|STOP & SHOP|FOOD LION
PIGGLY WIGGLY|SPROUTS FARMERS
""".strip()
    .replace("\n", "|")
    .split("|")
)

SURNAMES = (
    """
MARIO|ROSSI|LEE|KIM|NGUYEN|GARCIA|LOPEZ|SMITH|JONES|BROWN|MILLER|DAVIS|WILSON|MOORE|TAYLOR|WHITE|HARRIS|MARTIN|CLARK
LEWIS|WALKER|HALL|ALLEN|YOUNG|KING|WRIGHT|SCOTT|GREEN|BAKER|ADAMS|NELSON|HILL|CAMPBELL|MITCHELL|ROBERTS|CARTER
PHILLIPS|EVANS|TURNER|PARKER|COLLINS|EDWARDS|STEWART|MORRIS|MURPHY|COOK|ROGERS|MORGAN|COOPER|PETERSON|REED|BAILEY|BELL
KELLY|HOWARD|WARD|COX|DIAZ|WOOD|WATSON|BROOKS|BENNETT|GRAY|JAMES|REYES|CRUZ|HUGHES|PRICE|MYERS|LONG|FOSTER|SANDERS
ROSS|POWELL|SULLIVAN|RUSSELL|ORTIZ|JENKINS|PERRY|BUTLER|BARNES|FISHER|OAKWOOD|RIVERSIDE|LAKESIDE|SUNSET|GOLDEN|SILVER
BLUE|RED|LUCKY|HAPPY|ROYAL|GRAND|CENTRAL|NORTHSIDE|DOWNTOWN|VALLEY|MOUNTAIN|COASTAL|HARBOR|GARDEN|MÜLLER|SCHÄFER|GÓMEZ
JOSÉ
""".strip()
    .replace("\n", "|")
    .split("|")
)

TRADES = (
    """
PIZZA|CAFE|COFFEE|BAKERY|DELI|GRILL|SUSHI|TACOS|BBQ|DINER|BISTRO|TAVERN|PUB|WINE BAR|BREWING CO|LIQUORS|MARKET|GROCERY
FARM STAND|BUTCHER|FISH MARKET|DENTAL|ORTHODONTICS|OPTICAL|VET CLINIC|PHARMACY|MEDICAL GROUP|CHIROPRACTIC|SALON
BARBER SHOP|NAILS|SPA|YOGA|FITNESS|AUTO REPAIR|TIRE|CAR WASH|GAS|PARKING|TAXI|TOWING|HARDWARE|LUMBER|PLUMBING|ELECTRIC
ROOFING|LANDSCAPING|CLEANERS|LAUNDRY|STORAGE|REALTY|INSURANCE|LAW OFFICE|ACCOUNTING|BOOKS|TOYS|FLORIST|JEWELERS|SHOES
BOUTIQUE|MUSIC|PHOTO|PET SUPPLY|DAYCARE|MONTESSORI
""".strip()
    .replace("\n", "|")
    .split("|")
)

CITIES = (
    """
SEATTLE WA|NEW YORK NY|SAN FRANCISCO CA|LOS ANGELES CA|CHICAGO IL|HOUSTON TX|AUSTIN TX|DALLAS TX|MIAMI FL|ORLANDO FL
BOSTON MA|DENVER CO|PORTLAND OR|PHOENIX AZ|ATLANTA GA|OAKLAND CA|SAN DIEGO CA|SAN JOSE CA|BROOKLYN NY|QUEENS NY
PHILADELPHIA PA|COLUMBUS OH|NASHVILLE TN|RALEIGH NC|CHARLOTTE NC|TAMPA FL|LAS VEGAS NV|RENO NV|BOISE ID|MADISON WI
OMAHA NE|TULSA OK|LONDON GB|MANCHESTER GB|LEEDS GB|BRISTOL|GLASGOW|DUBLIN IE|PARIS FR|LYON|BERLIN DE|HAMBURG|MUENCHEN
KÖLN|AMSTERDAM NL|MADRID ES|BARCELONA|MILANO IT|ROMA|LISBOA PT|WIEN|ZÜRICH|TORONTO ON|MONTREAL QC|VANCOUVER BC
CALGARY AB|SYDNEY AU|MELBOURNE VIC|SINGAPORE|MUMBAI IN|BENGALURU|JOHANNESBURG ZA|LAGOS NG|MEXICO CITY|SAO PAULO BR
TOKYO JP
""".strip()
    .replace("\n", "|")
    .split("|")
)

COMMON_PATTERNS = (
    r"""
\bPAYROLL\b   \bDIRECT DEP(?:OSIT)?\b   \bZELLE\b   \bVENMO\b   \bCASH APP\b   ^CHECK #? ?\d+
\bATM (?:FEE|WITHDRAWAL)\b   \bOVERDRAFT\b   \bFEES?\b   \bINTEREST\b   \bWIRE TRANSFER\b   \bTRANSFER (?:TO|FROM)\b
\bMORTGAGE\b   \bLOAN P(?:AY)?MT\b   \bCREDIT CARD PAYMENT\b   \bLASTSCHRIFT\b   ^UPI/   \bTREAS 310\b   \bAUTOPAY\b
\bBILL PAY\b   \bSTUDENT LN\b   \bMOBILE DEPOSIT\b   \bPIZZA\b   \bCAFE\b   \bCOFFEE\b   \bBAKERY\b   \bDELI\b
\bGRILL\b   \bSUSHI\b   \bTACOS\b   \bBBQ\b   \bPUB\b   \bBREWING\b   \bLIQUORS?\b   \bMARKET\b   \bDENTAL\b
\bOPTICAL\b   \bVET\b   \bPHARMACY\b   \bSALON\b   \bBARBER\b   \bYOGA\b   \bAUTO REPAIR\b   \bCAR WASH\b
\bPARKING\b   \bRENT\b   \bINSURANCE\b   \bBOOKS?\b   \bSTORE \d{3,}   \bPAYPAL \*   ^SQ \*   ^TST\*   #\d{3,5}\b
\bPURCHASE\b.*\b(?:WA|CA|NY|TX|FL)$   \bRECURRING\b   \bAPPLE\.COM\b   \bUBER\b   \bAM(?:AZON|ZN)\b   \bSTARBUCKS\b
\bMCDONALD'?S\b   \bWAL-?MART\b   \bTARGET\b   \bCOSTCO\b   \bSHELL\b   \bLYFT\b   \bNETFLIX\b
""".strip()
    .replace("\n", "   ")
    .split("   ")
)

CARD_WORDING = (
    """
POS PURCHASE|DEBIT CARD PURCHASE|PURCHASE AUTHORIZED ON {date}|CHECKCARD {digits4}|VISA PURCHASE|RECURRING PAYMENT
POS DEBIT|CARD {masked}|KARTENZAHLUNG|CONTACTLESS|CB|COMPRA TARJETA|DDA PUR AP|PENDING
""".strip()
    .replace("\n", "|")
    .split("|")
)

PROCESSORS = ["SQ *", "TST* ", "PAYPAL *", "SP ", "PP*", "IZ *", "SUMUP *", "GOOGLE *", "CKO*", "DD *"]

ACCOUNT_LINES = (
    """
ACH DEBIT {brand} PPD ID {digits9}|ACH CREDIT {employer} PAYROLL PPD|{employer} DIRECT DEP {digits9}
DIRECT DEPOSIT {employer} DES:PAYROLL|ZELLE PAYMENT TO {person}|ZELLE FROM {person} ON {date}|VENMO PAYMENT {digits9}
CASH APP*{person}|ONLINE TRANSFER TO SAV {masked}|TRANSFER FROM CHK {masked}|CHECK {digits4}|CHECK # {digits4}
ATM WITHDRAWAL {city}|NON-BANK ATM FEE|MONTHLY SERVICE FEE|OVERDRAFT FEE {date}|INTEREST PAYMENT
MOBILE DEPOSIT REF {digits9}|WIRE TRANSFER OUT {digits9}|FOREIGN TRANSACTION FEE|LOAN PAYMENT {masked}
MORTGAGE PMT {brand}|CREDIT CARD PAYMENT {masked}|SEPA LASTSCHRIFT {brand} MANDAT {digits9}|UPI/{digits9}/{person}
FASTER PAYMENT {person} REF RENT|STANDING ORDER {person}|IRS TREAS 310 TAX REF|SSA TREAS 310 XXSOC SEC|AUTOPAY {brand}
BILL PAY {brand} ACCT {masked}|STUDENT LN PMT {digits9}
""".strip()
    .replace("\n", "|")
    .split("|")
)

FILLS: dict[str, Callable[[random.Random], str]] = {
    "{date}": lambda rng: f"{rng.randint(1, 12):02}/{rng.randint(1, 28):02}",
    "{digits4}": lambda rng: f"{rng.randrange(10_000):04}",
    "{digits9}": lambda rng: rng.choice((f"{rng.randrange(10**9):09}", "XXXXX" + f"{rng.randrange(10**4):04}")),
    "{masked}": lambda rng: rng.choice(("XXXX", "...", "X", "**", "XXXXXXXXXXXX")) + f"{rng.randrange(10_000):04}",
    "{brand}": lambda rng: _often(rng, BRANDS),
    "{employer}": lambda rng: f"{_often(rng, SURNAMES)} {rng.choice(TRADES)} INC",
    "{person}": lambda rng: f"{rng.choice(SURNAMES)} {rng.choice(SURNAMES)}",
    "{city}": lambda rng: rng.choice(CITIES),
}
ZIPF = 1.05


def make_descriptors(n: int, seed: int) -> pa.Array:
    """Give ``n`` descriptors as a string array."""
    rng = random.Random(seed)
    kinds = (_brand_line, _business_line, _account_line)
    return pa.array([rng.choices(kinds, (55, 27, 18))[0](rng) for _ in range(n)], pa.string())


def make_repeating(n: int, unique_ratio: float, seed: int) -> pa.Array:
    """Give ``n`` descriptors of which about ``unique_ratio`` are distinct, in random order; a few occur very often."""
    pool = make_descriptors(max(1, round(n * unique_ratio)), seed).to_pylist()
    rng = random.Random(seed + 1)
    extra = rng.choices(pool, cum_weights=_zipf_weights(len(pool)), k=max(0, n - len(pool)))
    rows = pool[:n] + extra
    rng.shuffle(rows)
    return pa.array(rows, pa.string())


def make_rules(n: int, seed: int) -> list[dict[str, Any]]:
    """Give ``n`` rules with distinct patterns: ``id``, ``pattern``, ``category`` (a number as text) and ``when`` conditions."""
    rng = random.Random(seed)
    patterns = dict.fromkeys(COMMON_PATTERNS[:n])
    while len(patterns) < n:
        make = _literal_pattern if rng.random() < 0.59 else _other_pattern
        patterns.setdefault(make(rng))
    return [
        {"id": f"made.{index}", "pattern": pattern, "category": str(rng.randrange(100)), "when": _conditions(rng)}
        for index, pattern in enumerate(patterns)
    ]


# --------------------------------------------------------------------------------------------------------- descriptors
def _brand_line(rng: random.Random) -> str:
    text = _often(rng, BRANDS)
    chance = rng.random()
    if chance < 0.5:
        text += rng.choice((" #{}", " {}", " T-{}", " F{}", " STORE {}", "*{}")).format(f"{rng.randrange(10**5):0{rng.randint(3, 5)}}")
    elif chance < 0.65:
        text += "*" + "".join(rng.choices("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", k=rng.randint(5, 9)))
    return _dress(rng, text)


def _business_line(rng: random.Random) -> str:
    text = f"{_often(rng, SURNAMES)} {_often(rng, TRADES)}"
    if rng.random() < 0.35:
        text = rng.choice(PROCESSORS) + text
    return _dress(rng, text)


def _dress(rng: random.Random, text: str) -> str:
    """Put bank wording before, a city after, and sometimes print it in mixed case."""
    if rng.random() < 0.45:
        text = f"{_fill(rng, rng.choice(CARD_WORDING))} {text}"
    if rng.random() < 0.75:
        text = f"{text} {rng.choice(CITIES)}"
    return text.title() if rng.random() < 0.1 else text


def _account_line(rng: random.Random) -> str:
    return _fill(rng, rng.choice(ACCOUNT_LINES))


def _fill(rng: random.Random, template: str) -> str:
    """Replace each place holder by fresh text."""
    for name, fill in FILLS.items():
        if name in template:
            template = template.replace(name, fill(rng))
    return template


def _often(rng: random.Random, names: list[str]) -> str:
    """Draw a name: the first ones far more often than the last ones."""
    return rng.choices(names, cum_weights=_zipf_weights(len(names)))[0]


WEIGHTS: dict[int, list[float]] = {}


def _zipf_weights(size: int) -> list[float]:
    """Cumulative weights of Zipf's law, kept per size."""
    if size not in WEIGHTS:
        WEIGHTS[size] = list(accumulate(1 / rank**ZIPF for rank in range(1, size + 1)))
    return WEIGHTS[size]


# --------------------------------------------------------------------------------------------------------------- rules
def _name(rng: random.Random) -> str:
    """A merchant's name as a rule's author would write it: brands and businesses, none more often than others."""
    if rng.random() < 0.22:
        return _plain(rng.choice([brand for brand in BRANDS if len(brand) > 3]))
    return _plain(f"{rng.choice(SURNAMES)} {rng.choice(TRADES)}")


def _plain(name: str) -> str:
    return name.replace(".", r"\.").replace("*", r"\*").replace("Ü", "U").replace("Ä", "A").replace("Ó", "O").replace("É", "E")


def _edge(text: str) -> str:
    """A word boundary where the text ends with a letter or digit."""
    return text + r"\b" if text[-1].isalnum() else text


def _literal_pattern(rng: random.Random) -> str:
    """One text, or a few, between word boundaries."""
    name = _name(rng)
    form = rng.random()
    if form < 0.6:
        return _edge(rf"\b{name}")
    if form < 0.75:
        return rf"\b(?:{name}|{_name(rng)})"
    if form < 0.9:
        return _edge(rf"\b{name} (?:{rng.choice(TRADES)}|{rng.choice(TRADES)}|STORE|ONLINE)")
    return _edge(rf"{name} {rng.choice(CITIES)}")


OTHER_FORMS = (
    r"\b{name} ?#? ?\d{{3,6}}",
    r"\b{name}\b.{{0,20}}\b{city}\b",
    r"\b{name}\b.*\b(?:REFUND|RETURN|REVERSAL|CREDIT)\b",
    r"^(?:SQ|TST|SP|PP) ?\* ?{name}",
    r"\b{word}[A-Z]* {trade}\b",
    r"\b{name}(?: [A-Z]+)? (?:INC|LLC|LTD|CO)\b",
    r"\b(?:DEBIT|CREDIT|POS|ACH) .*{name}",
    r"\b{word}'?S? +{trade}S?\b",
    r"\b{name}[ *\-][A-Z0-9]{{5,10}}\b",
    r"\b{name} (?:[A-Z]{{2}}|\d+)$",
)


def _other_pattern(rng: random.Random) -> str:
    """A pattern that needs more than a list of texts."""
    return rng.choice(OTHER_FORMS).format(
        name=_name(rng), city=_plain(rng.choice(CITIES)), word=_plain(rng.choice(SURNAMES)), trade=rng.choice(TRADES)
    )


def _conditions(rng: random.Random) -> dict[str, Any]:
    """Conditions for about a third of the rules."""
    form = rng.random()
    if form < 0.12:
        return {"direction": rng.choice(("debit", "credit"))}
    if form < 0.24:
        low = rng.randrange(1, 200)
        return {"amount": {"min": str(low), "max": str(low * rng.randint(2, 50))}}
    if form < 0.32:
        return {"mcc": [f"{rng.randrange(3000, 9000):04}"], "direction": "debit"}
    return {}
