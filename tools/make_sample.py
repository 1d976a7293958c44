"""Write the shipped sample: some 500 invented transactions of seven invented accounts, printed as banks print them.

Usage: ``python tools/make_sample.py > rayapp/samples/transactions.csv``. Always writes the same bytes. No line is anybody's: the
wording follows what statements look like in each country, and names, numbers, amounts and dates are drawn by a seeded generator.
"""

import csv
import random
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

FIRST_DAY = date(2026, 1, 1)
DAYS = 120
COLUMNS = ("id", "descriptor", "amount", "currency", "direction", "mcc", "country", "booked_at", "account_id")


class Habit(NamedTuple):
    """Something that happens on an account: how it is printed, for how much, how often in four months."""

    descriptor: str
    least: float
    most: float
    times: int
    mcc: str = ""
    direction: str = "debit"


# In a descriptor · is a digit, ~ a capital letter; {d} is the day as month and day, {D} as day and month.
CARDS_US = [
    Habit("SQ *BLUE BOTTLE COFFEE ···· OAKLAND CA", 4, 9, 9, "5814"),
    Habit("STARBUCKS STORE ····· SAN FRANCISCO CA", 4, 12, 7, "5814"),
    Habit("TST* THE RAMEN SHOP OAKLAND CA", 18, 60, 3, "5812"),
    Habit("MCDONALD'S F····· OAKLAND CA", 6, 18, 3, "5814"),
    Habit("CHIPOTLE ···· BERKELEY CA", 9, 22, 4, "5814"),
    Habit("TRADER JOE S ···· QPS OAKLAND CA", 25, 110, 6, "5411"),
    Habit("WHOLEFDS OAK ····· OAKLAND CA", 20, 140, 4, "5411"),
    Habit("COSTCO WHSE #0··· RICHMOND CA", 80, 320, 3, "5300"),
    Habit("COSTCO GAS #0··· RICHMOND CA", 35, 70, 3, "5542"),
    Habit("SHELL OIL ············ OAKLAND CA", 30, 75, 4, "5541"),
    Habit("CHEVRON 00····· ALAMEDA CA", 30, 75, 2, "5541"),
    Habit("AMZN Mktp US*~~·~~··~· Amzn.com/bill WA", 8, 120, 8, "5942"),
    Habit("AMAZON PRIME*~~·~··~~· Amzn.com/bill WA", 14.99, 14.99, 4, "5968"),
    Habit("NETFLIX.COM LOS GATOS CA", 17.99, 17.99, 4, "4899"),
    Habit("SPOTIFY USA 877-778-1161 NY", 11.99, 11.99, 4, "5815"),
    Habit("APPLE.COM/BILL 866-712-7753 CA", 0.99, 9.99, 4, "5735"),
    Habit("GOOGLE *YouTubePremium g.co/helppay· CA", 13.99, 13.99, 4, "5815"),
    Habit("UBER   *TRIP HELP.UBER.COM CA", 9, 45, 6, "4121"),
    Habit("UBER   *EATS HELP.UBER.COM CA", 18, 60, 4, "5812"),
    Habit("LYFT   *RIDE SUN 8PM LYFT.COM CA", 9, 38, 2, "4121"),
    Habit("DD *DOORDASH THAIHOUSE 855-973-1040 CA", 20, 55, 3, "5812"),
    Habit("CLIPPER TRANSIT FARE CONCORD CA", 10, 40, 3, "4111"),
    Habit("UNITED      016·········· UNITED.COM TX", 180, 640, 1, "3000"),
    Habit("MARRIOTT PORTLAND DWTN PORTLAND OR", 160, 480, 1, "3509"),
    Habit("AIRBNB * HM~~~~~~~~ AIRBNB.COM CA", 120, 700, 1, "4722"),
    Habit("CVS/PHARMACY #0···· OAKLAND CA", 6, 45, 3, "5912"),
    Habit("WALGREENS ···· ALAMEDA CA", 6, 45, 2, "5912"),
    Habit("KAISER PERMANENTE 510-752-1190 CA", 20, 60, 1, "8062"),
    Habit("BAY AREA DENTAL GROUP OAKLAND CA", 60, 240, 1, "8021"),
    Habit("PLANET FITNESS CLUB FEES 510-555-0148", 24.99, 24.99, 4, "7997"),
    Habit("TARGET        000····· EMERYVILLE CA", 15, 130, 4, "5411"),
    Habit("THE HOME DEPOT #0··· EMERYVILLE CA", 12, 210, 2, "5200"),
    Habit("IKEA EMERYVILLE CA", 40, 380, 1, "5712"),
    Habit("BEST BUY      000····· EMERYVILLE CA", 30, 500, 1, "5732"),
    Habit("PAYPAL *STEAM GAMES 402-935-7733 WA", 10, 60, 2, "5816"),
    Habit("SP ALLBIRDS ALLBIRDS.COM CA", 90, 140, 1, "5661"),
    Habit("PETSMART # ···· EMERYVILLE CA", 20, 90, 2, "5995"),
    Habit("USPS PO 05········ OAKLAND CA", 5, 30, 1, "9402"),
    Habit("AMC ···· BAY STREET EMERYVILLE CA", 15, 48, 2, "7832"),
    Habit("CITY OF OAKLAND PARKING 510-238-3099 CA", 3, 66, 2, "7523"),
    Habit("RED CROSS DONATION 800-435-7669 DC", 25, 50, 1, "8398"),
]
BANK_US = [
    Habit("ACME ROBOTICS INC DES:PAYROLL ID:·········· INDN:JORDAN LEE CO ID:·········· PPD", 2450, 2450, 8, direction="credit"),
    Habit("PG&E/EZ-PAY DES:UTILITY ID:········ INDN:JORDAN LEE WEB", 70, 160, 4),
    Habit("COMCAST CALIFORNIA CABLE SVCS 8155··········", 79.99, 79.99, 4),
    Habit("T-MOBILE PCS SVC DES:PAYMENT ID:······· INDN:JORDAN LEE WEB", 70, 70, 4),
    Habit("GEICO *AUTO MACON GA", 118.4, 118.4, 4, "6300"),
    Habit("NAVIENT DES:STUDENT LN ID:·········· INDN:JORDAN LEE PPD", 212.5, 212.5, 4),
    Habit("ONLINE RENT PAYMENT GREENRIDGE APTS WEB ID: ··········", 2200, 2200, 4),
    Habit("Zelle payment to Sam Rivera Conf# ~·~·~·~·~", 20, 180, 3),
    Habit("Zelle payment from Dana Kim Conf# ~·~·~·~·~", 15, 90, 2, direction="credit"),
    Habit("VENMO DES:PAYMENT ID:············· INDN:JORDAN LEE WEB", 12, 75, 3),
    Habit("Online Banking transfer to SAV ···· Confirmation# ··········", 200, 400, 4),
    Habit("CHASE CREDIT CRD AUTOPAY PPD ID: ··········", 300, 900, 4),
    Habit("ATM WITHDRAWAL 00···· {d} 1200 BROADWAY OAKLAND CA", 40, 200, 3, "6011"),
    Habit("NON-NETWORK ATM FEE", 3, 3, 2),
    Habit("MONTHLY MAINTENANCE FEE", 12, 12, 2),
    Habit("OVERDRAFT ITEM FEE FOR ACTIVITY OF {d}", 35, 35, 1),
    Habit("INTEREST PAYMENT", 0.11, 2.4, 4, direction="credit"),
    Habit("IRS TREAS 310 DES:TAX REF ID:XXXXX····· INDN:JORDAN LEE CCD", 640, 640, 1, direction="credit"),
    Habit("FRANCHISE TAX BD DES:CASTTAXRFD ID:·········· INDN:JORDAN LEE PPD", 120, 120, 1, direction="credit"),
    Habit("CHECK # ····", 80, 300, 2),
    Habit("ROBINHOOD DES:FUNDS ID:·········· INDN:JORDAN LEE WEB", 100, 250, 2),
]
UK = [
    Habit("CARD PAYMENT TO TESCO STORES ···· LONDON", 8, 90, 8, "5411"),
    Habit("SAINSBURYS S/MKTS LONDON SE1", 6, 70, 5, "5411"),
    Habit("PRET A MANGER LONDON", 4, 11, 7, "5814"),
    Habit("GREGGS PLC MANCHESTER", 2, 7, 3, "5814"),
    Habit("TFL TRAVEL CH TFL.GOV.UK/CP", 2.8, 8.5, 10, "4111"),
    Habit("TRAINLINE.COM LONDON", 18, 95, 2, "4112"),
    Habit("SumUp *Corner Barbers Leeds", 14, 22, 2, "7230"),
    Habit("Zettle_*Borough Cheese London", 9, 35, 2, "5499"),
    Habit("AMAZON.CO.UK*~~··~·~·· AMAZON.CO.UK", 8, 80, 5, "5942"),
    Habit("DELIVEROO LONDON", 15, 42, 3, "5812"),
    Habit("BOOTS ···· LONDON", 4, 28, 3, "5912"),
    Habit("DIRECT DEBIT BRITISH GAS REF ··········", 90, 140, 4),
    Habit("DIRECT DEBIT TV LICENCE MBP ··········", 14.12, 14.12, 4),
    Habit("DD LB LAMBETH COUNCIL TAX", 148, 148, 4),
    Habit("DIRECT DEBIT THAMES WATER REF ··········", 38, 38, 4),
    Habit("DD VODAFONE LTD ·········-····", 28, 28, 4),
    Habit("BACS CREDIT HARLOW & PIKE LLP SALARY", 2890, 2890, 4, direction="credit"),
    Habit("FASTER PAYMENT TO A OKAFOR REF FLAT SHARE", 740, 740, 4),
    Habit("FPI P SHARMA DINNER", 12, 40, 2, direction="credit"),
    Habit("STANDING ORDER NATIONWIDE ISA", 150, 150, 4),
    Habit("LNK CASH WITHDRAWAL HIGH ST {D}", 20, 100, 2, "6011"),
    Habit("NON-STERLING TRANSACTION FEE", 0.4, 3, 2),
    Habit("KLARNA*ASOS LONDON", 30, 90, 1, "5651"),
    Habit("BET365 STOKE ON TRENT", 10, 40, 2, "7995"),
]
GERMANY = [
    Habit("REWE SAGT DANKE. ········//Berlin/DE {D}", 8, 85, 7, "5411"),
    Habit("ALDI NORD 6··· BERLIN", 6, 60, 4, "5411"),
    Habit("LIDL DIENSTLEISTUNG//BERLIN/DE", 6, 60, 4, "5411"),
    Habit("DM DROGERIEMARKT SAGT DANKE//Berlin/DE", 5, 35, 3, "5912"),
    Habit("KARTENZAHLUNG BÄCKEREI STEINECKE BERLIN", 2, 9, 5, "5462"),
    Habit("BVG APP BERLIN", 3, 49, 4, "4111"),
    Habit("DB VERTRIEB GMBH FRANKFURT", 19, 120, 2, "4112"),
    Habit("ARAL STATION ········· BERLIN", 40, 80, 2, "5541"),
    Habit("PayPal Europe S.a.r.l. et Cie S.C.A ZALANDO SE Ihr Einkauf bei Zalando", 30, 140, 2),
    Habit("SEPA-LASTSCHRIFT VATTENFALL EUROPE SALES ABSCHLAG STROM KD ········", 74, 74, 4),
    Habit("LASTSCHRIFT TELEKOM DEUTSCHLAND GMBH FESTNETZ VERTRAGSKONTO ··········", 39.95, 39.95, 4),
    Habit("DAUERAUFTRAG MIETE WOHNUNG HAUSVERWALTUNG KRUEGER", 980, 980, 4),
    Habit("GUTSCHRIFT LOHN/GEHALT NORDLICHT SOFTWARE GMBH", 3120, 3120, 4, direction="credit"),
    Habit("RUNDFUNK ARD ZDF DRADIO BEITRAGSSERVICE", 55.08, 55.08, 1),
    Habit("ALLIANZ VERSICHERUNGS-AG HAFTPFLICHT VNR ········", 11.2, 11.2, 4),
    Habit("FAMILIENKASSE KINDERGELD KG·······", 255, 255, 4, direction="credit"),
    Habit("BARGELDAUSZAHLUNG GA NR········", 50, 200, 2, "6011"),
    Habit("ENTGELTABSCHLUSS KONTOFUEHRUNG", 4.9, 4.9, 4),
]
FRANCE = [
    Habit("CB CARREFOUR CITY PARIS 11 {D}", 6, 55, 6, "5411"),
    Habit("CARTE {D} MONOPRIX 2··· LYON CB*····", 8, 70, 3, "5411"),
    Habit("PAIEMENT CB BOULANGERIE PAUL PARIS", 2, 11, 4, "5462"),
    Habit("PRLV SEPA FREE MOBILE", 19.99, 19.99, 4),
    Habit("PRLV SEPA EDF CLIENTS PARTICULIERS ECH ··········", 66, 66, 4),
    Habit("CB SNCF INTERNET PARIS", 25, 110, 2, "4112"),
    Habit("VIR SALAIRE ATELIER DUBOIS SARL", 2210, 2210, 4, direction="credit"),
    Habit("VIREMENT LOYER APPARTEMENT", 860, 860, 4),
    Habit("RETRAIT DAB {D} PARIS", 20, 100, 2, "6011"),
    Habit("COTISATION CARTE VISA", 3.5, 3.5, 4),
]
INDIA = [
    Habit("UPI/············/SWIGGY/swiggy@axisbank/Payment", 180, 640, 5),
    Habit("UPI-ZOMATO LTD-ZOMATO@HDFCBANK-············-ORDER", 180, 700, 4),
    Habit("UPI/DR/············/KIRANA STORE/SBIN/kirana@ybl", 60, 480, 4),
    Habit("POS 4··········· RELIANCE FRESH BENGALURU", 220, 1900, 3, "5411"),
    Habit("NEFT CR-CITI0······-BRIGHTWAVE TECHNOLOGIES PVT LTD-SALARY", 98000, 98000, 4, direction="credit"),
    Habit("ACH D- HDFC LTD HOME LOAN EMI-·········", 31500, 31500, 4),
    Habit("BIL/BPAY/BESCOM ELECTRICITY/··········", 900, 2400, 4),
    Habit("IRCTC WEB UTS NEW DELHI", 240, 1900, 2, "4112"),
    Habit("ATM-CASH WDL {D} MG ROAD BENGALURU", 2000, 10000, 2, "6011"),
]
CANADA = [
    Habit("LOBLAWS 1··· TORONTO ON", 12, 140, 5, "5411"),
    Habit("TIM HORTONS #···· TORONTO ON", 2, 12, 7, "5814"),
    Habit("SHOPPERS DRUG MART ·· TORONTO ON", 6, 60, 3, "5912"),
    Habit("PETRO-CANADA ····· TORONTO ON", 30, 80, 2, "5541"),
    Habit("PRESTO FARE/·········· TORONTO ON", 3.35, 6.7, 6, "4111"),
    Habit("CANADIAN TIRE #··· TORONTO ON", 10, 180, 2, "5251"),
    Habit("ROGERS ****··· WIRELESS 888-764-3771 ON", 75, 75, 4, "4814"),
    Habit("INTERAC E-TRANSFER TO M TREMBLAY", 20, 150, 2),
    Habit("PAYROLL DEPOSIT MAPLE RIDGE LOGISTICS", 1980, 1980, 8, direction="credit"),
    Habit("MORTGAGE PAYMENT TD CANADA TRUST", 1450, 1450, 4),
    Habit("NSF FEE", 48, 48, 1),
]
OTHERS = [
    Habit("WOOLWORTHS ···· SYDNEY AU", 12, 120, 3, "5411"),
    Habit("BUNNINGS ······ ALEXANDRIA AU", 15, 160, 1, "5200"),
    Habit("MERCADONA C/ ARAGO BARCELONA", 9, 80, 3, "5411"),
    Habit("RECIBO IBERDROLA CLIENTES S.A.U. N·········", 48, 95, 2),
    Habit("NOMINA TALLERES VEGA SL", 1790, 1790, 2, direction="credit"),
    Habit("ALBERT HEIJN ···· AMSTERDAM NLD", 6, 60, 4, "5411"),
    Habit("NS GROEP IZ NS REIZIGERS UTRECHT", 4, 30, 2, "4112"),
    Habit("IFOOD *RESTAURANTE SAO PAULO BR", 30, 90, 2, "5812"),
    Habit("PIX ENVIADO MARIA SOUZA", 40, 200, 2),
    Habit("ESSELUNGA VIALE PIAVE MILANO IT", 10, 90, 3, "5411"),
    Habit("ZABKA Z···· K.1 WARSZAWA PL", 3, 20, 3, "5411"),
    Habit("SUICA CHARGE TOKYO JP", 10, 30, 2, "4111"),
]
ACCOUNTS = [
    ("us-checking", "US", "USD", CARDS_US + BANK_US),
    ("uk-current", "GB", "GBP", UK),
    ("de-giro", "DE", "EUR", GERMANY),
    ("fr-courant", "FR", "EUR", FRANCE),
    ("in-savings", "IN", "INR", INDIA),
    ("ca-chequing", "CA", "CAD", CANADA),
    ("travel-card", "", "EUR", OTHERS),
]


