r"""From the text of a pattern to a small tree: what the supported part of Python's ``re`` means on the clean view.

Python's own parser reads the pattern, so that ``re`` stays the reference of meaning. The view is upper case with single
spaces: ``\s`` is a space, ``\d`` is 0-9, and every character beyond ASCII counts as a letter of a word.
"""

import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from enum import IntEnum
from functools import lru_cache
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple, TypeAlias

from rayapp.scoring.patterns.charsets import LOWER, Range, Ranges, complement, difference, union, upper

LONGEST_PATTERN = 2_000
"""Characters in a pattern."""


class RejectedPattern(Exception):
    """The pattern is wrong or not supported; ``suggestion`` says what to write instead."""

    def __init__(self, message: str, suggestion: str = "") -> None:
        """Keep both parts."""
        super().__init__(message, suggestion)
        self.message = message
        self.suggestion = suggestion


class Chars(NamedTuple):
    """One character out of a set."""

    ranges: Ranges


class Place(IntEnum):
    """A condition on the place between two characters."""

    START = -1
    END = -2
    WORD_EDGE = -3
    NO_WORD_EDGE = -4


class Sequence(NamedTuple):
    """One part after the other."""

    parts: tuple["Node", ...]


class Choice(NamedTuple):
    """Any one of the parts."""

    parts: tuple["Node", ...]


class Repeat(NamedTuple):
    """A part ``least`` to ``most`` times; ``most`` is None for no limit."""

    part: "Node"
    least: int
    most: int | None


Node: TypeAlias = Chars | Place | Sequence | Choice | Repeat

SPACE: Range = (0x20, 0x20)
DIGITS: Range = (0x30, 0x39)
BEYOND_ASCII: Range = (0x80, 0x10FFFF)
WORD: Ranges = (DIGITS, (0x41, 0x5A), (0x5F, 0x5F), BEYOND_ASCII)
CATEGORIES: dict[object, Ranges] = {
    codes.CATEGORY_DIGIT: (DIGITS,),
    codes.CATEGORY_NOT_DIGIT: complement((DIGITS,)),
    codes.CATEGORY_SPACE: (SPACE,),
    codes.CATEGORY_NOT_SPACE: complement((SPACE,)),
    codes.CATEGORY_WORD: WORD,
    codes.CATEGORY_NOT_WORD: complement(union([*WORD, LOWER])),
}
PLACES: dict[object, Place] = {
    codes.AT_BEGINNING: Place.START,
    codes.AT_BEGINNING_STRING: Place.START,
    codes.AT_END: Place.END,
    codes.AT_END_STRING: Place.END,
    codes.AT_BOUNDARY: Place.WORD_EDGE,
    codes.AT_NON_BOUNDARY: Place.NO_WORD_EDGE,
}
USE_UNLESS = "put the excluded text in the rule's `unless`"
UNSUPPORTED: dict[object, tuple[str, str]] = {
    codes.ASSERT: ("a lookahead or lookbehind", "match the text itself, or use a second rule"),
    codes.ASSERT_NOT: ("a negative lookahead or lookbehind", USE_UNLESS),
    codes.GROUPREF: ("a reference back to a group", "write the alternatives out"),
    codes.GROUPREF_EXISTS: ("a conditional group", "write the alternatives out"),
    codes.ATOMIC_GROUP: ("an atomic group", "use (?:...)"),
    codes.POSSESSIVE_REPEAT: ("a possessive repeat", "use the plain repeat; matching never backtracks here"),
}
ALLOWED_FLAGS = re.IGNORECASE | re.UNICODE | re.DOTALL | re.VERBOSE


