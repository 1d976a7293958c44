"""What the routes of jobs and packs refuse, beside what every route does."""

from rayapp.errors import InvalidInput


class NotFound(InvalidInput):
    """There is nothing under this name, or it is somebody else's."""


class Conflict(InvalidInput):
    """It is not in a state in which that could be done."""


class RefusedPack(InvalidInput):
    """An uploaded pack has faults; ``details`` holds each."""
