"""A job as clients see it."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from rayapp.store.job_states import LIVE, RETRIABLE, State
from rayapp.store.jobs import Job

HIDDEN = {"source", "inline", "made_by"}
"""Of a request: what is about where things lie here."""


class RowCounts(msgspec.Struct, frozen=True):
    """Rows of a job; ``done`` counts the failed ones too, ``total`` is ``None`` until it is known."""

    total: int | None
    done: int
    failed: int


class JobView(msgspec.Struct, frozen=True, kw_only=True):
    """How far a job is and how it ended."""

    id: UUID
    kind: str
    state: State
    rows: RowCounts
    rows_per_s: float | None
    eta_s: float | None
    queue_position: int | None
    """Jobs that are begun before this one, while it is queued."""
    attempts: int
    failure: str | None
    pack: str | None
    request: dict[str, Any]
    result: dict[str, Any] | None
    retry_of: UUID | None
    created_by: str
    """The beginning of the key that it was asked for with; ``http`` without keys."""
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    cancel_requested_at: datetime | None
    links: dict[str, str]


class JobList(msgspec.Struct, frozen=True):
    """A page of jobs, the newest first, and where the next page is."""

    jobs: list[JobView]
    next: str | None


class ScheduleView(msgspec.Struct, frozen=True):
    """A schedule that was made, and the first time at which it makes a job."""

    name: str
    cron: str
    timezone: str
    kind: str
    next_at: datetime


def view_of(job: Job, ahead: int | None = None) -> JobView:
    """Show a job; ``ahead`` counts the jobs that are begun before it."""
    return JobView(
        id=job.id,
        kind=job.kind,
        state=job.state,
        rows=RowCounts(job.rows_total, job.rows_done, job.rows_failed),
        rows_per_s=_rounded(job.rows_per_s),
        eta_s=_rounded(job.eta_s),
        queue_position=ahead,
        attempts=job.attempts,
        failure=job.failure,
        pack=job.pack,
        request={name: value for name, value in job.request.items() if name not in HIDDEN},
        result=job.result,
        retry_of=job.retry_of,
        created_by=job.created_by,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        cancel_requested_at=job.cancel_requested_at,
        links=_links(job),
    )


def _links(job: Job) -> dict[str, str]:
    links = {"self": f"/jobs/{job.id}", "status": f"/status/{job.id}"}
    if job.kind == "classify":
        links["results"] = f"/jobs/{job.id}/results"
    if job.state in LIVE:
        links["cancel"] = f"/jobs/{job.id}"
    if job.state in RETRIABLE:
        links["retry"] = f"/jobs/{job.id}/retry"
    return links


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
