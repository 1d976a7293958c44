"""Which rows something in a pack can touch, told in terms of a transaction's own values, so that a database can look for them."""

import msgspec


class When(msgspec.Struct, frozen=True):
    """Conditions of a rule as the engine reads them: all must hold, an empty one asks for nothing.

    Amounts are without their sign; days count from 1970-01-01; every range includes both ends. A condition on a missing value does not
    hold, but for a direction that need not be told.
    """

    direction: str = ""
    told: bool = False
    """A row without a direction does not meet it."""
    least: float | None = None
    greatest: float | None = None
    first_day: int | None = None
    last_day: int | None = None
    mcc: tuple[tuple[int, int], ...] = ()
    country: tuple[str, ...] = ()
    currency: tuple[str, ...] = ()

    @property
    def asks(self) -> bool:
        """Whether there is any condition."""
        return self != When()


class Clause(msgspec.Struct, frozen=True, kw_only=True):
    """A row may be touched where all of this holds; what is empty asks for nothing. ``why`` names what differs, for people.

    ``texts``: of each group one text is in the clean view. ``words``: all of them are among its tokens. ``nearly``: the core's letters
    are this name's, or its beginning, but for one letter. ``within``: the conditions hold. ``flips``: just one of two sets of conditions
    holds. ``mcc``: the code is in one of the ranges.
    """

    why: str
    texts: tuple[tuple[str, ...], ...] = ()
    words: tuple[str, ...] = ()
    nearly: str = ""
    within: When = When()
    flips: tuple[When, When] | None = None
    mcc: tuple[tuple[int, int], ...] = ()
