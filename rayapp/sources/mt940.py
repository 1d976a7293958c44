"""MT940 (SWIFT): the statement is cut into its tags here, and each entry is read by the library mt-940, so that a bad one stays alone."""

import logging
import re
from collections.abc import Iterator
from typing import NamedTuple

from rayapp.errors import InvalidInput
from rayapp.sources.encoding import guessed
from rayapp.sources.statements import Entry, descriptor_of
from rayapp.sources.stream import BLOCK_BYTES, Stream

TAG = re.compile(r":(\d\d[A-Z]?):")
SUBFIELD = re.compile(r"\?(\d\d)")
PURPOSE = re.compile(r"(?:SVWZ\+|/REMI/(?:USTD//)?)(.*?)(?=\s?(?:[A-Z]{4}\+|/[A-Z]{2,8}/)|$)", re.DOTALL)
NAMED = re.compile(r"/NAME/([^/]+)")
LONGEST_LINE = 1 << 16
CURRENCY = re.compile(r"[CD]\d{6}([A-Z]{3})")


class Tagged(NamedTuple):
    """A tag with what stands after it, over all of its lines."""

    line: int
    name: str
    text: str


def entries(source: Stream) -> Iterator[Entry]:
    """Give the entries (:61: with the :86: after it) of all statements. Raises ``InvalidInput`` when there is no statement."""
    account = currency = None
    entry: Tagged | None = None
    seen = False
    for tagged in _tagged(source):
        seen = seen or tagged.name == "20"
        if tagged.name == "86" and entry is not None:
            yield _entry(entry, tagged.text, account, currency)
            entry = None
            continue
        if entry is not None:
            yield _entry(entry, "", account, currency)
            entry = None
        match tagged.name:
            case "25" | "25P":
                account = tagged.text.split("\n")[0].strip()
            case "60F" | "60M":
                found = CURRENCY.match(tagged.text)
                currency = found[1] if found else None
            case "61":
                entry = tagged
    if entry is not None:
        yield _entry(entry, "", account, currency)
    if not seen:
        raise InvalidInput("the source is no MT940: it has no tag :20:")


def _tagged(source: Stream) -> Iterator[Tagged]:
    begun: tuple[int, str] | None = None
    lines: list[str] = []
    for number, line in enumerate(_lines(source), 1):
        found = TAG.match(line)
        if found or line.startswith(("-}", "{1:", "{5:")) or line == "-":
            if begun is not None:
                yield Tagged(*begun, "\n".join(lines))
            begun, lines = ((number, found[1]), [line[found.end() :]]) if found else (None, [])
        elif begun is not None:
            lines.append(line)
    if begun is not None:
        yield Tagged(*begun, "\n".join(lines))


def _lines(source: Stream) -> Iterator[str]:
    rest, encoding = b"", ""
    while part := source.read(BLOCK_BYTES):
        if not encoding and not part.isascii():
            encoding = guessed(part)
        *whole, rest = (rest + part).split(b"\n")
        if len(rest) > LONGEST_LINE:
            raise InvalidInput("the source is no MT940: its lines are too long")
        for line in whole:
            yield line.decode(encoding or "utf-8", "replace").rstrip("\r")
    if rest:
        yield rest.decode(encoding or "utf-8", "replace").rstrip("\r")


def _entry(entry: Tagged, details: str, account: str | None, currency: str | None) -> Entry:
    import mt940

    logging.getLogger("mt940").disabled = logging.getLogger("mt940.tags").disabled = True
    logging.getLogger("mt940.tags.Statement").disabled = True  # it quotes what it cannot read
    try:
        (found,) = mt940.parse(f":20:1\n:61:{entry.text}\n")
        data = found.data
        amount = abs(data["amount"].amount)
        day = data.get("entry_date") or data["date"]
    except (ValueError, ArithmeticError, LookupError, RuntimeError, TypeError):
        return Entry(line=entry.line, fault="the line :61: cannot be read", value=entry.text[:200])
    return Entry(
        line=entry.line,
        id=(data.get("bank_reference") or "").strip() or None,
        descriptor=_descriptor(details) or descriptor_of(data.get("extra_details")) or data.get("id"),
        amount=f"{amount:f}",
        currency=currency,
        direction="debit" if data["status"] in {"D", "RC"} else "credit",
        booked_at=day.isoformat(),
        account_id=account,
    )


def _descriptor(details: str) -> str | None:
    """Give the other party's name and the purpose, from the fields of German banks, the words of Dutch ones, or as it stands there."""
    if SUBFIELD.match(details[3:]) or SUBFIELD.match(details):
        _, *parts = SUBFIELD.split(details.replace("\n", ""))
        fields = dict(zip(parts[::2], parts[1::2], strict=True))
        purpose = "".join(fields.get(f"{number:02}", "") for number in (*range(20, 30), *range(60, 64)))
        name = fields.get("32", "") + fields.get("33", "")
        return descriptor_of(name, _remittance(purpose)) or descriptor_of(fields.get("00"))
    named = NAMED.search(details.replace("\n", ""))
    return descriptor_of(named[1] if named else None, _remittance(details))


def _remittance(purpose: str) -> str:
    """Give what the payer wrote where a purpose says which part that is, else all of it."""
    found = PURPOSE.search(purpose)
    return found[1] if found and found[1].strip() else purpose
