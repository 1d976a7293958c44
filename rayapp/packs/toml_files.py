"""The TOML files of a pack: ``pack.toml``, which says what the pack is and how evidence adds up, and the parser for them all."""

import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal

import msgspec

from rayapp.packs.faults import Faults, quoted
from rayapp.packs.record import Table
from rayapp.packs.source import Combine, Levels, Place, Thresholds, Weights
from rayapp.packs.toml_lines import TomlLines

COMBINES: tuple[Combine, ...] = ("strongest", "sum")
MAX_KEY_PARTS = 32
"""The parser's time grows with the square of the parts of a dotted key."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_AT_LINE = re.compile(r" \(at line (\d+), column (\d+)\)$")
_LONG_KEY = re.compile(rf"""(?:\.[ \t]*(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')[ \t]*){{{MAX_KEY_PARTS}}}""")


Numbers = Mapping[str, float]


class Head(msgspec.Struct, frozen=True):
    """What ``pack.toml`` says; of weights, levels and thresholds those that it gives.

    ``without_rules`` and ``without_merchants`` are ids of the extended pack that are left out.
    """

    name: str
    version: str
    place: Place
    extends: str | None = None
    combine: Combine | None = None
    learned_first: bool | None = None
    weights: Numbers = {}
    levels: Numbers = {}
    thresholds: Numbers = {}
    without_rules: tuple[tuple[str, Place], ...] = ()
    without_merchants: tuple[tuple[str, Place], ...] = ()


def parse(document: str, file: str, faults: Faults) -> Table | None:
    """Parse a TOML document; a fault with its line, and ``None``, where it is not TOML."""
    long_key = _LONG_KEY.search(document)
    if long_key:
        faults.error(Place(file, document.count("\n", 0, long_key.start()) + 1), f"a key of more than {MAX_KEY_PARTS} parts")
        return None
    try:
        return Table(tomllib.loads(document, parse_float=Decimal), file, faults, TomlLines(document))
    except tomllib.TOMLDecodeError as error:
        faults.error(*_explained(str(error), document, file))
    except (ValueError, ArithmeticError) as error:
        faults.error(Place(file, 1), f"not TOML that can be read: {error}")
    except RecursionError:
        faults.error(Place(file, 1), "brackets are nested too deep")
    return None


def _explained(message: str, document: str, file: str) -> tuple[Place, str, str]:
    """Turn the parser's message into a place, a message and a suggestion."""
    found = _AT_LINE.search(message)
    line = int(found[1]) if found else document.count("\n") + 1
    text = document.split("\n")[line - 1]
    regex = "\\" in text and '"' in text and "escape" in message.lower()
    hint = "write patterns between single quotes, where a backslash is just a backslash" if regex else ""
    return Place(file, line), f"not TOML: {_AT_LINE.sub('', message)}", hint


def read_head(table: Table) -> Head:
    """Read ``pack.toml``."""
    table.refuse_others(("name", "version", "extends", "combine", "learned_first", "weights", "levels", "thresholds", "without"))
    name = table.text("name", needed=True)
    if name and not _NAME.fullmatch(name):
        table.wrong("name", f"{quoted(name)} is not a name", "letters, digits, dot, dash and underscore, at most 64")
    extends = table.text("extends") or None
    if extends not in (None, "default"):
        table.wrong("extends", f"{quoted(extends)} is not a pack that can be extended", "'default' is the only one")
    without = table.table("without")
    without.refuse_others(("rules", "merchants"))
    return Head(
        name=name or "unnamed",
        version=table.text("version", needed=True),
        place=table.place_of("extends"),
        extends="default" if extends else None,
        combine=table.choice("combine", COMBINES) if table.has("combine") else None,
        learned_first=table.flag("learned_first") if "learned_first" in table.values else None,
        weights=_numbers(table, "weights", Weights),
        levels=_numbers(table, "levels", Levels),
        thresholds=_numbers(table, "thresholds", Thresholds),
        without_rules=tuple(without.texts("rules")),
        without_merchants=tuple(without.texts("merchants")),
    )


def _numbers(table: Table, name: str, kind: type[Weights | Levels | Thresholds]) -> Numbers:
    """Read the numbers 0..1 of a table whose names are those of ``kind``."""
    inner = table.table(name)
    inner.refuse_others(kind.__struct_fields__)
    return {field: inner.number(field, 0.0) for field in kind.__struct_fields__ if field in inner.values}
