"""The job kind ``webhook``: tells a client that a job has ended, as Standard Webhooks writes it.

Each attempt has the same id and body, a timestamp of its own, and a signature for each of the client's secrets. Any answer but 2xx is
tried again with growing pauses; 410 ends it.
"""

import asyncio
import base64
import hashlib
import hmac
import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from rayapp.data_jobs.guarded_post import Letter, post
from rayapp.data_jobs.holding import ShouldStop, Tell
from rayapp.errors import InvalidInput, Unavailable
from rayapp.settings import Settings
from rayapp.store.database import connection, resolve_url
from rayapp.store.jobs import Job, fetch_job
from rayapp.store.webhooks import Webhook, webhook_of

GONE = 410
SECRET = "whsec_"  # noqa: S105 - how Standard Webhooks has secrets begin


class WebhookRequest(msgspec.Struct, frozen=True):
    """Which job to tell of, what happened and when; ``job`` is the one that tells."""

    job: UUID
    about: UUID
    type: str
    at: str


def run_webhook(settings: Settings, request: dict[str, Any], _tell: Tell, _should_stop: ShouldStop) -> dict[str, Any]:
    """Tell of a job; raises ``Unavailable`` when nobody took it, ``InvalidInput`` when nobody ever will."""
    wanted = msgspec.convert(request, WebhookRequest)
    job, webhook = asyncio.run(_read(settings, wanted.about))
    if webhook is None:
        raise InvalidInput(f"nobody is told of job {wanted.about} any more")
    body, message = body_of(wanted, job), f"msg_{wanted.job.hex}"
    status = post(Letter(webhook.url, body, signed(message, int(time.time()), body, webhook.secrets)), settings.webhook_hosts)
    if status == GONE:
        raise InvalidInput(f"the receiver answered {status}: it wants to be told no more")
    if not 200 <= status < 300:  # noqa: PLR2004 - RFC 9110: successful
        raise Unavailable(f"the receiver answered {status}")
    return {"status": status, "message": message}


def body_of(wanted: WebhookRequest, job: Job) -> bytes:
    """Write what is told."""
    names = ("id", "kind", "state", "rows_total", "rows_done", "rows_failed", "pack", "failure", "result")
    return msgspec.json.encode({"type": wanted.type, "timestamp": wanted.at, "data": {name: getattr(job, name) for name in names}})


def signed(message: str, at: int, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """Give the headers of Standard Webhooks; ``at`` in seconds since 1970."""
    content = b"%b.%d.%b" % (message.encode(), at, body)
    keys = [base64.b64decode(secret.removeprefix(SECRET)) for secret in secrets]
    signatures = [base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode() for key in keys]
    return {
        "Webhook-Id": message,
        "Webhook-Timestamp": str(at),
        "Webhook-Signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


async def _read(settings: Settings, about: UUID) -> tuple[Job, Webhook | None]:
    async with connection(resolve_url(settings)) as session:
        return await fetch_job(session, about), await webhook_of(session, about)
