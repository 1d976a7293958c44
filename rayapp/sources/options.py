"""What a person can say about a source: in words of the command line, and in a mapping file.

A mapping file is TOML. All of it is optional, and what it does not say is inferred::

    encoding = "cp1252"            # of CSV and JSON lines
    delimiter = ";"
    header = 8                     # the line with the columns' names; false when there is none: columns are then called "1", "2", ...
    decimal = ","                  # the decimal mark of all numbers
    dates = "DD.MM.YYYY"           # the format of all dates
    sign = "positive is debit"     # or "negative is debit", or "none": which direction an amount's sign means
    id = ["Buchungstag", "Betrag"] # fields that a missing id is made of; "row" for the row's place in the source

    [columns]
    descriptor = ["Empfänger", "Verwendungszweck"]
    amount = { debit = "Soll", credit = "Haben" }
    booked_at = { field = "Wertstellung", dates = "DD.MM.YY" }
    user_id = false                # not loaded

    [constants]
    currency = "EUR"

    [directions]
    debit = ["belastet"]
    credit = ["gutgeschrieben"]
"""

import tomllib
from pathlib import Path
from typing import Literal

import msgspec

from rayapp.errors import InvalidInput
from rayapp.sources.dates import pattern
from rayapp.sources.encoding import known
from rayapp.sources.mapping import Sign
from rayapp.sources.tiers import Tier

Decimal = Literal[".", ","]


class Given(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a mapping file says of one column."""

    field: str | list[str] = ""
    debit: str = ""
    credit: str = ""
    decimal: Decimal | None = None
    dates: str | None = None


class _Directions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    debit: list[str] = []
    credit: list[str] = []


class MappingFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mapping file as it is written, see the module."""

    encoding: str | None = None
    delimiter: str | None = None
    header: bool | int = True
    decimal: Decimal | None = None
    dates: str | None = None
    sign: Sign | None = None
    id: str | list[str] | None = None
    columns: dict[str, str | list[str] | bool | Given] = {}
    constants: dict[str, str | int | float | bool] = {}
    directions: _Directions = _Directions()

    def given(self, column: str) -> Given | None:
        """Say what is given for a column, ``None`` when nothing is."""
        said = self.columns.get(column)
        return Given(field=said) if isinstance(said, str | list) else said if isinstance(said, Given) else None

    def header_line(self) -> int | None:
        """Give the line of the header from one on, 0 for none, ``None`` when it is to be found."""
        return None if self.header is True else int(self.header)


class SourceOptions(msgspec.Struct, frozen=True):
    """What the command line says about a source. ``tier`` has it cut as an earlier load was; else its rows decide."""

    mapping: MappingFile = MappingFile()
    encoding: str | None = None
    delimiter: str | None = None
    tier: Tier | None = None
    constants: dict[str, str] = {}

    def settled(self) -> MappingFile:
        """Give the mapping file with what the command line says laid over it."""
        laid = {name: value for name in ("encoding", "delimiter") if (value := getattr(self, name)) is not None}
        return msgspec.structs.replace(self.mapping, constants={**self.mapping.constants, **self.constants}, **laid)


def read_mapping_file(path: Path) -> MappingFile:
    """Read a mapping file; raises ``InvalidInput`` that names what is wrong in it."""
    try:
        file = msgspec.convert(tomllib.loads(path.read_text("utf-8")), MappingFile)
        _check(file)
    except OSError as error:
        raise InvalidInput(f"cannot read the mapping file {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError, ValueError) as error:
        raise InvalidInput(f"mapping file {path}: {error}") from error
    return file


def _check(file: MappingFile) -> None:
    """Raise ``ValueError`` or ``InvalidInput`` on what TOML's types cannot tell."""
    if file.encoding is not None:
        known(file.encoding)
    if file.delimiter is not None and (len(file.delimiter) != 1 or not file.delimiter.isascii() or file.delimiter in '"\r\n'):
        raise ValueError(f"delimiter {file.delimiter!r} is not one ASCII character")
    for form in (file.dates, *(given.dates for given in file.columns.values() if isinstance(given, Given))):
        if form is not None:
            pattern(form)
    for column, said in file.columns.items():
        if said is True or (isinstance(said, Given) and bool(said.field) == bool(said.debit or said.credit)):
            raise ValueError(f"columns.{column}: a field's name, several in a list, false, or a table with field, or with debit and credit")
    if int(file.header) < 0:
        raise ValueError("header is a line from 1 on, or false")
