"""What ``/docs`` says of bodies and answers: schemas from the messages themselves, examples, and the problem each route can give."""

from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import FastAPI

from rayapp.scoring.transaction import Classification, Transaction
from rayapp.serve.admission import OPEN_PATHS
from rayapp.serve.answers import RejectedRow, Summary
from rayapp.serve.bodies import Bulk
from rayapp.serve.job_docs import KEY, made
from rayapp.serve.job_results import RejectedResult, ResultRow
from rayapp.serve.job_views import JobList, JobView, ScheduleView
from rayapp.serve.limits import Limits
from rayapp.serve.new_job import NewJob
from rayapp.serve.pack_docs import PACK_MESSAGES
from rayapp.serve.problems import MEDIA_TYPE, Report
from rayapp.serve.review_routes import REVIEW_MESSAGES
from rayapp.serve.streaming import Broken, Finished

JOB_MESSAGES = (NewJob, JobView, JobList, ScheduleView, ResultRow, RejectedResult)
ROW_MESSAGES = (Transaction, Bulk, Classification, RejectedRow, Summary, Finished, Broken, Report, Limits)
MESSAGES = (*ROW_MESSAGES, *JOB_MESSAGES, *PACK_MESSAGES, *REVIEW_MESSAGES)
COMPONENTS = "#/components/schemas/{name}"
BULK_ANSWER = {
    "title": "BulkAnswer",
    "description": "One result for each row, in the body's order.",
    "type": "object",
    "required": ["results", "summary", "pack"],
    "properties": {
        "results": {
            "type": "array",
            "items": {"anyOf": [{"$ref": COMPONENTS.format(name=name)} for name in ("Classification", "RejectedRow")]},
        },
        "summary": {"$ref": COMPONENTS.format(name="Summary")},
        "pack": {"type": "string"},
        "partial": {"const": "database", "description": "What was away, so that rows are `unavailable`; missing where nothing was"},
    },
}
EXAMPLE = {"id": "1", "descriptor": "SQ *BLUE BOTTLE 0123 OAKLAND CA", "amount": "4.50", "currency": "USD", "direction": "debit"}

EXAMPLE_LINES = "\n".join(msgspec.json.encode({**EXAMPLE, "id": name}).decode() for name in ("1", "2"))
LINES = "application/x-ndjson"


def _schema(name: str) -> dict[str, Any]:
    return {"$ref": COMPONENTS.format(name=name)}


