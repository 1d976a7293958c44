"""A dataset's declaration: its table, its key, its columns and how the columns are known in files."""

import re
import tomllib
from typing import Literal

import msgspec

from rayapp.errors import InvalidSetup

ColumnType = Literal["text", "integer", "decimal", "boolean", "date", "instant", "currency", "country", "json"]

NAME = re.compile(r"^[a-z][a-z0-9_]{0,50}$")
TABLE = re.compile(r"^[a-z][a-z0-9_]{0,50}\.[a-z][a-z0-9_]{0,50}$")
UNFIT_FOR_KEYS = frozenset({"json", "decimal"})

VERSION = "version"
"""Column that every table has beside the declared ones; it says which upload a row's values came from."""


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One column. ``names`` are other header names that it is known by, in lower case."""

    name: str
    type: ColumnType
    needed: bool = False
    """A row without a value is bad, and a file without the column is refused."""
    names: tuple[str, ...] = ()
    description: str = ""
    default: str | None = None
    """Stands where a row has no value, as it would stand in a file."""


class Dataset(msgspec.Struct, frozen=True):
    """What can be loaded: rows of ``table``, of which each ``key`` is there once.

    Where a key comes again, the later row of the later upload wins. ``decides``: its rows are classified while they are loaded.
    """

    name: str
    table: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    decides: bool = False
    description: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names, in the order of the declaration."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """Give a column by its name; raises ``KeyError``."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A declaration as it is written."""

    name: str
    table: str
    key: tuple[str, ...]
    column: tuple[Column, ...]
    decides: bool = False
    description: str = ""


def read_declaration(text: str, where: str) -> Dataset:
    """Read one declaration; raises ``InvalidSetup`` that names ``where`` and every fault."""
    try:
        file = msgspec.convert(tomllib.loads(text), _File)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise InvalidSetup(f"dataset {where}: {error}") from error
    declared = Dataset(file.name, file.table, file.key, file.column, file.decides, file.description)
    if faults := _faults(declared):
        raise InvalidSetup.of(f"dataset {where}", faults)
    return declared


def _faults(declared: Dataset) -> list[str]:
    faults = [f"{name!r} is not a name: lower-case letters, digits, _" for name in (declared.name, *declared.names) if not NAME.match(name)]
    if not TABLE.match(declared.table):
        faults.append(f"table {declared.table!r} is not of the form schema.table")
    if not declared.key:
        faults.append("key is empty")
    faults += [f"column {name!r} is declared twice" for name in sorted({n for n in declared.names if declared.names.count(n) > 1})]
    if VERSION in declared.names:
        faults.append(f"a column cannot be called {VERSION!r}: every table has one of that name")
    faults += [f"key column {name!r} is not declared" for name in declared.key if name not in declared.names]
    for column in declared.columns:
        faults += _column_faults(column, is_key=column.name in declared.key)
    return faults + _ambiguous(declared)


def _column_faults(column: Column, *, is_key: bool) -> list[str]:
    faults = [f"column {column.name!r}: other name {name!r} is not in lower case" for name in column.names if name != name.lower()]
    if is_key and column.type in UNFIT_FOR_KEYS:
        faults.append(f"key column {column.name!r} is {column.type}")
    if is_key and not column.needed and column.default is None:
        faults.append(f"key column {column.name!r} is neither needed nor has it a default")
    if column.needed and column.default is not None:
        faults.append(f"column {column.name!r} is needed and has a default: one or the other")
    return faults


def _ambiguous(declared: Dataset) -> list[str]:
    owners: dict[str, set[str]] = {}
    for column in declared.columns:
        for name in (column.name, *column.names):
            owners.setdefault(name, set()).add(column.name)
    return [f"the header name {name!r} is claimed by {', '.join(sorted(who))}" for name, who in owners.items() if len(who) > 1]
