"""Where the next page of a list begins: behind the last row of this one, as a token that clients hand back and do not read."""

import base64
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from rayapp.serve.problems import bad_parameter

LONGEST_TOKEN = 5_000
"""Characters: an id of 512 bytes, each written as six in JSON and four of three in base 64."""
NO_NEXT = "is no `next` of this list"

Key = TypeVar("Key", bound=tuple[object, str])


def token_of(key: tuple[object, str] | None) -> str | None:
    """Write where a row stands in a list, its value and its id; ``None`` where the list ends."""
    return None if key is None else base64.urlsafe_b64encode(msgspec.json.encode(key)).rstrip(b"=").decode()


def key_of(token: str, kind: type[Key]) -> Key | None:
    """Read a token; ``None`` for the list's begin. Raises ``InvalidInput`` where no page gave it."""
    if not token:
        return None
    try:
        written = base64.b64decode(token.encode() + b"=" * (-len(token) % 4), b"-_", validate=True)
        key = msgspec.json.decode(written, type=kind)
    except (ValueError, msgspec.MsgspecError) as error:
        raise bad_parameter("after", NO_NEXT) from error
    value, name = key
    if "\0" in name or (isinstance(value, datetime) and value.utcoffset() != timedelta(0)):
        raise bad_parameter("after", NO_NEXT)
    return key