def parse(pattern: str) -> Node:
    """Read a pattern, or raise RejectedPattern."""
    if len(pattern) > LONGEST_PATTERN:
        raise RejectedPattern(f"the pattern is longer than {LONGEST_PATTERN} characters", "split it into several patterns")
    if any(0xD800 <= ord(character) <= 0xDFFF for character in pattern):
        raise RejectedPattern("the pattern is not valid Unicode", "save the file as UTF-8")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            tree = parser.parse(pattern, re.IGNORECASE)
    except (re.error, FutureWarning, DeprecationWarning, OverflowError) as error:
        raise RejectedPattern(f"not a valid regular expression: {error}") from error
    _check_flags(tree.state.flags)
    return _sequence(tree, bool(tree.state.flags & re.DOTALL))


def _check_flags(flags: int) -> None:
    """Refuse a flag that would change the meaning of the view's letters or places."""
    if flags & ~ALLOWED_FLAGS:
        raise RejectedPattern(
            f"the inline flag {re.RegexFlag(flags & ~ALLOWED_FLAGS)!r} is not supported",
            "leave it out: matching is case-insensitive on one line",
        )


def _sequence(items: Iterable[tuple[Any, Any]], dotall: bool) -> Node:
    """Join items, flattening sequences in sequences."""
    parts: list[Node] = []
    for code, argument in items:
        node = _node(code, argument, dotall)
        parts.extend(node.parts if isinstance(node, Sequence) else [node])
    return parts[0] if len(parts) == 1 else Sequence(tuple(parts))


def _node(code: object, argument: Any, dotall: bool) -> Node:  # noqa: ANN401 - the parser's own shapes
    """Translate one item of the parser's tree."""
    if code in UNSUPPORTED:
        what, suggestion = UNSUPPORTED[code]
        raise RejectedPattern(f"{what} is not supported", suggestion)
    return READERS[code](argument, dotall)


@lru_cache(maxsize=1024)
def _literal(point: int) -> Chars:
    return Chars(upper(((point, point),)))


def _any(_: object, dotall: bool) -> Node:
    return Chars(difference(complement(()), (LOWER,) if dotall else ((0x0A, 0x0A), LOWER)))


def _in(items: list[tuple[Any, Any]], _: bool) -> Node:
    """A class in brackets."""
    negated = items[0][0] is codes.NEGATE
    inside = upper(union(range_ for code, argument in items for range_ in _class_ranges(code, argument)))
    if not negated:
        return Chars(inside)
    return Chars(difference(complement(inside), (LOWER,)))


def _class_ranges(code: object, argument: Any) -> Iterator[Range]:  # noqa: ANN401
    """The ranges of one item in brackets."""
    if code is codes.LITERAL:
        yield argument, argument
    elif code is codes.RANGE:
        yield argument
    elif code is codes.CATEGORY:
        yield from CATEGORIES[argument]


def _subpattern(argument: Any, dotall: bool) -> Node:  # noqa: ANN401
    """A group, with or without its own flags."""
    _, added, removed, items = argument
    _check_flags(added)
    if removed & re.IGNORECASE:
        raise RejectedPattern("case cannot be switched on", "leave (?-i:...) out: the view is upper case")
    return _sequence(items, (dotall or bool(added & re.DOTALL)) and not removed & re.DOTALL)


def _repeat(argument: Any, dotall: bool) -> Node:  # noqa: ANN401
    """A repeat, greedy or lazy: both have the same language."""
    least, most, items = argument
    part = _sequence(items, dotall)
    return Repeat(part, int(least), None if most is codes.MAXREPEAT else int(most))


READERS: dict[object, Callable[[Any, bool], Node]] = {
    codes.LITERAL: lambda point, _: _literal(point),
    codes.NOT_LITERAL: lambda point, _: Chars(difference(complement(upper(((point, point),))), (LOWER,))),
    codes.ANY: _any,
    codes.IN: _in,
    codes.BRANCH: lambda argument, dotall: Choice(tuple(_sequence(items, dotall) for items in argument[1])),
    codes.SUBPATTERN: _subpattern,
    codes.MAX_REPEAT: _repeat,
    codes.MIN_REPEAT: _repeat,
    codes.AT: lambda place, _: PLACES[place],
}
