"""Every error as an RFC 9457 problem: one table says which class gets which status, and a test says that no class is missing.

======================== ====== ====================== ===============================================================
class                    status type                   whose it is to mend
======================== ====== ====================== ===============================================================
``MalformedBody``        400    malformed-body         the caller: the body is no JSON, or not of the right shape
``Unauthorised``         401    unauthorised           the caller: a key that is good is needed
``Forbidden``            403    forbidden              the caller: an operator's key is needed
``SlowBody``             408    slow-body              the caller: the body did not arrive in time
``BodyTooLarge``         413    body-too-large         the caller: see ``GET /limits``
``UnsupportedBody``      415    unsupported-body       the caller: the body's media type or encoding is not taken
``NotFound``             404    not-found              the caller: there is no such thing, or it is somebody else's
``Conflict``             409    conflict               the caller: it is not in a state for that
``KeyInUse``             409    idempotency-key-in-use the caller: a request with the same key is being answered
``KeyOfAnother``         422    idempotency-key-reused the caller: the key was sent with another request
``RefusedPack``          422    refused-pack           the caller: ``faults`` says what is wrong with the uploaded pack
``InvalidInput``         422    invalid-input          the caller: ``errors`` points at each bad value
``QuotaExceeded``        429    quota-exceeded         the caller: its rows are spent, ``Retry-After`` says until when
``TooManyAtOnce``        429    too-many-at-once       the caller: as many of its requests are in work as may be
``InvalidPack``          500    invalid-pack           the operator
``InvalidSetup``         500    invalid-setup          the operator
``RayappError``          500    internal-error         us
``Unavailable``          503    unavailable            time: ``Retry-After`` says when to try again
``QueueFull``            503    full                   time: more waits than can be answered soon, whoever asks
``Expired``              503    expired                time: the request's time was over before it was begun
``Stopped``              503    stopping               time: this replica stops, others answer
======================== ====== ====================== ===============================================================
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import NamedTuple

import msgspec
from starlette.responses import Response

from rayapp.errors import Fault, InvalidInput, InvalidPack, InvalidSetup, Problem, RayappError, Unavailable
from rayapp.serve.overload import Expired, Forbidden, QueueFull, QuotaExceeded, Stopped, TooManyAtOnce, Unauthorised, retry_after
from rayapp.serve.refusals import Conflict, NotFound, RefusedPack
from rayapp.store.given_answers import KeyInUse, KeyOfAnother

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:rayapp:problem:"
RETRY_AFTER_S = 1
MAX_ERRORS = 100
ELSEWHERE = "send it in parts, upload it as a file with `POST /jobs`, or load a file with `rayapp ingest`; `GET /limits` says what is taken"
"""What to do with a body that is too large."""
MAX_FAULTS = 1_000
WORTH_ANOTHER_TRY = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


class MalformedBody(InvalidInput):
    """The body is no JSON, or JSON of another shape than the route takes; ``details`` names the place."""


class SlowBody(InvalidInput):
    """The body did not arrive within the time that a request has."""


class BodyTooLarge(InvalidInput):
    """The body has more rows or bytes than the route takes."""


class UnsupportedBody(InvalidInput):
    """The body's media type or content encoding is not one that the route takes."""


class Kind(NamedTuple):
    """A kind of problem: its status, the last part of its type, and its title, which never change."""

    status: int
    name: str
    title: str


