"""Request bodies: bytes become transactions, and an error names its place, such as ``$.transactions[3].currency``.

A body is decoded as a whole. Where that fails in one of its rows each row is decoded alone, so that a bad row costs its neighbours nothing.
"""

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

import msgspec

from rayapp.scoring.transaction import Transaction
from rayapp.serve.problems import ELSEWHERE, BodyTooLarge, MalformedBody, Place, UnsupportedBody

MAX_ROWS = 20_000
MAX_BYTES = 20_000_000
MAX_ONE_BYTES = 100_000
"""Of a body with one transaction."""


class Bulk(msgspec.Struct, omit_defaults=True):
    """The body of ``POST /classify/bulk``: transactions, or the ids of stored ones."""

    transactions: list[Transaction] | None = None
    transaction_ids: list[str] | None = None


class RawBulk(msgspec.Struct):
    """The first before its rows are looked at."""

    transactions: list[msgspec.Raw]


class Named(msgspec.Struct):
    """What is read of a bad row, so that its answer carries its id."""

    id: str | None = None


class BadRow(NamedTuple):
    """A row that is no transaction: its id if that could be read, and what is wrong, with its place in the body."""

    id: str | None
    places: tuple[Place, ...]


Row = Transaction | BadRow


class Stored(NamedTuple):
    """Ids of transactions that are to be read from the database."""

    ids: list[str]


BAD_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What a decoder raises; the last where arrays or objects stand in one another deeper than the interpreter goes, about a thousand."""

ONE = msgspec.json.Decoder(Transaction)
BULK = msgspec.json.Decoder(Bulk)
RAW_BULK = msgspec.json.Decoder(RawBulk)
NAMED = msgspec.json.Decoder(Named)

FORM = b"application/x-www-form-urlencoded"
"""What curl says where nothing is told to it."""

JSON_TYPES = frozenset({b"application/json"})
LINE_TYPES = frozenset({b"application/x-ndjson", b"application/jsonl", b"application/json"})

_PATH = re.compile(r"^(?P<what>.*?) - at `(?P<path>\$[^`]*)`$", re.DOTALL)
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")


def read_one(body: bytes) -> Transaction:
    """Read the body of ``POST /classify``. Raises ``MalformedBody`` naming the place."""
    try:
        return ONE.decode(body)
    except BAD_JSON as error:
        raise _malformed(error) from error


def read_bulk(body: bytes) -> Sequence[Row] | Stored:
    """Read the body of ``POST /classify/bulk``. Raises ``MalformedBody`` when it is no list of rows, ``BodyTooLarge`` for too many."""
    try:
        found = BULK.decode(body)
    except BAD_JSON as error:
        return _read_each(body, error)
    if (found.transactions is None) == (found.transaction_ids is None):
        raise MalformedBody("the body needs `transactions` or `transaction_ids`, and not both", [Place("#", "one list of rows is needed")])
    _check_count(len(found.transactions or found.transaction_ids or ()))
    return found.transactions if found.transactions is not None else Stored(found.transaction_ids or [])


def _read_each(body: bytes, because: Exception) -> Sequence[Row]:
    """Decode row by row, the slow way that keeps the good ones."""
    try:
        raw = RAW_BULK.decode(body).transactions
    except BAD_JSON:
        raise _malformed(because) from because
    _check_count(len(raw))
    return [_read_row(item, f"$.transactions[{place}]") for place, item in enumerate(raw)]


def _read_row(item: msgspec.Raw, path: str) -> Row:
    try:
        return ONE.decode(item)
    except BAD_JSON as error:
        return BadRow(id_of(item), (place_of_error(error, path),))


def check_media_type(headers: Mapping[bytes, bytes], taken: AbstractSet[bytes] = JSON_TYPES) -> None:
    """Refuse what says of itself that it is something else; who says nothing, or a form as curl does, is taken at the bytes."""
    said = headers.get(b"content-type", FORM)
    if said not in taken:
        essence = said.partition(b";")[0].strip().lower()
        if essence not in taken | {FORM} and not essence.endswith(b"+json"):
            needed = " or ".join(sorted(name.decode() for name in taken))
            raise UnsupportedBody(f"the body is {essence.decode('latin-1')!r} and {needed} is needed")


def place_of_error(error: Exception, root: str = "$") -> Place:
    """Turn a decoder's error into a pointer and a sentence that says the same path."""
    if isinstance(error, RecursionError):
        return Place(pointer_of(root), f"{root}: the JSON is nested too deeply")
    found = _PATH.match(str(error))
    path = root + found["path"].removeprefix("$") if found else root
    what = found["what"] if found else str(error)
    return Place(pointer_of(path), f"{path}: {what}")


def pointer_of(path: str) -> str:
    """Turn ``$.transactions[3].currency`` into ``#/transactions/3/currency``."""
    steps = [(name or number).replace("~", "~0").replace("/", "~1") for name, number in _STEP.findall(path)]
    return "#" + "".join(f"/{step}" for step in steps)


def _check_count(count: int) -> None:
    if count > MAX_ROWS:
        said = f"the body has {count:,} transactions and the most is {MAX_ROWS:,}"
        raise BodyTooLarge(f"{said}: with `Prefer: respond-async` a bulk request of any size becomes a job; or {ELSEWHERE}")


def id_of(item: msgspec.Raw | bytes) -> str | None:
    """Read the id of what is no transaction, if it has one."""
    try:
        return NAMED.decode(item).id
    except BAD_JSON:
        return None


def _malformed(error: Exception) -> MalformedBody:
    place = place_of_error(error)
    return MalformedBody(place.detail, [place])
