"""What ``/docs`` says of the routes of packs, and the messages that only they have."""

from typing import Any

import msgspec

from rayapp.serve.job_docs import KEY, LISTED, answer, made, problems, schema
from rayapp.store.corrections import Corrected
from rayapp.store.decision_history import Change
from rayapp.store.packs import StoredPack
from rayapp.store.plan_application import Changeset, Reverted


class Published(msgspec.Struct, frozen=True):
    """A stored pack; not ``new`` where it was stored before."""

    digest: str
    name: str
    new: bool


class Activated(msgspec.Struct, frozen=True):
    """The pack that decides now, and the version that every replica will say it has."""

    digest: str
    version: int


class Reason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why something is done. ``override`` is the reason to do it though it breaks corrections; ``full`` plans over every row."""

    reason: str = ""
    override: str = ""
    full: bool = False


class NewCorrection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person's word: a detailed category, who says so, and whether packs must decide so from now on."""

    category: str
    by: str
    merchant: str | None = None
    reason: str = ""
    regression: bool = True


PACK_MESSAGES = (Published, Activated, Reason, NewCorrection, StoredPack, Changeset, Reverted, Corrected, Change)

SAID = LISTED | {
    400: "The body cannot be read",
    403: "An operator's key is needed",
    404: "There is nothing here",
    409: "A request with the same Idempotency-Key is being answered",
    413: "The body is too large",
    415: "The body's encoding is not taken",
}
_ARCHIVE = {"schema": {"type": "string", "format": "binary"}}


def _list(name: str, of: str) -> dict[str, Any]:
    return {"type": "object", "required": [name], "properties": {name: {"type": "array", "items": schema(of)}}}


def _posts(name: str, of: str, *, needed: bool = False) -> dict[str, Any]:
    body = {"required": needed, "content": {"application/json": {"schema": schema(name)}}}
    responses = {200: answer("It is done", schema(of)), **problems(SAID)}
    return {"openapi_extra": {"parameters": [KEY], "requestBody": body}, "responses": responses}


PACKS_DOCS: dict[str, Any] = {"responses": {200: answer("The packs", _list("packs", "StoredPack")), **problems(LISTED)}}
PUBLISH_DOCS: dict[str, Any] = {
    "openapi_extra": {"requestBody": {"required": True, "content": {"application/zip": _ARCHIVE, "application/x-tar": _ARCHIVE}}},
    "responses": {
        200: answer("It was stored before", schema("Published")),
        201: answer("It is stored", schema("Published")),
        **problems(SAID | {422: "The pack has faults, each by file and line"}),
    },
}
PLAN_DOCS: dict[str, Any] = {**_posts("Reason", "JobView"), "status_code": 202, "responses": made(SAID)}
ACTIVATE_DOCS = _posts("Reason", "Activated")
APPLY_DOCS = _posts("Reason", "Changeset")
REVERT_DOCS = _posts("Reason", "Reverted")
CORRECT_DOCS = _posts("NewCorrection", "Corrected", needed=True)
_NONE = {404: "There is no such transaction"}
HISTORY_DOCS: dict[str, Any] = {"responses": {200: answer("The changes", _list("changes", "Change")), **problems(LISTED | _NONE)}}