KINDS: Mapping[type[RayappError], Kind] = {
    MalformedBody: Kind(400, "malformed-body", "The body cannot be read"),
    Unauthorised: Kind(401, "unauthorised", "A key is needed"),
    Forbidden: Kind(403, "forbidden", "An operator's key is needed"),
    SlowBody: Kind(408, "slow-body", "The body did not arrive in time"),
    BodyTooLarge: Kind(413, "body-too-large", "The body is too large"),
    UnsupportedBody: Kind(415, "unsupported-body", "The body's media type or encoding is not taken"),
    NotFound: Kind(404, "not-found", "There is nothing here"),
    Conflict: Kind(409, "conflict", "It is not in a state for that"),
    KeyInUse: Kind(409, "idempotency-key-in-use", "A request with this key is being answered"),
    KeyOfAnother: Kind(422, "idempotency-key-reused", "The key was sent with another request"),
    RefusedPack: Kind(422, "refused-pack", "The pack has faults"),
    InvalidInput: Kind(422, "invalid-input", "A value is wrong"),
    QuotaExceeded: Kind(429, "quota-exceeded", "The client's rows are spent"),
    TooManyAtOnce: Kind(429, "too-many-at-once", "Too many requests at once"),
    InvalidPack: Kind(500, "invalid-pack", "A rule pack of the service cannot be used"),
    InvalidSetup: Kind(500, "invalid-setup", "The service is not set up rightly"),
    RayappError: Kind(500, "internal-error", "The service failed"),
    Unavailable: Kind(503, "unavailable", "Something that is needed does not answer"),
    QueueFull: Kind(503, "full", "The service has more to do than it can"),
    Expired: Kind(503, "expired", "The service was too busy to answer in time"),
    Stopped: Kind(503, "stopping", "This replica is stopping"),
}


class Place(msgspec.Struct, frozen=True):
    """One bad value: an RFC 6901 pointer into the body, as a URI fragment, and what is wrong there."""

    pointer: str
    detail: str


class Report(msgspec.Struct, frozen=True, omit_defaults=True):
    """A problem as RFC 9457 writes it, with the request's id and the bad values as extensions."""

    type: str
    title: str
    status: int
    detail: str = ""
    request_id: str = ""
    errors: tuple[Place, ...] = ()
    retry_after: int = 0
    """Seconds, as in the header ``Retry-After``; nought where trying again is of no use."""
    faults: tuple[Fault, ...] = ()
    """What is wrong with an uploaded pack, by file and line."""


def report_of(error: RayappError, request_id: str) -> Report:
    """Describe an error of ours. What the operator has to mend is told to the log and not to the caller."""
    kind = KINDS[type(error)]
    ours = kind.status == HTTPStatus.INTERNAL_SERVER_ERROR
    return Report(
        type=TYPE_PREFIX + kind.name,
        title=kind.title,
        status=kind.status,
        detail="" if ours else error.message,
        request_id=request_id,
        errors=() if ours else tuple(_places(error.details)),
        retry_after=retry_after(error, RETRY_AFTER_S) if kind.status in WORTH_ANOTHER_TRY or isinstance(error, KeyInUse) else 0,
        faults=() if ours else tuple(detail for detail in error.details if isinstance(detail, Fault))[:MAX_FAULTS],
    )


def report_of_status(status: int, detail: str, request_id: str) -> Report:
    """Describe what the framework refused (no such route, another method), with the status's own phrase as title."""
    phrase = HTTPStatus(status).phrase
    return Report(
        type=TYPE_PREFIX + phrase.lower().replace(" ", "-"),
        title=phrase,
        status=status,
        detail="" if detail == phrase else detail,
        request_id=request_id,
    )


def response_of(report: Report, headers: Mapping[str, str] | None = None) -> Response:
    """Write a problem as a response; where another try can help it says when."""
    more = {"Retry-After": str(report.retry_after)} if report.retry_after else {}
    more |= {"Connection": "close"} if report.status == HTTPStatus.REQUEST_TIMEOUT else {}  # what is left of the body is not wanted
    more |= {"WWW-Authenticate": "Bearer"} if report.status == HTTPStatus.UNAUTHORIZED else {}
    return Response(msgspec.json.encode(report), report.status, {**(headers or {}), **more}, MEDIA_TYPE)


def bad_parameter(name: str, detail: str) -> InvalidInput:
    """Give the refusal of a query parameter's value."""
    return InvalidInput(f"?{name}: {detail}", [Place(f"?{name}", detail)])


def place_of(problem: Problem, pointer: str = "#") -> Place:
    """Point at a bad field of the object at ``pointer``."""
    return Place(f"{pointer}/{problem.field}", problem.message)


def _places(details: Sequence[object]) -> list[Place]:
    places = [place_of(detail) if isinstance(detail, Problem) else detail for detail in details[:MAX_ERRORS]]
    return [place for place in places if isinstance(place, Place)]
