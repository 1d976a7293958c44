"""The routes. They know a desk that classifies, and nothing of Ray."""

import asyncio
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from rayapp.errors import InvalidInput, RayappError
from rayapp.serve.bodies import MAX_BYTES, STRICT, check_media_type
from rayapp.serve.deferred import APPLIED, keep_rows, wants_it_later
from rayapp.serve.desk import Desk
from rayapp.serve.edge import Carried
from rayapp.serve.encodings import Collected, in_time
from rayapp.serve.envelope import Envelope
from rayapp.serve.hot import HotPath
from rayapp.serve.job_desk import JobDesk
from rayapp.serve.job_routes import add_jobs, response_to, sender_of
from rayapp.serve.limits import limits_of
from rayapp.serve.new_job import NewJob
from rayapp.serve.openapi import BULK_DOCS, LIMITS_DOCS, PLAIN_DOCS, READY_DOCS, describe
from rayapp.serve.pack_routes import add_packs
from rayapp.serve.page_routes import add_pages
from rayapp.serve.problems import Place, report_of, report_of_status, response_of
from rayapp.serve.review_routes import add_categories, add_stored
from rayapp.serve.wishes import wishes_of

JSON = "application/json"
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
READ_WITHIN_S = 30.0


def build_app(desk: Desk, jobs: JobDesk | None = None) -> Any:  # noqa: ANN401 - FastAPI in an envelope is an ASGI app of no nameable type
    """Give the service's ASGI app around a desk, and one for jobs where there are any."""
    summary = "Merchant, category, confidence and reasons for bank and card transactions."
    app = FastAPI(title="rayapp", summary=summary, docs_url=None, redoc_url=None)
    app.add_exception_handler(RayappError, _refuse)
    app.add_exception_handler(HTTPException, _refuse_as_framework)
    app.add_exception_handler(RequestValidationError, _refuse_parameters)
    app.add_exception_handler(Exception, _own_up)
    _add_classification(app, desk, jobs)
    _add_operation(app, desk)
    _add_limits(app, jobs)
    add_categories(app, desk)
    add_pages(app)
    if jobs is not None:
        add_jobs(app, jobs)
        add_packs(app, jobs)
        add_stored(app, jobs)
    describe(app)
    return Carried(Envelope(HotPath(app, desk), desk.metrics, desk.gate))


def _add_classification(app: FastAPI, desk: Desk, jobs: JobDesk | None) -> None:
    @app.post("/classify/bulk", **BULK_DOCS)
    async def classify_bulk(request: Request) -> Response:
        """Classify up to 20,000 transactions, each with a status of its own: a bad row costs its neighbours nothing.

        With `Prefer: respond-async` the rows, as many as there are, become a job of kind classify.
        """
        if jobs is not None and wants_it_later(request):
            return await classify_later(request, desk, jobs)
        wishes = wishes_of(request.scope["query_string"])
        body = await read_body(request, MAX_BYTES)
        return Response(await desk.classify_bulk(body, request.state.client, wishes), media_type=JSON)


def _add_operation(app: FastAPI, desk: Desk) -> None:
    @app.get("/healthz", **PLAIN_DOCS)
    async def healthz() -> Response:
        """Say that the process lives."""
        return Response(b'{"status":"ok"}', media_type=JSON)

    @app.get("/readyz", **READY_DOCS)
    async def readyz() -> Response:
        """Say which pack decides; 503 while none is loaded."""
        version, classifier = desk.deciding
        return Response(msgspec.json.encode({"status": "ready", "version": version, "pack": classifier.pack.digest}), media_type=JSON)

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(await desk.told(), media_type=PROMETHEUS)


def _add_limits(app: FastAPI, jobs: JobDesk | None) -> None:
    @app.get("/limits", **LIMITS_DOCS)
    async def limits(request: Request) -> Response:
        """Say what the service takes, and what the client that asks may have of it."""
        found = limits_of(request.state.client, jobs.store.most_bytes if jobs is not None else None)
        return Response(msgspec.json.encode(found), media_type=JSON)


async def classify_later(request: Request, desk: Desk, jobs: JobDesk) -> Response:
    """Make a job of a bulk request."""
    sender, wishes = sender_of(request), wishes_of(request.scope["query_string"])
    jobs.store.check_announced(request.headers.get("content-length", ""))
    await jobs.check_means(sender.client)
    content = await keep_rows(request, jobs.store, desk.stored)
    given = await jobs.take(sender, NewJob(kind="classify", strict=wishes.reading is STRICT), content)
    answer = response_to(given)
    answer.headers.update(APPLIED)
    return answer


async def read_body(request: Request, most: int) -> bytes:
    """Read a JSON body of at most ``most`` bytes, and no byte more than needed to refuse it."""
    headers = dict(request.headers.raw)
    check_media_type(headers)
    collected = Collected(headers, most)
    with in_time():
        async with asyncio.timeout(READ_WITHIN_S):
            async for piece in request.stream():
                collected.add(piece)
    return collected.body()


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, RayappError)  # noqa: S101 - registered for it
    return response_of(report_of(error, request.state.request_id))


async def _own_up(request: Request, _: Exception) -> Response:
    """Answer for what nobody foresaw; the envelope logs it."""
    return response_of(report_of(RayappError("failed"), request.state.request_id))


async def _refuse_as_framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    return response_of(report_of_status(error.status_code, str(error.detail), request.state.request_id), error.headers)


async def _refuse_parameters(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
    places = [Place(f"?{fault['loc'][-1]}", fault["msg"]) for fault in error.errors()]
    refused = InvalidInput("; ".join(f"{place.pointer}: {place.detail}" for place in places), places)
    return response_of(report_of(refused, request.state.request_id))
