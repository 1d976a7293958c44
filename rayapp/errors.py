"""Every error that rayapp raises, grouped by who can mend it.

RayappError
├── InvalidInput     the caller: a value, a row or a request is wrong; ``problems`` names each place
├── InvalidSetup     the operator: a pack, a setting or an installation is wrong
│   └── InvalidPack  a rule pack does not compile; ``faults`` lists every fault at once
└── Unavailable      time: something that is needed does not answer at the moment
"""

from collections.abc import Sequence
from typing import Literal, Self

import msgspec

MAX_SHOWN = 5


class Problem(msgspec.Struct, frozen=True):
    """One bad value: zero-based ``row`` of the input, ``field`` (a column's name) and what is wrong with it."""

    row: int
    field: str
    message: str

    def __str__(self) -> str:
        """Give the problem on one line, place first."""
        return f"row {self.row}, {self.field}: {self.message}"


class Fault(msgspec.Struct, frozen=True):
    """One fault of a rule pack: ``file`` and one-based ``line`` in it, what is wrong, and a suggestion or an empty string.

    An ``error`` keeps the pack from being used; a ``warning`` does not.
    """

    file: str
    line: int
    message: str
    suggestion: str = ""
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        """Give the fault as ``file:line: message (suggestion)``, a warning with that word before its message."""
        mark = "warning: " if self.severity == "warning" else ""
        hint = f" ({self.suggestion})" if self.suggestion else ""
        return f"{self.file}:{self.line}: {mark}{self.message}{hint}"


class RayappError(Exception):
    """An error of rayapp's own."""

    def __init__(self, message: str, details: Sequence[object] = ()) -> None:
        """Keep ``message`` and ``details`` as the only arguments, so that pickling rebuilds the same error."""
        super().__init__(message, tuple(details))
        self.message = message
        self.details = tuple(details)

    def __str__(self) -> str:
        """Give the message alone."""
        return self.message

    @classmethod
    def of(cls, what: str, details: Sequence[object]) -> Self:
        """Build the error from its details, quoting the first few in the message."""
        shown = "; ".join(str(detail) for detail in details[:MAX_SHOWN])
        more = f"; and {len(details) - MAX_SHOWN} more" if len(details) > MAX_SHOWN else ""
        return cls(f"{what}: {shown}{more}", details)


class InvalidInput(RayappError):
    """A value that the caller sent is wrong."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Each bad value with its place."""
        return tuple(detail for detail in self.details if isinstance(detail, Problem))


class InvalidSetup(RayappError):
    """Something that the operator installed or configured is wrong."""


class InvalidPack(InvalidSetup):
    """A rule pack has faults and cannot be used."""

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Each fault with its file and line."""
        return tuple(detail for detail in self.details if isinstance(detail, Fault))


class Unavailable(RayappError):
    """Something that is needed does not answer at the moment; try again later."""
