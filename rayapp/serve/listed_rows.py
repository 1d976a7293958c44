"""The rows of a JSON body, ``{"transactions": [...]}``, cut out one by one as the body comes: in bounded memory, whatever its size.

A row is cut out as it is written and not looked into; it is decided, or refused, where it is read. Other fields are passed over.
"""

import codecs
import json
from collections.abc import Iterator
from typing import Any, Literal

from rayapp.serve.problems import MalformedBody, Place

ROWS, IDS = "transactions", "transaction_ids"
LISTS = {ROWS, IDS}
LONGEST = 100_000
"""Characters that a row, or a field that is passed over, may have."""

BLANK = " \t\n\r"
AFTER_VALUE = {*BLANK, ",", "]", "}"}

State = Literal["start", "key", "value", "first row", "row", "after row", "after value", "end"]
SIGNS: dict[State, dict[str, State]] = {
    "start": {"{": "key"},
    "after value": {",": "key", "}": "end"},
    "after row": {",": "row", "]": "after value"},
    "end": {},
}
"""Where a sign must stand, which one, and what comes then."""

Token = tuple[Any, int]
"""A value, and where its text ends."""


class ListCutter:
    """Cuts one body."""

    def __init__(self) -> None:
        """Begin before the body."""
        self.found: set[str] = set()
        """The lists that there are."""
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._scan = json.JSONDecoder().raw_decode
        self._text = ""
        self._place = 0
        self._state: State = "start"
        self._field = ""
        self._rows = 0

    def feed(self, piece: bytes, *, end: bool = False) -> Iterator[tuple[str, str]]:
        """Take the next piece; gives the rows that it completes, each with the name of its list. Raises ``MalformedBody``."""
        try:
            self._text = self._text[self._place :] + self._decoder.decode(piece, end)
        except UnicodeDecodeError as error:
            raise self._bad("is not UTF-8") from error
        self._place = 0
        while (row := self._step(end=end)) is not None:
            if row:
                yield self._field, row
        if len(self._text) - self._place > LONGEST and not end:
            raise self._bad(f"is no JSON, or longer than {LONGEST:,} characters")

    def end(self) -> Iterator[tuple[str, str]]:
        """Say that this was all; raises ``MalformedBody`` when it was not."""
        yield from self.feed(b"", end=True)
        if self._state != "end":
            raise self._bad("breaks off or is no JSON")
        if not self.found:
            raise MalformedBody("the body needs `transactions` or `transaction_ids`", [Place("#", "a list of rows is needed")])

    def _step(self, *, end: bool) -> str | None:
        """Go past one sign or value; gives a row, nothing, or ``None`` where more of the body is needed."""
        text = self._text
        while self._place < len(text) and text[self._place] in BLANK:
            self._place += 1
        if self._place == len(text):
            return None
        sign = text[self._place]
        if self._state in SIGNS:
            return self._sign(sign, SIGNS[self._state])
        if self._state == "key":
            return self._key(sign, end=end)
        if self._state == "first row" and sign == "]":
            return self._sign(sign, SIGNS["after row"])
        if self._state == "value" and sign == "[" and self._field in LISTS:
            self.found.add(self._field)
            return self._sign(sign, {"[": "first row"})
        return self._value(end=end)

    def _sign(self, sign: str, following: dict[str, State]) -> str:
        if sign not in following:
            raise self._bad(f"has {sign!r} where {' or '.join(map(repr, following)) or 'its end'} is needed")
        self._state = following[sign]
        self._place += 1
        return ""

    def _key(self, sign: str, *, end: bool) -> str | None:
        if sign == "}":
            return self._sign(sign, {"}": "end"})
        token = self._scanned(end=end)
        if token is None:
            return None
        colon = token[1]
        while colon < len(self._text) and self._text[colon] in BLANK:
            colon += 1
        if colon == len(self._text):
            return None
        self._place = colon
        if not isinstance(token[0], str):
            raise self._bad("has a field without a name")
        self._field, self._rows = token[0], 0
        return self._sign(self._text[colon], {":": "value"})

    def _value(self, *, end: bool) -> str | None:
        """Go past a row, or a field that is none of ours; a sign must follow, since a number may go on in the next piece."""
        token = self._scanned(end=end)
        if token is None or (not end and self._text[token[1] : token[1] + 1] not in AFTER_VALUE):
            return None
        value, after = token
        row = self._text[self._place : after]
        if self._state == "value":
            if self._field in LISTS and value is not None:
                raise MalformedBody(f"$.{self._field}: is no list", [Place(f"#/{self._field}", "is no list")])
            row = ""
        elif self._field == IDS and not isinstance(value, str):
            raise self._bad("is no text")
        self._state = "after value" if self._state == "value" else "after row"
        self._rows += bool(row)
        self._place = after
        return row

    def _scanned(self, *, end: bool) -> Token | None:
        """Read the value that begins here; ``None`` while it may only be incomplete."""
        try:
            return self._scan(self._text, self._place)
        except RecursionError as error:
            raise self._bad("is nested too deeply") from error
        except ValueError as error:
            if end:
                raise self._bad("breaks off or is no JSON") from error
            return None

    def _bad(self, what: str) -> MalformedBody:
        inside = self._field in LISTS and self._state in {"first row", "row", "after row"}
        path, pointer = (f"$.{self._field}[{self._rows}]", f"#/{self._field}/{self._rows}") if inside else ("$", "#")
        return MalformedBody(f"{path}: {what}", [Place(pointer, f"{path}: {what}")])