def _body(name: str, example: dict[str, Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": _schema(name), "example": example}}
    return {"requestBody": {"required": True, "content": content}}


def _answers(schema: dict[str, Any], problems: dict[int, str]) -> dict[int | str, dict[str, Any]]:
    def content(media_type: str, described: dict[str, Any]) -> dict[str, Any]:
        return {"content": {media_type: {"schema": described}}}

    given: dict[int | str, dict[str, Any]] = {200: {"description": "The answer", **content("application/json", schema)}}
    return given | {status: {"description": words, **content(MEDIA_TYPE, _schema("Report"))} for status, words in problems.items()}


def _plain(schema: dict[str, Any], problems: dict[int, str]) -> dict[str, Any]:
    return {"responses": _answers(schema, problems)}


REFUSED = {
    400: "The body cannot be read",
    401: "A key is needed",
    408: "The body did not arrive in time",
    413: "The body is too large",
    415: "The body is of another kind",
    429: "The rows of the key are spent, or it has too many requests at once",
    503: "The service is full, or no pack is loaded yet",
}

STRICTLY = {
    "name": "strict",
    "in": "query",
    "description": "Whether a field that is none is refused, or passed over",
    "schema": {"type": "boolean", "default": False},
}
ONE_DOCS: dict[str, Any] = {
    "summary": "Classify",
    "description": "One transaction; with `explain=true` the answer carries the evidence, the next categories and what was peeled off.",
    "operationId": "classify_classify_post",
    "parameters": [{"name": "explain", "in": "query", "schema": {"type": "boolean", "default": False}}, STRICTLY],
    **_body("Transaction", EXAMPLE),
    "responses": {str(status): told for status, told in _answers(_schema("Classification"), {**REFUSED, 422: "A value is wrong"}).items()},
}
"""The operation that ``hot`` answers, which FastAPI knows nothing of."""

STREAM_DOCS: dict[str, Any] = {
    "summary": "Classify Stream",
    "description": (
        "One transaction on each line; one answer on each line, in the same order, while the body still arrives. A bad line is answered in "
        "its place with its number. The last line is a summary; or, where the stream had to end before, an error with the line to begin "
        "again from."
    ),
    "operationId": "classify_stream_classify_stream_post",
    "parameters": [
        {
            "name": "from_line",
            "in": "query",
            "description": "the first line that is to be answered; those before it are passed over",
            "schema": {"type": "integer", "minimum": 1, "default": 1},
        },
        STRICTLY,
    ],
    "requestBody": {"required": True, "content": {LINES: {"schema": _schema("Transaction"), "example": EXAMPLE_LINES}}},
    "responses": {
        "200": {
            "description": "A line for each line, then `Finished` or `Broken`",
            "content": {LINES: {"schema": {"anyOf": [_schema(name) for name in ("Classification", "RejectedRow", "Finished", "Broken")]}}},
        },
        **{str(status): told for status, told in _answers({}, {**REFUSED, 422: "A parameter is wrong"}).items() if status != HTTPStatus.OK},
    },
}
_PREFER = {
    "name": "Prefer",
    "in": "header",
    "description": "`respond-async`: the rows, as many as there are, become a job of kind classify.",
    "schema": {"type": "string"},
    "example": "respond-async",
}
_LATER = made({})[202]
_BULK_BODY = _body("Bulk", {"transactions": [EXAMPLE, {"id": "2", "descriptor": "PAYROLL ACME GMBH", "direction": "credit"}]})
BULK_DOCS: dict[str, Any] = {
    "openapi_extra": {"parameters": [STRICTLY, _PREFER, KEY], **_BULK_BODY},
    "responses": {
        **_answers(_schema("BulkAnswer"), {**REFUSED, 422: "A parameter is wrong"}),
        202: {**_LATER, "description": "A job is made, as was preferred"},
    },
}
PLAIN_DOCS: dict[str, Any] = _plain({"type": "object", "properties": {"status": {"const": "ok"}}}, {})
READY_DOCS: dict[str, Any] = _plain(
    {"type": "object", "properties": {"status": {"const": "ready"}, "version": {"type": "integer"}, "pack": {"type": "string"}}},
    {503: "No pack is loaded yet"},
)
LIMITS_DOCS: dict[str, Any] = _plain(_schema("Limits"), {401: "A key is needed"})


KEYS = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A key that `rayapp keys add` made"},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
_SECONDS = {"description": "Seconds after which it is worth asking again", "schema": {"type": "integer", "minimum": 1}}
_LEFT = {"description": "Rows that the key has left, where there are keys", "schema": {"type": "string"}, "example": '"rows";r=49000;t=1'}
_POLICY = {"description": "Rows its bucket holds, seconds to fill it", "schema": {"type": "string"}, "example": '"rows";q=50000;w=10'}


def _tell_of_keys(path: str, operation: dict[str, Any]) -> None:
    """Say that a route wants a key, where there are any, and which headers come with that."""
    if path in OPEN_PATHS:
        return
    operation["security"] = [{}, *({scheme: []} for scheme in KEYS)]
    for status, told in operation["responses"].items():
        headers = told.setdefault("headers", {})
        headers |= {"RateLimit": _LEFT, "RateLimit-Policy": _POLICY} if status != "401" else {}
        headers |= {"Retry-After": _SECONDS} if status in {"429", "503"} else {}


def describe(app: FastAPI) -> None:
    """Add the messages' schemas to what FastAPI knows of its routes."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            generate()["paths"] |= {"/classify": {"post": ONE_DOCS}, "/classify/stream": {"post": STREAM_DOCS}}
            _, components = msgspec.json.schema_components(MESSAGES, ref_template=COMPONENTS)
            generate().setdefault("components", {}).setdefault("schemas", {}).update(components, BulkAnswer=BULK_ANSWER)
            generate()["components"]["securitySchemes"] = KEYS
            for path, operations in generate()["paths"].items():
                for operation in operations.values():
                    _tell_of_keys(path, operation)
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]
