"""What ``/docs`` says of the routes of jobs."""

from typing import Any

from rayapp.serve.job_results import NDJSON, PARQUET
from rayapp.serve.problems import MEDIA_TYPE
from rayapp.serve.taken_upload import ENDINGS

EXAMPLE_ROW = {"id": "1", "descriptor": "SQ *BLUE BOTTLE 0123 OAKLAND CA", "amount": "4.50", "currency": "USD", "direction": "debit"}
STATUS = "/status/2f6f8f3e-5a3d-4c4e-9a55-0d6d6bb8a1a7"

TAKEN = {
    400: "The body cannot be read",
    401: "A key is needed",
    403: "An operator's key is needed",
    408: "The body did not arrive in time",
    409: "A request with the same Idempotency-Key is being answered",
    413: "The body is too large",
    415: "The body is no JSON and no file of rows",
    422: "A value is wrong, or the Idempotency-Key was sent with another request",
    429: "The client asks too often",
    503: "The database does not answer",
}
LISTED = {401: "A key is needed", 422: "A value is wrong", 429: "The client asks too often", 503: "The database does not answer"}
LOOKED = LISTED | {404: "There is no such job"}
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same key and request get the same answer, byte for byte, for a week.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}


def schema(name: str) -> dict[str, Any]:
    """Refer to a message."""
    return {"$ref": f"#/components/schemas/{name}"}


def answer(described: str, of: dict[str, Any], media_type: str = "application/json") -> dict[str, Any]:
    """Describe an answer."""
    return {"description": described, "content": {media_type: {"schema": of}}}


def problems(said: dict[int, str]) -> dict[int | str, dict[str, Any]]:
    """Describe what can go wrong."""
    return {status: answer(words, schema("Report"), MEDIA_TYPE) for status, words in said.items()}


def made(said: dict[int, str]) -> dict[int | str, dict[str, Any]]:
    """Describe the answer to what makes a job."""
    location = {"Location": {"description": "Where to look how far it is", "schema": {"type": "string"}, "example": STATUS}}
    return {202: {**answer("The job is made", schema("JobView")), "headers": location}, **problems(said)}


_FILES = {media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in sorted(ENDINGS)}
_WORDS = {
    "kind": "classify (if not given) or ingest",
    "dataset": "what to load it into",
    "name": "the file's name",
    "encoding": "how its text is written",
    "max_bad": "bad rows that there may be, as a number or as 5%",
    "pack": "digest of the pack that decides",
    "webhook": "who is to be told when the job ends",
}
_QUERY = [
    {"name": name, "in": "query", "description": f"Of an uploaded file: {words}", "schema": {"type": "string"}}
    for name, words in _WORDS.items()
]
_FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "format": "binary"},
        **{name: {"type": "string", "description": words} for name, words in _WORDS.items()},
    },
}

NEW_DOCS: dict[str, Any] = {
    "status_code": 202,
    "openapi_extra": {
        "parameters": [KEY, *_QUERY],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": schema("NewJob"), "example": {"kind": "classify", "transactions": [EXAMPLE_ROW]}},
                "multipart/form-data": {"schema": _FORM},
                **_FILES,
            },
        },
    },
    "responses": {201: answer("The schedule is made, where one is asked for", schema("ScheduleView")), **made(TAKEN)},
}
JOB_DOCS: dict[str, Any] = {"responses": {200: answer("The job", schema("JobView")), **problems(LOOKED)}}
LIST_DOCS: dict[str, Any] = {"responses": {200: answer("A page", schema("JobList")), **problems(LISTED)}}
CANCEL_DOCS: dict[str, Any] = {
    "responses": {
        200: answer("It is cancelled", schema("JobView")),
        202: answer("It is asked to stop", schema("JobView")),
        **problems(LOOKED | {409: "It has ended otherwise"}),
    }
}
RETRY_DOCS: dict[str, Any] = {
    "status_code": 202,
    "openapi_extra": {"parameters": [KEY]},
    "responses": made(LOOKED | {409: "It left nothing to do, or a request with the same Idempotency-Key is being answered"}),
}
_ROW = {"anyOf": [schema("ResultRow"), schema("RejectedResult")]}
RESULTS_DOCS: dict[str, Any] = {
    "responses": {
        200: {
            "description": "Rows",
            "headers": {"Link": {"description": "The next page, while there is or may be one", "schema": {"type": "string"}}},
            "content": {NDJSON: {"schema": _ROW}, PARQUET: {"schema": {"type": "string", "format": "binary"}}},
        },
        **problems(LOOKED | {406: "Results are not given as that", 409: "The job has not ended, and all its rows are asked for"}),
    }
}
