"""What a request wants beside its rows, as its query says: reasons, strict reading, the line to begin from."""

from typing import NamedTuple
from urllib.parse import parse_qsl

from rayapp.serve.bodies import LENIENT, STRICT, Reading
from rayapp.serve.problems import bad_parameter

YES, NO = {"true", "1", "on", "yes", "t", "y"}, {"false", "0", "off", "no", "f", "n"}
MAX_LINE_NUMBER = 10**15


class Wishes(NamedTuple):
    """What is wanted; ``fresh`` without the caches."""

    explained: bool = False
    fresh: bool = False
    from_line: int = 1
    reading: Reading = LENIENT


PLAIN = Wishes()


def wishes_of(query: bytes) -> Wishes:
    """Read a query string; raises ``InvalidInput`` where a value is none."""
    if not query:
        return PLAIN
    said = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))
    reading = STRICT if _truth(said, "strict") else LENIENT
    return Wishes(_truth(said, "explain"), from_line=_line(said.get("from_line", "1")), reading=reading)


def _truth(said: dict[str, str], name: str) -> bool:
    word = said.get(name, "false").lower()
    if word not in YES | NO:
        raise bad_parameter(name, "is not true or false")
    return word in YES


def _line(said: str) -> int:
    if not (said.isascii() and said.isdigit() and 1 <= int(said[:20]) <= MAX_LINE_NUMBER):
        raise bad_parameter("from_line", "is not the number of a line")
    return int(said)
