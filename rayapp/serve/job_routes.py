"""The routes of jobs."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from typing import Annotated
from uuid import UUID

import asyncpg
import msgspec
from fastapi import FastAPI, Query, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

from rayapp.errors import InvalidInput
from rayapp.serve.bodies import MAX_BYTES
from rayapp.serve.encodings import Collected
from rayapp.serve.job_desk import JobDesk, Sender
from rayapp.serve.job_docs import CANCEL_DOCS, JOB_DOCS, LIST_DOCS, NEW_DOCS, RESULTS_DOCS, RETRY_DOCS
from rayapp.serve.job_results import MOST_ROWS, NDJSON, PARQUET, read_page
from rayapp.serve.new_job import read_new_job
from rayapp.serve.pace import paced
from rayapp.serve.problems import Place, bad_parameter
from rayapp.serve.refusals import Conflict, NotFound
from rayapp.serve.result_file import PartsAfter, file_of
from rayapp.serve.taken_upload import take_upload
from rayapp.store.given_answers import Given
from rayapp.store.job_results import Part, parts_after, root_of
from rayapp.store.job_states import LIVE, State
from rayapp.store.jobs import MOST_LISTED, Job, Wanted

JSON = "application/json"
MOST_SEQ = 2**63 - 1
KEY = re.compile(r"[\x21-\x7e]{1,255}")
JSON_BODY = {"", JSON, "application/x-www-form-urlencoded"}

States = Annotated[list[State] | None, Query()]
Kinds = Annotated[list[str] | None, Query(max_length=10)]
Before = Annotated[int | None, Query(ge=1, le=MOST_SEQ)]
After = Annotated[int, Query(ge=0, le=MOST_SEQ)]
Limit = Annotated[int, Query(ge=1, le=MOST_ROWS)]


def add_jobs(app: FastAPI, jobs: JobDesk) -> None:
    """Add the routes of jobs to an app."""
    _add_making(app, jobs)
    _add_looking(app, jobs)
    _add_results(app, jobs)


def _add_making(app: FastAPI, jobs: JobDesk) -> None:
    @app.post("/jobs", **NEW_DOCS)
    async def new_job(request: Request) -> Response:
        """Have rows classified or loaded, or stored ones decided again, by whoever is free: rows in the body, an uploaded file or a URI."""
        media_type = essence_of(request)
        if media_type in JSON_BODY or media_type.endswith("+json"):
            body = await collected(request, MAX_BYTES)
            return response_to(await jobs.take(sender_of(request, body), read_new_job(body)))
        jobs.store.check_announced(request.headers.get("content-length", ""))
        await jobs.check_means(request.state.client)
        wanted, content = await take_upload(request, jobs.store, media_type)
        return response_to(await jobs.take(sender_of(request), wanted, content))

    @app.post("/jobs/{job_id}/retry", **RETRY_DOCS)
    async def retry_job(request: Request, job_id: UUID) -> Response:
        """Have done what a job left undone: a new job that goes on where the former one stopped."""
        return response_to(await jobs.retry(sender_of(request), job_id))

    @app.delete("/jobs/{job_id}", **CANCEL_DOCS)
    async def cancel_job(request: Request, job_id: UUID) -> Response:
        """Cancel a job; 202 while a running one has not stopped yet. What it has done stays done."""
        view = await jobs.cancel(request.state.client, job_id)
        return Response(msgspec.json.encode(view), 202 if view.state in LIVE else 200, media_type=JSON)


def _add_looking(app: FastAPI, jobs: JobDesk) -> None:
    async def look(request: Request, job_id: UUID) -> Response:
        """Say how far a job is, when it will be done, and how it ended."""
        view = await jobs.status(request.state.client, job_id)
        return Response(msgspec.json.encode(view), media_type=JSON, headers={"Cache-Control": "no-store"})

    app.get("/status/{job_id}", **JOB_DOCS)(look)
    app.get("/jobs/{job_id}", **JOB_DOCS)(look)

    @app.get("/jobs", **LIST_DOCS)
    async def list_jobs(
        request: Request,
        state: States = None,
        kind: Kinds = None,
        before: Before = None,
        limit: Annotated[int, Query(ge=1, le=MOST_LISTED - 1)] = 50,
    ) -> Response:
        """List jobs, the newest first; `next` is the following page."""
        wanted = Wanted(states=tuple(state) if state else None, kinds=_plain(kind), before=before, most=limit)
        page = await jobs.listed(request.state.client, wanted)
        return Response(msgspec.json.encode(page), media_type=JSON, headers=_link(page.next))


def _add_results(app: FastAPI, jobs: JobDesk) -> None:
    @app.get("/jobs/{job_id}/results", **RESULTS_DOCS)
    async def results(request: Request, job_id: UUID, after: After = 0, limit: Limit = 1_000, *, whole: bool = False) -> Response:
        """Give the rows of a job of kind classify after a row, also while it runs; the header `Link` says where to go on.

        `whole` gives all rows of a job that has ended as one file.
        """
        media_type = _wanted_type(request)
        job = await jobs.job(request.state.client, job_id)
        if job.kind != "classify":
            raise NotFound(f"a job of kind {job.kind} has no rows to give: its summary is at /status/{job.id}")

        async def parts(row: int, most: int) -> Sequence[Part]:
            async def find(session: asyncpg.Connection) -> Sequence[Part]:
                return await parts_after(session, await root_of(session, job.id), row, most)

            return await jobs.ask(find)

        if whole:
            return await _whole(jobs, job, parts, media_type)
        found = await parts(after, limit + 1)
        page = await asyncio.to_thread(read_page, jobs.settings.files_dir, found, after, limit, media_type)
        following = f"/jobs/{job.id}/results?after={page.last}&limit={limit}" if page.more or job.live else None
        return Response(page.body, media_type=media_type, headers={"Vary": "Accept", **_link(following)})


async def _whole(jobs: JobDesk, job: Job, parts: PartsAfter, media_type: str) -> Response:
    """Send all rows; what can be refused is refused before the first byte."""
    if job.live:
        raise Conflict(f"job {job.id} is {job.state}: until it has ended its rows are given page by page")
    pieces = file_of(jobs.settings.files_dir, parts, media_type)
    first = await anext(pieces)

    async def body() -> AsyncIterator[bytes]:
        yield first
        async for piece in pieces:
            yield piece

    name = f"{job.id}.{'parquet' if media_type == PARQUET else 'ndjson'}"
    headers = {"Vary": "Accept", "Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(body(), media_type=media_type, headers=headers)


def response_to(given: Given) -> Response:
    """Write an answer that may be given again."""
    headers = {"Location": given.location} if given.location else {}
    return Response(given.body, given.status, {**headers, **({"Idempotency-Replayed": "true"} if given.again else {})}, JSON)


def sender_of(request: Request, body: bytes = b"") -> Sender:
    """Say who sends a request; raises ``InvalidInput`` for a key that is none."""
    key = request.headers.get("idempotency-key")
    if key is not None and not KEY.fullmatch(key):
        raise InvalidInput("Idempotency-Key: is not 1 to 255 visible ASCII characters", [Place("Idempotency-Key", "is no key")])
    what = b"\n".join((request.method.encode(), request.url.path.encode(), request.url.query.encode(), body))
    return Sender(request.state.client, key, what)


def essence_of(request: Request) -> str:
    """Give the media type of a body, without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def collected(request: Request, most: int) -> bytes:
    """Read a body of at most ``most`` bytes as a whole."""
    body = Collected(dict(request.headers.raw), most)
    async for piece in paced(request.stream()):
        body.add(piece)
    return body.body()


def _wanted_type(request: Request) -> str:
    accepted = [word.partition(";")[0].strip().lower() for word in request.headers.get("accept", "*/*").split(",")]
    for word in accepted:
        if word in {PARQUET, "application/x-parquet"}:
            return PARQUET
        if word in {NDJSON, "application/jsonl", "application/*", "*/*", ""}:
            return NDJSON
    raise HTTPException(406, f"results are given as {NDJSON} and {PARQUET}")


def _plain(kinds: list[str] | None) -> tuple[str, ...] | None:
    if kinds is not None and any(not kind.isidentifier() for kind in kinds):
        raise bad_parameter("kind", "is no kind of job")
    return tuple(kinds) if kinds else None


def _link(target: str | None) -> dict[str, str]:
    return {"Link": f'<{target}>; rel="next"'} if target else {}
