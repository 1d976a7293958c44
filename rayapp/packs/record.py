"""One record of a pack, a TOML table or a CSV row: its values are taken by name and type, and each wrong one becomes a fault."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar

from rayapp.packs.faults import MAX_BITS, Faults, quoted
from rayapp.packs.source import Place
from rayapp.packs.toml_lines import TomlLines

Choice = TypeVar("Choice", bound=str)

MAX_TEXT = 2_000
MAX_DESCRIPTOR = 512
MAX_AMOUNT = Decimal(10) ** 12
AMOUNT_DECIMALS = 6
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NUMBER = re.compile(r"[+-]?[0-9]{1,20}(?:\.[0-9]{1,20})?")
_MCC = re.compile(r"([0-9]{4})(?:-([0-9]{4}))?")


class Record:
    """Named values with their places. A missing or wrong value gives a fault and a harmless stand-in, so that reading goes on."""

    def __init__(self, values: Mapping[str, object], file: str, faults: Faults, line: int) -> None:
        """Take the values of a record that begins on ``line`` of ``file``."""
        self.values = values
        self.file = file
        self.faults = faults
        self._line = line

    @property
    def place(self) -> Place:
        """Give the place of the record itself."""
        return Place(self.file, self._line)

    def place_of(self, *path: str | int) -> Place:
        """Give the place of a value, or of an item of it; a row has all its values on its own line."""
        del path
        return self.place

    def wrong(self, name: str, message: str, suggestion: str = "") -> None:
        """Add a fault at the place of the value ``name``."""
        self.faults.error(self.place_of(name), f"{name}: {message}", suggestion)

    def refuse_others(self, known: Iterable[str]) -> None:
        """Add a fault for each value whose name is not known."""
        names = set(known)
        for name in self.values:
            if name not in names:
                self.faults.error(self.place_of(name), f"unknown key {quoted(name)}", self.faults.closest(name, sorted(names)))

    def has(self, name: str) -> bool:
        """Say whether there is a value that is not an empty string."""
        return self.values.get(name, "") != ""

    def text(self, name: str, *, needed: bool = False) -> str:
        """Take one line of text, trimmed; empty where there is none."""
        value = self.values.get(name, "")
        if not isinstance(value, str):
            self.wrong(name, f"must be text, and is {quoted(value)}", "write it between quotes")
            return ""
        if needed and not value.strip():
            self.wrong(name, "is missing")
        return self.checked_text(value, name)

    def checked_text(self, value: str, name: str, *path: str | int) -> str:
        """Trim a text of the value ``name`` (the item at ``path`` of it), refusing what no pack has reason to hold."""
        bad = _CONTROL.search(value)
        if bad:
            self.faults.error(self.place_of(name, *path), f"{name}: control character {quoted(bad.group())}")
        if len(value) > MAX_TEXT:
            self.faults.error(self.place_of(name, *path), f"{name}: {len(value):,} characters, and the most is {MAX_TEXT:,}")
            return ""
        return value.strip()

    def choice(self, name: str, known: tuple[Choice, ...], default: Choice | None = None) -> Choice:
        """Take one of a few words; without a default the value is needed."""
        value = self.text(name, needed=default is None)
        if value in known:
            return value
        if not value and default is not None:
            return default
        if value:
            self.wrong(name, f"{quoted(value)} is not known", self.faults.one_of(value, [choice for choice in known if choice]))
        return default if default is not None else known[0]

    def number(self, name: str, default: float, low: float = 0.0, high: float = 1.0) -> float:
        """Take a finite number between ``low`` and ``high``."""
        found = self._decimal(name) if self.has(name) else None
        if found is None:
            return default
        if not low <= found <= high:
            self.wrong(name, f"{found} is not between {low:g} and {high:g}")
            return default
        return float(found)

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        """Take a whole number between ``low`` and ``high``."""
        found = self.number(name, default, low, high)
        if found != int(found):
            self.wrong(name, f"{found:g} is not a whole number")
        return int(found)

    def amount(self, name: str) -> Decimal | None:
        """Take an amount of money without its sign, or ``None`` where there is none."""
        found = self._decimal(name) if self.has(name) else None
        if found is None:
            return None
        if not 0 <= found < MAX_AMOUNT:
            self.wrong(name, f"{quoted(found)} is not between 0 and {MAX_AMOUNT:,}", "amounts are written without a sign")
            return None
        if found != round(found, AMOUNT_DECIMALS):
            self.wrong(name, f"{quoted(found)} has more than {AMOUNT_DECIMALS} decimals")
            return None
        return found

    def _decimal(self, name: str) -> Decimal | None:
        """Read a number, written as one or as text; a fault and ``None`` for what is not a finite one."""
        found = _number(self.values[name])
        if found is None:
            self.wrong(name, f"{quoted(self.values[name])} is not a finite number", "write it like 0.85, with a point")
        return found

    def day(self, name: str) -> date | None:
        """Take a date, written as a TOML date or as ISO 8601 text; ``None`` where there is none."""
        value = self.values.get(name)
        if isinstance(value, datetime):
            return value.date()
        if value is None or isinstance(value, date):
            return value
        try:
            return datetime.fromisoformat(str(value)).date()
        except ValueError:
            self.wrong(name, f"{quoted(value)} is not a date", "write it like 2024-01-31")
            return None

    def code(self, name: str, known: frozenset[str]) -> str | None:
        """Take a country or currency code, or ``None`` where there is none."""
        found = self.text(name)
        if found and found not in known:
            self.wrong(name, f"unknown code {quoted(found)}", self.faults.code(found, known))
        return found or None

    def mcc(self, value: object, name: str, *path: str | int) -> tuple[int, int] | None:
        """Read one MCC or a range of them, ``"5411"`` or ``"5300-5399"``."""
        match = _MCC.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            message = f"{name}: {quoted(value)} is not a merchant category code"
            self.faults.error(self.place_of(name, *path), message, 'write four digits, "5411", or a range, "5300-5399"')
            return None
        first, last = int(match[1]), int(match[2] or match[1])
        if first > last:
            self.faults.error(self.place_of(name, *path), f"{name}: the range {value} is reversed", f'"{last:04}-{first:04}"')
            return None
        return first, last


def _number(value: object) -> Decimal | None:
    """Give the number that a TOML value or a CSV text is; ``None`` where it is none, infinite or not a number."""
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return Decimal(value.strip())
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() <= MAX_BITS:
        return Decimal(value)
    return value if isinstance(value, Decimal) and value.is_finite() else None


class Table(Record):
    """A TOML table at a path of its document."""

    def __init__(self, values: object, file: str, faults: Faults, lines: TomlLines, path: tuple[str | int, ...] = ()) -> None:
        """Take the values at ``path`` of the document that ``lines`` follows; a fault where they are not a table."""
        super().__init__(values if isinstance(values, dict) else {}, file, faults, lines.line(*path))
        self._lines = lines
        self._path = path
        if not isinstance(values, dict):
            faults.error(self.place, f"{path[-1] if path else 'the document'}: must be a table, and is {quoted(values)}")

    def place_of(self, *path: str | int) -> Place:
        """Give the place of a value, or of an item of it."""
        return Place(self.file, self._lines.line(*self._path, *path))

    def table(self, name: str) -> "Table":
        """Take a table inside this one; an empty one where there is none."""
        return Table(self.values.get(name, {}), self.file, self.faults, self._lines, (*self._path, name))

    def tables(self, name: str) -> list["Table"]:
        """Take an array of tables."""
        return [Table(item, self.file, self.faults, self._lines, (*self._path, name, index)) for index, item in enumerate(self.items(name))]

    def item(self, name: str, index: int) -> "Table":
        """Take the item at ``index`` of an array as a table."""
        items = self.items(name)
        return Table(items[index], self.file, self.faults, self._lines, (*self._path, name, index))

    def items(self, name: str) -> list[object]:
        """Take an array; empty where there is none."""
        value = self.values.get(name, [])
        if not isinstance(value, list):
            self.wrong(name, f"must be a list, and is {quoted(value)}", f"write [{quoted(value)}]" if isinstance(value, str) else "")
            return []
        return value

    def texts(self, name: str) -> list[tuple[str, Place]]:
        """Take an array of texts that are not empty, untrimmed, each with its place."""
        found: list[tuple[str, Place]] = []
        for index, item in enumerate(self.items(name)):
            place = self.place_of(name, index)
            if not isinstance(item, str) or not item.strip():
                self.faults.error(place, f"{name}: must hold texts, and one is {quoted(item)}")
            elif self.checked_text(item, name, index):
                found.append((item, place))
        return found

    def flag(self, name: str) -> bool:
        """Take true or false; false where there is neither."""
        value = self.values.get(name, False)
        if not isinstance(value, bool):
            self.wrong(name, f"must be true or false, and is {quoted(value)}", "without quotes")
            return False
        return value
