"""What a service says that has more to do than it can, with the time after which it is worth asking again."""

import math

import msgspec

from rayapp.errors import InvalidInput, RayappError, Unavailable


class Retry(msgspec.Struct, frozen=True):
    """When to try again, in seconds from now; a detail of an error."""

    after_s: float


class QueueFull(Unavailable):
    """More waits already than the service can answer in time; it is full, whoever asks."""


class Expired(Unavailable):
    """The work was not begun within its time; nothing was computed."""


class Stopped(Unavailable):
    """This replica is stopping; another one answers."""


class Unauthorised(InvalidInput):
    """The request carries no key, or one that is not good."""


class Forbidden(InvalidInput):
    """The key is good, but not for this."""


class QuotaExceeded(InvalidInput):
    """The client has spent the rows that it may; nobody else is kept from theirs."""


class TooManyAtOnce(InvalidInput):
    """The client has as many requests in work as it may."""


def retry_after(error: RayappError, otherwise_s: int) -> int:
    """Give the whole seconds that an error asks to wait, at least one."""
    told = [detail.after_s for detail in error.details if isinstance(detail, Retry)]
    return max(1, math.ceil(told[0])) if told else otherwise_s
