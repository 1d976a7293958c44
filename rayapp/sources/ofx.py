"""OFX, both 1.x (SGML, where leaves need no end tag) and 2.x (XML), read as a stream of tags: nothing in it is ever expanded or fetched."""

import re
from collections.abc import Iterator
from html import unescape

from rayapp.errors import InvalidInput
from rayapp.sources.statements import Entry, descriptor_of
from rayapp.sources.stream import BLOCK_BYTES, Stream

TAG = re.compile(rb"<(/?)([A-Za-z0-9._]{1,64})(?:\s[^<>]*)?/?>((?:[^<]|<!\[CDATA\[.*?\]\]>)*)", re.DOTALL)
CDATA = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
LONGEST_TAG = 1 << 20
DATE = re.compile(r"(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?(?:\.\d+)?(?:\[([+-]?\d{1,2})(?:\.(\d\d?))?(?::\w*)?\])?")
AMOUNT = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)")
ASIDE = {"ORIGCURRENCY", "BANKACCTTO", "CCACCTTO"}
"""Aggregates inside of an entry whose leaves are not the entry's own."""


def entries(source: Stream) -> Iterator[Entry]:
    """Give the entries (STMTTRN) of all accounts. Raises ``InvalidInput`` when the file ends before its last tag."""
    account = currency = None
    fields: dict[str, str] | None = None
    aside = begin = 0
    ended = False
    for line, closes, name, text in _tags(source):
        if name == "STMTTRN":
            if fields is not None:
                yield _entry(fields, begin, account, currency)
            fields, begin, aside = (None if closes else {}), line, 0
        elif name in ASIDE and fields is not None:
            aside += -1 if closes else 1
        elif fields is not None:
            if text and not closes and not aside:
                fields.setdefault(name, text)
        elif name == "ACCTID" and not closes:
            account = text
        elif name == "CURDEF" and not closes:
            currency = text
        ended = ended or (closes and name == "OFX")
    if not ended:
        raise InvalidInput("the source breaks off: the OFX has no end")


def _tags(source: Stream) -> Iterator[tuple[int, bool, str, str]]:
    """Give every tag with its line, whether it closes, its name in upper case, and the text after it."""
    rest, line = b"", 1
    while part := source.read(BLOCK_BYTES):
        rest += part
        whole = rest.rfind(b"<", 0, max(0, rest.rfind(b"<")))
        if whole <= 0:
            if len(rest) > LONGEST_TAG:
                raise InvalidInput("the source is no OFX: there are no tags in it")
            continue
        yield from _found(rest[:whole], line)
        line += rest.count(b"\n", 0, whole)
        rest = rest[whole:]
    yield from _found(rest, line)


def _found(part: bytes, line: int) -> Iterator[tuple[int, bool, str, str]]:
    place = 0
    for match in TAG.finditer(part):
        line += part.count(b"\n", place, match.start())
        place = match.start()
        yield line, bool(match[1]), match[2].decode().upper(), _text(match[3])


def _text(content: bytes) -> str:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
    return unescape(CDATA.sub(r"\1", text)).strip()


def _entry(fields: dict[str, str], line: int, account: str | None, currency: str | None) -> Entry:
    amount, date = fields.get("TRNAMT", ""), DATE.match(fields.get("DTPOSTED", ""))
    if not AMOUNT.fullmatch(amount):
        return Entry(line=line, fault=f"TRNAMT {amount!r} is no amount", value=_shown(fields))
    if date is None:
        return Entry(line=line, fault=f"DTPOSTED {fields.get('DTPOSTED', '')!r} is no date", value=_shown(fields))
    descriptor = descriptor_of(fields.get("NAME"), fields.get("MEMO")) or fields.get("TRNTYPE")
    return Entry(
        line=line,
        id=fields.get("FITID"),
        descriptor=descriptor,
        amount=amount.lstrip("+-").replace(",", "."),
        currency=fields.get("CURSYM") or currency,
        direction="debit" if amount.startswith("-") else "credit",
        booked_at=_iso(date),
        mcc=fields.get("SIC"),
        account_id=account,
    )


def _iso(date: re.Match[str]) -> str:
    """Give a date as ISO 8601, with its time where it has one; hours of zones may have a fraction, as 5.30 or 5.5."""
    year, month, day, hour, minute, second, zone, part = date.groups()
    text = f"{year}-{month}-{day}"
    if hour is None or (hour == minute == "00" and zone is None):
        return text
    text += f"T{hour}:{minute}:{second or '00'}"
    if zone is None:
        return text
    minutes = 0 if part is None else int(part) * 6 if len(part) == 1 else int(part)
    return f"{text}{'-' if zone.startswith('-') else '+'}{abs(int(zone)):02}:{minutes:02}"


def _shown(fields: dict[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in fields.items())[:200]
