"""The routes of packs, plans, changes and corrections: the life of rules."""

from collections.abc import Awaitable
from typing import Annotated, Any

import asyncpg
import msgspec
from fastapi import FastAPI, Path, Request
from starlette.responses import Response

from rayapp.errors import InvalidInput
from rayapp.serve.bodies import BAD_JSON, refusal_of
from rayapp.serve.job_desk import PRIORITIES, JobDesk, accepted
from rayapp.serve.job_routes import collected, essence_of, response_to, sender_of
from rayapp.serve.pack_desk import PackDesk
from rayapp.serve.pack_docs import (
    ACTIVATE_DOCS,
    APPLY_DOCS,
    CORRECT_DOCS,
    HISTORY_DOCS,
    PACKS_DOCS,
    PLAN_DOCS,
    PUBLISH_DOCS,
    REVERT_DOCS,
    Activated,
    NewCorrection,
    Published,
    Reason,
)
from rayapp.serve.problems import Place, UnsupportedBody
from rayapp.serve.refusals import NotFound
from rayapp.serve.uploads import pieces_of
from rayapp.store.corrections import Correction, correct
from rayapp.store.decision_history import decision_history
from rayapp.store.given_answers import Given
from rayapp.store.jobs import JobRequest, enqueue
from rayapp.store.packs import list_packs, save_pack
from rayapp.store.plan_application import activate_checked, apply_plan, fetch_changeset, revert_changeset
from rayapp.store.plans import fetch_plan

JSON = "application/json"
ARCHIVES = {"application/zip", "application/x-tar", "application/gzip", "application/x-gzip", "application/octet-stream"}
MOST_BODY = 100_000
MOST_ID = 2**63 - 1

Digest = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]
Number = Annotated[int, Path(ge=1, le=MOST_ID)]
Name = Annotated[str, Path(min_length=1, max_length=1_000)]


def add_packs(app: FastAPI, jobs: JobDesk) -> None:
    """Add the routes to an app."""
    _add_packs(app, jobs, PackDesk(jobs.settings))
    _add_changes(app, jobs)
    _add_corrections(app, jobs)


def _add_packs(app: FastAPI, jobs: JobDesk, packs: PackDesk) -> None:
    @app.get("/packs", **PACKS_DOCS)
    async def get_packs() -> Response:
        """List the stored packs, the oldest first."""
        return _json({"packs": await jobs.ask(list_packs)})

    @app.post("/packs", **PUBLISH_DOCS)
    async def publish(request: Request) -> Response:
        """Compile and store a pack, sent as a zip or tar of its directory; decides nothing before it is activated."""
        if essence_of(request) not in ARCHIVES:
            raise UnsupportedBody(f"the body is {essence_of(request)!r}: a pack is sent as {' or '.join(sorted(ARCHIVES))}")
        compiled, artefact = await packs.compile(pieces_of(request))
        new = await jobs.ask(lambda session: save_pack(session, compiled.digest, compiled.name, artefact))
        return _json(Published(compiled.digest, compiled.name, new), 201 if new else 200)

    @app.post("/packs/{digest}/plan", **PLAN_DOCS)
    async def plan(request: Request, digest: Digest) -> Response:
        """Work out what a pack would change, as a job whose result is the plan's number and report."""
        body, wanted = await _read(request, Reason)
        sender = sender_of(request, body)

        async def make(session: asyncpg.Connection) -> Given:
            await _stored(session, digest)
            said = {"pack": digest, "full": wanted.full, "reason": wanted.reason, "override": wanted.override, "made_by": sender.name}
            made = JobRequest(kind="plan", request=said, created_by=sender.name, priority=PRIORITIES[sender.client.tier])
            return accepted((await enqueue(session, made)).job)

        return response_to(await jobs.do_once(sender, make))

    @app.post("/packs/{digest}/activate", **ACTIVATE_DOCS)
    async def activate(request: Request, digest: Digest) -> Response:
        """Have a stored pack decide from now on; the former one again is a rollback."""
        body, wanted = await _read(request, Reason)

        async def work(session: asyncpg.Connection) -> Given:
            await _stored(session, digest)
            version = await activate_checked(session, digest, wanted.reason, wanted.override)
            return Given(200, "", msgspec.json.encode(Activated(digest, version)))

        return response_to(await jobs.do_once(sender_of(request, body), work))


