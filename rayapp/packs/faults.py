"""Faults of a pack, gathered while it is read, each with its place and what its author probably meant."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from rayapp.errors import Fault
from rayapp.packs.source import Place

MAX_QUOTED = 60
MAX_BITS = 100
"""Of an integer that is written out: TOML can hold one, in hexadecimal, that Python refuses to."""
MAX_COMPARED = 80
"""A value longer than this is not compared with what is known: closeness costs time in the product of the lengths."""
MAX_SUGGESTED = 300
"""Of a pack: whoever has more to mend mends the first, and looks again."""

SHORTEST_BEGINNING = 3
"""From this length on, what a name begins with suggests it."""


class Faults:
    """The faults found so far, in the order in which they were found."""

    def __init__(self) -> None:
        """Begin with none."""
        self._found: list[Fault] = []
        self._suggested = 0

    def error(self, place: Place, message: str, suggestion: str = "") -> None:
        """Add a fault that keeps the pack from being used."""
        self._found.append(Fault(place.file, place.line, message, suggestion))

    def warn(self, place: Place, message: str, suggestion: str = "") -> None:
        """Add a fault that its author should look at, and that does no harm."""
        self._found.append(Fault(place.file, place.line, message, suggestion, "warning"))

    def closest(self, value: str, known: Iterable[str]) -> str:
        """Suggest the known value nearest to ``value``; an empty string when none is near, or when enough has been suggested."""
        self._suggested += 1
        if len(value) > MAX_COMPARED or self._suggested > MAX_SUGGESTED:
            return ""
        spelt = {choice.casefold(): choice for choice in known}
        near = get_close_matches(value.casefold(), spelt, n=1, cutoff=0.6)
        near = near or [name for name in spelt if len(value) >= SHORTEST_BEGINNING and name.startswith(value.casefold())]
        return f"did you mean {quoted(spelt[near[0]])}?" if near else ""

    def one_of(self, value: str, known: Sequence[str]) -> str:
        """Suggest the nearest of a few choices, or list them all."""
        return self.closest(value, known) or "one of " + ", ".join(quoted(choice) for choice in known)

    def code(self, code: str, known: frozenset[str]) -> str:
        """Suggest the country or currency code that was probably meant: ``UK`` is written for ``GB`` everywhere."""
        if code.upper() in {"UK", "EN"} and "GB" in known:
            return "did you mean 'GB'?"
        return f"did you mean {quoted(code.upper())}?" if code.upper() in known else self.closest(code, sorted(known))

    def ordered(self) -> tuple[Fault, ...]:
        """Give every fault once, by file and line."""
        return tuple(sorted(dict.fromkeys(self._found), key=lambda fault: (fault.file, fault.line)))


def errors_of(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """Keep those that keep the pack from being used."""
    return tuple(fault for fault in faults if fault.severity == "error")


def quoted(value: object) -> str:
    """Quote a value for a message, shortened, control characters escaped."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "a table"
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        return "a number of more than 30 digits"
    shown = repr(value if isinstance(value, str) else str(value))
    return shown if len(shown) <= MAX_QUOTED else f"{shown[:MAX_QUOTED]}..."


def shortened(pattern: str) -> str:
    """Cut a pattern for a message; its line says where the rest is."""
    return pattern if len(pattern) <= MAX_QUOTED else f"{pattern[:MAX_QUOTED]}..."
