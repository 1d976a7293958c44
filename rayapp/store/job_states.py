"""What becomes of a job: its states, and where it goes when an attempt ends. Pure; the rows are in ``rayapp.store.jobs``.

::

    queued ──claim──> running ──done──> succeeded | partially_failed
      ^ │                │ ├──wrong───> failed
      │ cancel           │ └──cancel──> cancelled
      │ └─> cancelled    │
      └──trouble, lost, stopped; failed instead after ``max_attempts`` of them in a row without any progress
"""

from typing import Literal

import msgspec

State = Literal["queued", "running", "succeeded", "partially_failed", "failed", "cancelled"]

LIVE: frozenset[State] = frozenset({"queued", "running"})
FINAL: frozenset[State] = frozenset({"succeeded", "partially_failed", "failed", "cancelled"})
RETRIABLE: frozenset[State] = frozenset({"partially_failed", "failed", "cancelled"})

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 600.0

How = Literal["done", "wrong", "trouble", "lost", "stopped", "cancelled"]


class Ending(msgspec.Struct, frozen=True):
    """How an attempt ended.

    ``done``: all rows were dealt with. ``wrong``: the request or the set-up is, so that another attempt would end alike. ``trouble``:
    something did not answer, or broke. ``lost``: the holder was not heard in time. ``stopped``: the holder gave the job back.
    ``cancelled``: it stopped since it was asked to.
    """

    how: How
    cause: str = ""


class Standing(msgspec.Struct, frozen=True):
    """What counts of a job when an attempt ends. ``misses``: attempts in a row before this one that ended without any progress."""

    misses: int
    max_attempts: int
    progressed: bool
    rows_failed: int
    cancel_requested: bool


class Verdict(msgspec.Struct, frozen=True):
    """Where the job goes; ``pause_s`` seconds must pass before it is tried again."""

    state: State
    misses: int
    pause_s: float = 0.0
    failure: str | None = None


def verdict(job: Standing, ending: Ending, chance: float) -> Verdict:
    """Decide what becomes of a running job; ``chance`` in 0..1 spreads the pauses of jobs that broke together.

    What was done is done, asked to stop or not. An attempt that a holder gave back counts neither for nor against the job.
    """
    if ending.how == "done":
        return Verdict("partially_failed" if job.rows_failed else "succeeded", 0)
    if ending.how == "wrong":
        return Verdict("failed", job.misses + 1, failure=ending.cause or "it cannot be done")
    if job.cancel_requested or ending.how == "cancelled":
        return Verdict("cancelled", job.misses, failure=ending.cause or None)
    if ending.how == "stopped":
        return Verdict("queued", job.misses, failure=ending.cause or None)
    misses = 0 if job.progressed else job.misses + 1
    cause = ending.cause or "its worker was not heard any more"
    if misses >= job.max_attempts:
        return Verdict("failed", misses, failure=f"{cause} (given up after {misses} attempts without any progress)")
    return Verdict("queued", misses, pause(misses, chance), cause)


def pause(misses: int, chance: float) -> float:
    """Give the seconds to wait after so many misses: doubling, at most ``LONGEST_PAUSE_S``, half of it by chance; none after progress."""
    if misses == 0:
        return 0.0
    whole = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(misses - 1, 30))
    return whole * (0.5 + 0.5 * chance)
