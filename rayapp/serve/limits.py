"""What the service takes, and what of it the client that asks may have: the answer of ``GET /limits``."""

import msgspec

from rayapp.serve.admission import Client
from rayapp.serve.bodies import MAX_BYTES, MAX_ONE_BYTES, MAX_ROWS
from rayapp.serve.desk import CHUNK_ROWS, WITHIN_S
from rayapp.serve.job_results import MOST_ROWS
from rayapp.serve.job_toll import MOST_LIVE
from rayapp.serve.pace import LEAST_BYTES_PER_S
from rayapp.serve.pace import SILENCE_S as BODY_SILENCE_S
from rayapp.serve.queueing import Tier
from rayapp.serve.streaming import MAX_LINE_BYTES, SILENCE_S

MAX_DESCRIPTOR = 512
BEYOND = "`POST /jobs` with an upload, or `Prefer: respond-async` on `POST /classify/bulk`; files of any size: `rayapp ingest FILE`"


class OneLimits(msgspec.Struct, frozen=True):
    """Of ``POST /classify``."""

    max_bytes: int = MAX_ONE_BYTES


class BulkLimits(msgspec.Struct, frozen=True):
    """Of ``POST /classify/bulk``; other requests have their turn after each chunk."""

    max_rows: int = MAX_ROWS
    max_bytes: int = MAX_BYTES
    chunk_rows: int = CHUNK_ROWS
    max_seconds: float = WITHIN_S


class StreamLimits(msgspec.Struct, frozen=True):
    """Of ``POST /classify/stream``, which may go on for ever, but not be silent for longer than this."""

    max_line_bytes: int = MAX_LINE_BYTES
    max_silence_s: float = SILENCE_S


class JobLimits(msgspec.Struct, frozen=True):
    """Of ``POST /jobs``: rows and bytes in a JSON body, bytes of an upload, rows of a page of results."""

    max_upload_bytes: int | None
    max_rows: int = MAX_ROWS
    max_bytes: int = MAX_BYTES
    max_page_rows: int = MOST_ROWS
    max_silence_s: float = BODY_SILENCE_S
    least_bytes_per_s: int = LEAST_BYTES_PER_S


class DescriptorLimits(msgspec.Struct, frozen=True):
    """Of a descriptor."""

    max_characters: int = MAX_DESCRIPTOR


class ClientLimits(msgspec.Struct, frozen=True):
    """Of the client that asks; ``rows_left`` as far as this replica knows."""

    tier: Tier
    rows_per_s: float
    burst_rows: float
    rows_left: int
    at_once: int
    live_jobs: int


class Limits(msgspec.Struct, frozen=True):
    """What the service takes; ``client`` only where there are keys."""

    jobs: JobLimits
    client: ClientLimits | None
    classify: OneLimits = OneLimits()
    bulk: BulkLimits = BulkLimits()
    stream: StreamLimits = StreamLimits()
    descriptor: DescriptorLimits = DescriptorLimits()
    beyond: str = BEYOND


def limits_of(client: Client, max_upload_bytes: int | None) -> Limits:
    """Say what there is for a client."""
    jobs = JobLimits(max_upload_bytes)
    if client.bucket is None:
        return Limits(jobs, None)
    allowance, left = client.bucket.allowance, client.bucket.standing().left
    own = ClientLimits(client.tier, allowance.rows_per_s, allowance.burst_rows, left, allowance.at_once, MOST_LIVE[client.tier])
    return Limits(jobs, own)