def rows(rng: random.Random) -> Iterator[dict[str, str]]:
    """Give all rows, by account and habit."""
    for account, country, currency, habits in ACCOUNTS:
        for habit in habits:
            for _ in range(habit.times):
                day = FIRST_DAY + timedelta(rng.randrange(DAYS))
                yield {
                    "descriptor": printed(habit.descriptor, day, rng),
                    "amount": f"{rng.uniform(habit.least, habit.most):.2f}",
                    "currency": currency,
                    "direction": habit.direction,
                    "mcc": habit.mcc,
                    "country": country,
                    "booked_at": day.isoformat(),
                    "account_id": account,
                }


def printed(descriptor: str, day: date, rng: random.Random) -> str:
    """Fill in digits, letters and dates."""
    dated = descriptor.replace("{d}", f"{day:%m/%d}").replace("{D}", f"{day:%d.%m}")
    filled = {"·": "0123456789", "~": "ABCDEFGHJKLMNPQRSTUVWXYZ"}
    return "".join(rng.choice(filled[mark]) if mark in filled else mark for mark in dated)


def main() -> None:
    """Write the sample in the order of booking."""
    ordered = sorted(rows(random.Random(20260101)), key=lambda row: (row["booked_at"], row["account_id"], row["descriptor"]))
    writer = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for number, row in enumerate(ordered, 1):
        writer.writerow({"id": f"t{number:04d}", **row})


if __name__ == "__main__":
    main()
