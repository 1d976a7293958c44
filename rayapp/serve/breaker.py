"""A circuit breaker: what has failed again and again is left alone for a while, then tried by one caller. Pure: the time is an argument."""

from typing import Literal

FAILURES = 3
"""So many in a row open the circuit."""

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0

State = Literal["closed", "open", "half-open"]


class Breaker:
    """Stands before one dependency."""

    def __init__(self) -> None:
        """Begin closed: everything is let through."""
        self._failures = 0
        self._pause_s = FIRST_PAUSE_S
        self._open_until = 0.0
        self._trying = False

    def state(self, now: float) -> State:
        """Say how it stands."""
        if self._failures < FAILURES:
            return "closed"
        return "open" if now < self._open_until else "half-open"

    def lets_through(self, now: float) -> bool:
        """Say whether a call may be tried; while half-open only one at a time may. Tell the outcome by ``succeeded`` or ``failed``."""
        state = self.state(now)
        if state == "closed":
            return True
        if state == "open" or self._trying:
            return False
        self._trying = True
        return True

    def succeeded(self) -> None:
        """Close the circuit."""
        self._failures, self._pause_s, self._trying = 0, FIRST_PAUSE_S, False

    def failed(self, now: float) -> None:
        """Note a failure; the third in a row opens the circuit, and each failed try keeps it open for twice as long."""
        if self._trying:
            self._pause_s = min(LONGEST_PAUSE_S, 2 * self._pause_s)
        self._failures += 1
        self._trying = False
        if self._failures >= FAILURES:
            self._open_until = now + self._pause_s

    def opens_in(self, now: float) -> float:
        """Give the seconds until a call may be tried."""
        return max(0.0, self._open_until - now) if self._failures >= FAILURES else 0.0
