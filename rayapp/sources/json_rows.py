"""Rows of JSON lines as a table of text; a bad line is named and its neighbours are kept."""

from collections.abc import Collection, Mapping
from typing import Any, Literal

import msgspec
import pyarrow as pa

from rayapp.sources.blocks import Block, Unread, without
from rayapp.sources.encoding import recoded
from rayapp.sources.mapping import plain
from rayapp.sources.row_cuts import Cut

Kind = Literal["text", "scalar", "number", "json"]
"""What a field may hold: a text; a text, number or truth value; a number or a text that is one; anything."""

TYPES: dict[Kind, Any] = {
    "text": str | None,
    "scalar": str | int | float | bool | None,
    "number": msgspec.Raw,
    "json": msgspec.Raw,
}
SHOWN = 200
SAMPLED = 2000
"""Lines of a sample that are looked at."""


def keys_in(sample: bytes) -> tuple[str, ...]:
    """Give the keys of a sample's lines, in the order in which they come first; lines that cannot be read have none."""
    keys: dict[str, str] = {}
    for line in sample.split(b"\n")[:SAMPLED]:
        try:
            found = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue
        for key in found:
            keys.setdefault(plain(key), key)
    return tuple(keys.values())


class JsonRows:
    """Reads cuts of JSON lines; ``kinds`` are the fields that are kept, by their plain names."""

    def __init__(self, keys: Collection[str], kinds: Mapping[str, Kind], encoding: str = "utf-8") -> None:
        """Take the keys as they are printed."""
        wanted = {plain(key): key for key in reversed(tuple(keys)) if plain(key) in kinds}
        self._fields = tuple(wanted)
        self._kinds = [kinds[field] for field in wanted]
        names = [f"field_{number}" for number in range(len(wanted))]
        defaults = [msgspec.Raw(b"null") if kind in {"number", "json"} else None for kind in self._kinds]
        shape = [(name, TYPES[kind], default) for name, kind, default in zip(names, self._kinds, defaults, strict=True)]
        row = msgspec.defstruct("JsonRow", shape, rename=dict(zip(names, wanted.values(), strict=True)), gc=False)
        self._decoder = msgspec.json.Decoder(row)
        self._encoding = encoding

    def read(self, cut: Cut, first: int) -> Block:
        """Read whole lines, of which the first is row ``first``; blank ones are none."""
        if cut.fault:
            begin = cut.content[:SHOWN].decode("utf-8", "replace")
            return Block(self._table([]), [], (Unread(first, cut.fault, "", begin),))
        rows: list[tuple[str | None, ...]] = []
        missing: set[int] = set()
        bad: list[Unread] = []
        lines = recoded(cut.content, self._encoding).removesuffix(b"\n").split(b"\n")
        for place, line in enumerate(lines, first):
            if not line.strip():
                missing.add(place)
                continue
            try:
                rows.append(self._row(line))
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                missing.add(place)
                bad.append(Unread(place, str(error), "", line[:SHOWN].decode("utf-8", "replace")))
        return Block(self._table(rows), without(first, len(lines), missing), tuple(bad))

    def _row(self, line: bytes) -> tuple[str | None, ...]:
        values = msgspec.structs.astuple(self._decoder.decode(line))
        return tuple([_text(value, kind) for value, kind in zip(values, self._kinds, strict=True)])

    def _table(self, rows: list[tuple[str | None, ...]]) -> pa.Table:
        columns = zip(*rows, strict=True) if rows else [()] * len(self._fields)
        return pa.table({field: pa.array(values, pa.string()) for field, values in zip(self._fields, columns, strict=True)})


def _text(value: Any, kind: Kind) -> str | None:  # noqa: ANN401 - whatever the decoder lets through
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, msgspec.Raw):
        return _raw(bytes(value), kind)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _raw(value: bytes, kind: Kind) -> str | None:
    """Give a number as it is written, without a detour over binary fractions; JSON as it stands there, a text as its content."""
    if value == b"null":
        return None
    if value[:1] == b'"':
        return msgspec.json.decode(value, type=str)
    if kind == "number" and value[:1] not in b"-0123456789":
        raise msgspec.ValidationError(f"Expected `number`, got {value[:SHOWN].decode()}")
    return value.decode()
