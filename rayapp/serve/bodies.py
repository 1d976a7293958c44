"""Request bodies: bytes become transactions, and an error names its place, such as ``$.transactions[3].currency``.

A body is decoded as a whole. Where that fails in one of its rows each row is decoded alone, so that a bad row costs its neighbours nothing.
"""

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

import msgspec

from rayapp.errors import InvalidInput
from rayapp.scoring.transaction import StrictTransaction, Transaction
from rayapp.serve.answers import REJECTED
from rayapp.serve.problems import ELSEWHERE, BodyTooLarge, MalformedBody, Place, UnsupportedBody

MAX_ROWS = 20_000
MAX_BYTES = 20_000_000
MAX_ONE_BYTES = 100_000
"""Of a body with one transaction."""


class Bulk(msgspec.Struct, omit_defaults=True):
    """The body of ``POST /classify/bulk``: transactions, the ids of stored ones, or both, which are answered in this order."""

    transactions: list[Transaction] | None = None
    transaction_ids: list[str] | None = None


class RawBulk(msgspec.Struct):
    """The same before its rows are looked at."""

    transactions: list[msgspec.Raw]
    transaction_ids: list[str] | None = None


class StrictBulk(msgspec.Struct, forbid_unknown_fields=True):
    """A bulk body with no field that we do not know."""

    transactions: list[StrictTransaction] | None = None
    transaction_ids: list[str] | None = None


class StrictRawBulk(RawBulk, forbid_unknown_fields=True):
    """The same before its rows are looked at."""


class Named(msgspec.Struct):
    """What is read of a bad row, so that its answer carries its id."""

    id: str | None = None


class BadRow(NamedTuple):
    """A row that is no transaction: its id if that could be read, and what is wrong, with its place in the body."""

    id: str | None
    places: tuple[Place, ...]
    status: str = REJECTED


Row = Transaction | BadRow


class BulkRows(NamedTuple):
    """What is asked for at once: rows, and ids of transactions that are to be read from the database."""

    rows: Sequence[Row]
    ids: Sequence[str] = ()


BAD_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What a decoder raises; the last where arrays or objects stand in one another deeper than the interpreter goes, about a thousand."""


class Reading(NamedTuple):
    """How bodies are read: what is no field of ours is passed over, or refused."""

    one: "msgspec.json.Decoder[Any]"
    bulk: "msgspec.json.Decoder[Any]"
    raw_bulk: "msgspec.json.Decoder[Any]"


LENIENT = Reading(msgspec.json.Decoder(Transaction), msgspec.json.Decoder(Bulk), msgspec.json.Decoder(RawBulk))
STRICT = Reading(msgspec.json.Decoder(StrictTransaction), msgspec.json.Decoder(StrictBulk), msgspec.json.Decoder(StrictRawBulk))
NAMED = msgspec.json.Decoder(Named)

FORM = b"application/x-www-form-urlencoded"
"""What curl says where nothing is told to it."""

JSON_TYPES = frozenset({b"application/json"})
LINE_TYPES = frozenset({b"application/x-ndjson", b"application/jsonl", b"application/json"})

_PATH = re.compile(r"^(?P<what>.*?) - at `(?P<path>\$[^`]*)`$", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<field>.*)`", re.DOTALL)
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")


def read_one(body: bytes, reading: Reading = LENIENT) -> Transaction:
    """Read the body of ``POST /classify``. Raises ``MalformedBody`` naming the place, ``InvalidInput`` for a field that is none."""
    try:
        return reading.one.decode(body)  # type: ignore[no-any-return]
    except BAD_JSON as error:
        raise refusal_of(error) from error


def read_bulk(body: bytes, reading: Reading = LENIENT) -> BulkRows:
    """Read the body of ``POST /classify/bulk``. Raises as ``read_one`` does when it is no list of rows, ``BodyTooLarge`` for too many."""
    try:
        found = reading.bulk.decode(body)
    except BAD_JSON as error:
        return _read_each(body, error, reading)
    if found.transactions is None and found.transaction_ids is None:
        raise MalformedBody("the body needs `transactions` or `transaction_ids`", [Place("#", "a list of rows is needed")])
    return _counted(BulkRows(found.transactions or (), found.transaction_ids or ()))


def _read_each(body: bytes, because: Exception, reading: Reading) -> BulkRows:
    """Decode row by row, the slow way that keeps the good ones."""
    try:
        raw = reading.raw_bulk.decode(body)
    except BAD_JSON:
        raise refusal_of(because) from because
    _counted(BulkRows(raw.transactions, raw.transaction_ids or ()))
    rows = [_read_row(item, f"$.transactions[{place}]", reading) for place, item in enumerate(raw.transactions)]
    return BulkRows(rows, raw.transaction_ids or ())


def _read_row(item: msgspec.Raw, path: str, reading: Reading) -> Row:
    try:
        return reading.one.decode(item)  # type: ignore[no-any-return]
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
    unknown = _UNKNOWN.fullmatch(what)
    if unknown:
        return Place(f"{pointer_of(path)}/{_escaped(unknown['field'])}", f"{path}: {unknown['field']!r} is not a field")
    return Place(pointer_of(path), f"{path}: {what}")


def pointer_of(path: str) -> str:
    """Turn ``$.transactions[3].currency`` into ``#/transactions/3/currency``."""
    return "#" + "".join(f"/{_escaped(name or number)}" for name, number in _STEP.findall(path))


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")


def _counted(found: BulkRows) -> BulkRows:
    count = len(found.rows) + len(found.ids)
    if count > MAX_ROWS:
        said = f"the body has {count:,} transactions and the most is {MAX_ROWS:,}"
        raise BodyTooLarge(f"{said}: with `Prefer: respond-async` a bulk request of any size becomes a job; or {ELSEWHERE}")
    return found


def id_of(item: msgspec.Raw | bytes) -> str | None:
    """Read the id of what is no transaction, if it has one."""
    try:
        return NAMED.decode(item).id
    except BAD_JSON:
        return None


def refusal_of(error: Exception) -> InvalidInput:
    """Give the refusal of a body that a decoder cannot read: ``MalformedBody``, or ``InvalidInput`` where a field is none of ours."""
    place = place_of_error(error)
    unknown = "unknown field" in str(error) and isinstance(error, msgspec.ValidationError)
    return (InvalidInput if unknown else MalformedBody)(place.detail, [place])
