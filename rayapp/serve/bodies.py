"""Request bodies: bytes become transactions, and an error names its place, such as ``$.transactions[3].currency``.

A body is decoded as a whole. Where that fails in one of its rows each row is decoded alone, so that a bad row costs its neighbours nothing.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from rayapp.scoring.transaction import Transaction
from rayapp.serve.problems import BodyTooLarge, MalformedBody, Place, UnsupportedBody

MAX_ROWS = 20_000
MAX_BYTES = 20_000_000
MAX_ONE_BYTES = 100_000
"""Of a body with one transaction."""


class Bulk(msgspec.Struct):
    """The body of ``POST /classify/bulk``."""

    transactions: list[Transaction]


class RawBulk(msgspec.Struct):
    """The same before its rows are looked at."""

    transactions: list[msgspec.Raw]


class Named(msgspec.Struct):
    """What is read of a bad row, so that its answer carries its id."""

    id: str | None = None


class BadRow(NamedTuple):
    """A row that is no transaction: its place in the body, its id if that could be read, and what is wrong."""

    row: int
    id: str | None
    place: Place


class Rows(NamedTuple):
    """The rows of a body: those that are transactions with their places, and the others."""

    transactions: list[Transaction]
    places: list[int]
    bad: list[BadRow]


ONE = msgspec.json.Decoder(Transaction)
BULK = msgspec.json.Decoder(Bulk)
RAW_BULK = msgspec.json.Decoder(RawBulk)
NAMED = msgspec.json.Decoder(Named)

JSON_TYPES = {b"application/json", b"application/x-www-form-urlencoded"}
"""What ``check_media_type`` takes beside ``+json``: curl sends the second where nothing is said, and the bytes decide."""

_PATH = re.compile(r"^(?P<what>.*?) - at `(?P<path>\$[^`]*)`$", re.DOTALL)
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")


def read_one(body: bytes) -> Transaction:
    """Read the body of ``POST /classify``. Raises ``MalformedBody`` naming the place."""
    try:
        return ONE.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _malformed(error) from error


def read_bulk(body: bytes) -> Rows:
    """Read the body of ``POST /classify/bulk``. Raises ``MalformedBody`` when it is no list of rows, ``BodyTooLarge`` for too many."""
    try:
        found = BULK.decode(body).transactions
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _read_each(body)
    _check_count(len(found))
    return Rows(found, list(range(len(found))), [])


def _read_each(body: bytes) -> Rows:
    """Decode row by row, the slow way that keeps the good ones."""
    try:
        raw = RAW_BULK.decode(body).transactions
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _malformed(error) from error
    _check_count(len(raw))
    rows = Rows([], [], [])
    for place, item in enumerate(raw):
        try:
            rows.transactions.append(ONE.decode(item))
            rows.places.append(place)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            rows.bad.append(BadRow(place, _id_of(item), place_of_error(error, f"$.transactions[{place}]")))
    return rows


def check_media_type(headers: Mapping[bytes, bytes]) -> None:
    """Refuse what says of itself that it is no JSON; who says nothing, or a form as curl does, is taken at the bytes."""
    media_type = headers.get(b"content-type", b"application/json")
    if media_type not in JSON_TYPES:
        essence = media_type.partition(b";")[0].strip().lower()
        if essence not in JSON_TYPES and not essence.endswith(b"+json"):
            raise UnsupportedBody(f"the body is {essence.decode('latin-1')!r} and 'application/json' is needed")
    encoding = headers.get(b"content-encoding", b"identity").strip().lower()
    if encoding != b"identity":
        raise UnsupportedBody(f"the body is encoded as {encoding.decode('latin-1')!r}: send it plain")


def check_length(headers: Mapping[bytes, bytes], most: int) -> None:
    """Refuse a body that announces more than ``most`` bytes, before any of it is read."""
    announced = headers.get(b"content-length", b"")
    if announced.isdigit() and int(announced) > most:
        raise too_large(most)


def too_large(most: int) -> BodyTooLarge:
    """Say that a body has too many bytes, and what to do."""
    return BodyTooLarge(f"the body is larger than {most:,} bytes: send it in parts, or load a file with `rayapp ingest`")


def place_of_error(error: Exception, root: str = "$") -> Place:
    """Turn a decoder's error into a pointer and a sentence that says the same path."""
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
        raise BodyTooLarge(f"{said}: send them in parts, or load a file with `rayapp ingest`")


def _id_of(item: msgspec.Raw) -> str | None:
    try:
        return NAMED.decode(item).id
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _malformed(error: Exception) -> MalformedBody:
    place = place_of_error(error)
    return MalformedBody(place.detail, [place])
