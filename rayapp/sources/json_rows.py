"""JSON lines as a table of transactions; a bad line is named and its neighbours are kept."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import pyarrow as pa

Scalar = str | int | float | bool | None


class JsonRow(msgspec.Struct):
    """One line: the fields of a transaction, each a text or a number; other fields are ignored."""

    id: Scalar = None
    descriptor: str | None = None
    amount: str | int | float | None = None
    currency: str | None = None
    direction: str | None = None
    mcc: str | int | None = None
    country: str | None = None
    booked_at: str | None = None
    account_id: Scalar = None
    user_id: Scalar = None


class JsonRows(NamedTuple):
    """What was read: good rows in order, the places of blank lines, and what is wrong with each bad line by its place."""

    table: pa.Table
    blank: list[int]
    bad: dict[int, str]


DECODER = msgspec.json.Decoder(JsonRow)


def read_lines(lines: Sequence[bytes]) -> JsonRows:
    """Read lines, each of which holds an object or nothing."""
    rows: list[JsonRow] = []
    blank: list[int] = []
    bad: dict[int, str] = {}
    for place, line in enumerate(lines):
        if not line.strip():
            blank.append(place)
            continue
        try:
            rows.append(DECODER.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            bad[place] = str(error)
    columns = {name: pa.array([_text(getattr(row, name)) for row in rows], pa.string()) for name in JsonRow.__struct_fields__}
    return JsonRows(pa.table(columns), blank, bad)


def _text(value: Scalar) -> str | None:
    return value if value is None or isinstance(value, str) else str(value)
