"""CAMT.052, 053 and 054 (ISO 20022), entry by entry in memory of bounded size.

Read with expat and without any declaration: a document type is refused, so that there are no entities to expand and nothing to fetch.
"""

from collections.abc import Iterator
from typing import Any
from xml.parsers import expat

from rayapp.errors import InvalidInput
from rayapp.sources.statements import Entry, descriptor_of
from rayapp.sources.stream import BLOCK_BYTES, Stream

DEEPEST = 64
LONGEST_ENTRY = 1 << 26
"""Characters of an entry, with all transactions of a batch."""


ACCOUNT = {"Acct/Id/IBAN": "Id", "Acct/Id/Othr/Id": "Id", "Stmt/Acct/Ccy": "Ccy", "Rpt/Acct/Ccy": "Ccy", "Ntfctn/Acct/Ccy": "Ccy"}


class Element:
    """A part of an entry."""

    def __init__(self, name: str, line: int) -> None:
        """Begin an element without children."""
        self.name = name
        self.line = line
        self.text = ""
        self.attributes: dict[str, str] = {}
        self.children: list[Element] = []

    def all(self, path: str) -> list["Element"]:
        """Give the elements under a path of names."""
        found = [self]
        for name in path.split("/"):
            found = [child for element in found for child in element.children if child.name == name]
        return found

    def first(self, *paths: str) -> str | None:
        """Give the first text that stands under one of some paths."""
        for path in paths:
            for element in self.all(path):
                if text := element.text.strip():
                    return text
        return None

    def anywhere(self, name: str) -> str | None:
        """Give the first text of an element of a name, however deep."""
        for child in self.children:
            found = child.text.strip() if child.name == name else child.anywhere(name)
            if found:
                return found
        return None


def entries(source: Stream) -> Iterator[Entry]:
    """Give the entries of all statements; the transactions of a batch one by one where they have amounts.

    Raises ``InvalidInput`` when the XML is not well-formed or declares a document type.
    """
    document = _Document()
    try:
        while part := source.read(BLOCK_BYTES):
            document.parser.Parse(part, False)  # noqa: FBT003 - expat's own signature
            yield from document.taken()
        document.parser.Parse(b"", True)  # noqa: FBT003 - the same
    except expat.ExpatError as error:
        raise InvalidInput(f"line {error.lineno} is no XML: {expat.errors.messages[error.code]}") from error
    yield from document.taken()


class _Document:
    """Collects entries as the parser meets them."""

    def __init__(self) -> None:
        self.parser: Any = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.StartElementHandler = self._begin
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self._path: list[str] = []
        self._open: list[Element] = []
        self._size = 0
        self._account: dict[str, str] = {}
        self._found: list[Entry] = []

    def taken(self) -> list[Entry]:
        """Give what was found since the last time."""
        found, self._found = self._found, []
        return found

    @staticmethod
    def _refuse(*_: object) -> None:
        raise InvalidInput("the XML declares a document type, which statements have no use for")

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(" ")[2]
        self._path.append(local)
        if len(self._path) > DEEPEST:
            raise InvalidInput(f"the XML is more than {DEEPEST} elements deep")
        if local in {"Stmt", "Rpt", "Ntfctn"}:
            self._account = {}
        if local == "Ntry" or self._open:
            element = Element(local, self.parser.CurrentLineNumber)
            element.attributes = attributes
            if self._open:
                self._open[-1].children.append(element)
            self._open.append(element)

    def _text(self, text: str) -> None:
        if self._open:
            self._size += len(text)
            if self._size > LONGEST_ENTRY:
                raise InvalidInput(f"an entry has more than {LONGEST_ENTRY:,} characters")
            self._open[-1].text += text
        elif (key := ACCOUNT.get("/".join(self._path[-4:]))) or (key := ACCOUNT.get("/".join(self._path[-3:]))):
            self._account[key] = self._account.get(key, "") + text.strip()

    def _end(self, _: str) -> None:
        self._path.pop()
        if not self._open:
            return
        element = self._open.pop()
        if not self._open:
            self._size = 0
            self._found += _entries_of(element, self._account)


def _entries_of(entry: Element, account: dict[str, str]) -> Iterator[Entry]:
    """Give one entry, or the transactions of a batch."""
    status = entry.first("Sts/Cd", "Sts") or "BOOK"
    amount = entry.all("Amt")
    if status != "BOOK":
        yield Entry(line=entry.line, fault=f"is not booked, its status is {status}", value=_shown(entry))
        return
    if not amount or not _is_amount(amount[0].text):
        yield Entry(line=entry.line, fault="has no amount", value=_shown(entry))
        return
    parts = entry.all("NtryDtls/TxDtls")
    singly = len(parts) > 1 and all(_own_amount(part) is not None for part in parts)
    for number, part in enumerate(parts if singly else parts[:1] or [Element("TxDtls", entry.line)], 1):
        found = _entry(entry, part, account, (_own_amount(part) if singly else None) or amount[0])
        if singly and found.id and not part.first("Refs/AcctSvcrRef"):
            found.id = f"{found.id}-{number}"
        yield found


def _entry(entry: Element, part: Element, account: dict[str, str], amount: Element) -> Entry:
    direction = part.first("CdtDbtInd") or entry.first("CdtDbtInd")
    if direction not in {"DBIT", "CRDT"}:
        return Entry(line=entry.line, fault=f"CdtDbtInd is {direction!r}, neither DBIT nor CRDT", value=_shown(entry))
    other = "Cdtr" if direction == "DBIT" else "Dbtr"
    name = part.first(f"RltdPties/{other}/Pty/Nm", f"RltdPties/{other}/Nm", f"RltdPties/Ultmt{other}/Pty/Nm", f"RltdPties/Ultmt{other}/Nm")
    said = " ".join(element.text.strip() for element in part.all("RmtInf/Ustrd")) or part.first("AddtlTxInf") or entry.first("AddtlNtryInf")
    day = entry.first("BookgDt/Dt", "BookgDt/DtTm", "ValDt/Dt", "ValDt/DtTm")
    return Entry(
        line=part.line,
        id=part.first("Refs/AcctSvcrRef") or entry.first("AcctSvcrRef", "NtryRef"),
        descriptor=descriptor_of(name, said) or entry.anywhere("Prtry") or entry.anywhere("SubFmlyCd"),
        amount=amount.text.strip(),
        currency=amount.attributes.get("Ccy") or account.get("Ccy"),
        direction="debit" if direction == "DBIT" else "credit",
        booked_at=day,
        mcc=part.anywhere("MrchntCtgyCd") or entry.anywhere("MrchntCtgyCd"),
        country=part.first(f"RltdPties/{other}/Pty/PstlAdr/Ctry", f"RltdPties/{other}/PstlAdr/Ctry"),
        account_id=account.get("Id"),
    )


def _own_amount(part: Element) -> Element | None:
    """Give the amount of one transaction of a batch, in the account's currency where both are told."""
    for path in ("Amt", "AmtDtls/TxAmt/Amt"):
        if found := part.all(path):
            return found[0] if _is_amount(found[0].text) else None
    return None


def _is_amount(text: str) -> bool:
    whole, _, fraction = text.strip().partition(".")
    return (whole + fraction).isdecimal()


def _shown(entry: Element) -> str:
    return " ".join(filter(None, (_words(entry),)))[:200]


def _words(element: Element) -> str:
    return " ".join(word for word in (element.text.strip(), *(_words(child) for child in element.children)) if word)
