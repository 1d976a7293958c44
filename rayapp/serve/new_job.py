"""What a client asks for: the JSON of ``POST /jobs`` as a request that workers understand."""

import base64
import binascii
import re
import secrets
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from rayapp.datasets import dataset
from rayapp.errors import InvalidInput
from rayapp.serve.bodies import BAD_JSON, MAX_ROWS, refusal_of
from rayapp.serve.problems import BodyTooLarge, Place
from rayapp.serve.uploads import Content
from rayapp.settings import Settings
from rayapp.sources.encoding import known
from rayapp.store.webhooks import Webhook

Kind = Literal["classify", "ingest", "reclassify"]

SECRET = "whsec_"  # noqa: S105 - how Standard Webhooks has secrets begin
SECRET_BYTES = 24, 64
MOST_SECRETS = 4
LONGEST_URL = 2_000
DIGEST = re.compile(r"[0-9a-f]{64}")


class WebhookWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is to be told when the job ends. ``secrets`` are signed with, each; one is made and told where there is none."""

    url: str
    secrets: list[str] = []


class ScheduleWanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a job is to be made again and again: ``cron`` has minute, hour, day of month, month and day of week, in ``timezone``."""

    name: str
    cron: str
    timezone: str = "UTC"


class NewJob(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The body of ``POST /jobs``. What is to be worked on is in ``transactions``, in a ``source``, or in an uploaded file."""

    kind: Kind
    transactions: list[msgspec.Raw] | None = None
    strict: bool = False
    """Of ``transactions``: whether a field that is none is refused, or passed over."""
    source: str | None = None
    """An address that the operator allows: ``file:///...``, ``s3://...``, ``gs://...``."""
    dataset: str = "transactions"
    """Of kind ingest: what to load it into."""
    encoding: str | None = None
    constants: dict[str, str] = {}
    """Values of columns that are the same for all rows."""
    max_bad: str | None = None
    """Of kind ingest: bad rows that there may be, as a number or as 5%."""
    pack: str | None = None
    """Digest of the stored pack that decides, the active one if not given."""
    full: bool = False
    """Of kind reclassify: every row, not only those that can come out otherwise."""
    reason: str = ""
    webhook: WebhookWanted | None = None
    schedule: ScheduleWanted | None = None
    """Makes such a job at each of its times, and none now; of an operator's."""


JOB = msgspec.json.Decoder(NewJob)


def read_new_job(body: bytes) -> NewJob:
    """Read a body; raises ``MalformedBody`` or ``InvalidInput`` naming the place."""
    try:
        return JOB.decode(body)
    except BAD_JSON as error:
        raise refusal_of(error) from error


def check_new_job(wanted: NewJob, settings: Settings, *, uploaded: bool) -> None:
    """Raise ``InvalidInput`` unless there is exactly one thing to work on, and all that is said fits the kind."""
    given = [name for name in ("transactions", "source") if getattr(wanted, name) is not None] + ["an uploaded file"] * uploaded
    needed = wanted.kind != "reclassify"
    if len(given) != needed:
        said = "exactly one of `transactions`, `source` and an uploaded file" if needed else "neither rows nor a source"
        raise _wrong("kind", f"a job of kind {wanted.kind} takes {said}; there is {' and '.join(given) or 'none'}")
    if len(wanted.transactions or ()) > MAX_ROWS:
        raise BodyTooLarge(f"the body has more than {MAX_ROWS:,} transactions: upload them as a file of JSON lines")
    try:
        dataset(wanted.dataset, settings.datasets)
        if wanted.encoding is not None:
            known(wanted.encoding)
    except InvalidInput as error:
        raise InvalidInput(error.message, [Place("#/dataset" if wanted.encoding is None else "#/encoding", error.message)]) from error
    if wanted.pack is not None and not DIGEST.fullmatch(wanted.pack):
        raise _wrong("pack", "is no digest of a pack: `GET /packs` shows those that there are")
    if wanted.schedule is not None and (wanted.transactions is not None or uploaded or wanted.webhook is not None):
        raise _wrong("schedule", "goes with a `source` or the kind reclassify, and without a webhook")
    if any("\0" in text for text in (wanted.reason, wanted.max_bad or "", *wanted.constants, *wanted.constants.values())):
        raise _wrong("reason", "no text may hold NUL")


def request_of(wanted: NewJob, content: Content | None) -> dict[str, Any]:
    """Give the request as the kind's function reads it."""
    if content is None:
        return {"full": wanted.full, "reason": wanted.reason} | ({"pack": wanted.pack} if wanted.pack else {})
    request: dict[str, Any] = {"source": content.source, "constants": wanted.constants}
    if wanted.encoding is not None:
        request["encoding"] = wanted.encoding
    if wanted.pack:
        request["pack"] = wanted.pack
    if wanted.kind == "ingest":
        return request | {"dataset": wanted.dataset} | ({"max_bad": wanted.max_bad} if wanted.max_bad else {})
    return request | {"inline": content.inline} | ({"strict": True} if wanted.strict else {})


def lines_of(rows: list[msgspec.Raw]) -> bytes:
    """Write rows one a line."""
    return b"".join(msgspec.json.format(row, indent=-1) + b"\n" for row in rows)


def webhook_of(wanted: WebhookWanted, settings: Settings) -> Webhook:
    """Check who is to be told; raises ``InvalidInput``. Where the address leads is looked at when something is sent."""
    try:
        parts = urlsplit(wanted.url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise _wrong("webhook/url", "is not an address") from error
    plain = parts.scheme == "http" and host in settings.webhook_hosts
    if not host or "@" in parts.netloc or len(wanted.url) > LONGEST_URL or not wanted.url.isascii() or not wanted.url.isprintable():
        raise _wrong("webhook/url", "is not an address of the form https://host/path")
    if parts.scheme != "https" and not plain:
        raise _wrong("webhook/url", "is not an https address")
    if len(wanted.secrets) > MOST_SECRETS:
        raise _wrong("webhook/secrets", f"has more than {MOST_SECRETS} secrets")
    for secret in wanted.secrets:
        _check_secret(secret)
    return Webhook(wanted.url, tuple(wanted.secrets) or (SECRET + base64.b64encode(secrets.token_bytes(SECRET_BYTES[0])).decode(),))


def _check_secret(secret: str) -> None:
    try:
        raw = base64.b64decode(secret.removeprefix(SECRET), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if not secret.startswith(SECRET) or not SECRET_BYTES[0] <= len(raw) <= SECRET_BYTES[1]:
        raise _wrong("webhook/secrets", "holds what is not whsec_ and 24 to 64 bytes in base64")


def _wrong(field: str, message: str) -> InvalidInput:
    return InvalidInput(f"{field.replace('/', '.')}: {message}", [Place(f"#/{field}", message)])