def _add_changes(app: FastAPI, jobs: JobDesk) -> None:
    @app.post("/plans/{plan_id}/apply", **APPLY_DOCS)
    async def apply(request: Request, plan_id: Number) -> Response:
        """Write exactly what a plan says and activate its pack, at once or not at all."""
        body, wanted = await _read(request, Reason)
        sender = sender_of(request, body)

        async def work(session: asyncpg.Connection) -> Given:
            await _there(fetch_plan(session, plan_id))
            return _given(await apply_plan(session, plan_id, made_by=sender.name, override=wanted.override))

        return response_to(await jobs.do_once(sender, work))

    @app.post("/changesets/{changeset_id}/revert", **REVERT_DOCS)
    async def revert(request: Request, changeset_id: Number) -> Response:
        """Put back what a change did, but for rows that were edited since, which are named."""
        body, wanted = await _read(request, Reason)
        sender = sender_of(request, body)

        async def work(session: asyncpg.Connection) -> Given:
            await _there(fetch_changeset(session, changeset_id))
            return _given(await revert_changeset(session, changeset_id, made_by=sender.name, reason=wanted.reason))

        return response_to(await jobs.do_once(sender, work))


def _add_corrections(app: FastAPI, jobs: JobDesk) -> None:
    @app.post("/transactions/{transaction_id}/correction", **CORRECT_DOCS)
    async def correction(request: Request, transaction_id: Name) -> Response:
        """Decide a transaction by a person's word and lock it; packs are asked from now on whether they decide so too."""
        body, wanted = await _read(request, NewCorrection)
        said = Correction(transaction_id=transaction_id, made_by=wanted.by, **_without_by(wanted))

        async def work(session: asyncpg.Connection) -> Given:
            await _there(decision_history(session, transaction_id))
            return _given(await correct(session, said))

        return response_to(await jobs.do_once(sender_of(request, body), work))

    @app.get("/transactions/{transaction_id}/history", **HISTORY_DOCS)
    async def history(transaction_id: Name) -> Response:
        """Say how a transaction's decision came to be what it is."""
        return _json({"changes": await jobs.ask(lambda session: _there(decision_history(session, _text(transaction_id))))})


async def _read(request: Request, kind: Any) -> tuple[bytes, Any]:  # noqa: ANN401 - a message of that kind
    """Read a small JSON body; none at all is an empty object."""
    body = await collected(request, MOST_BODY)
    try:
        wanted = msgspec.json.decode(body or b"{}", type=kind)
    except BAD_JSON as error:
        raise refusal_of(error) from error
    for name in kind.__struct_fields__:
        if isinstance(getattr(wanted, name), str) and "\0" in getattr(wanted, name):
            raise InvalidInput(f"{name}: holds NUL", [Place(f"#/{name}", "holds NUL")])
    for value in request.path_params.values():
        _text(str(value))
    return body, wanted


def _text(value: str) -> str:
    if "\0" in value or not value.isprintable():
        raise NotFound("nothing is stored under a name with control characters")
    return value


async def _there(question: Awaitable[Any]) -> Any:  # noqa: ANN401 - the answer
    """Have what is not there be a 404."""
    try:
        return await question
    except InvalidInput as error:
        raise NotFound(error.message) from error


async def _stored(session: asyncpg.Connection, digest: str) -> None:
    if digest not in {pack.digest for pack in await list_packs(session)}:
        raise NotFound(f"no pack {digest} is stored here")


def _without_by(wanted: NewCorrection) -> dict[str, Any]:
    return {name: value for name, value in msgspec.structs.asdict(wanted).items() if name != "by"}


def _given(answer: object) -> Given:
    return Given(200, "", msgspec.json.encode(answer))


def _json(answer: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(answer), status, media_type=JSON)
