"""Jobs as clients ask for them: made once, looked at, stopped and tried again. A client sees its own jobs alone, an operator all."""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple, TypeVar
from uuid import UUID

import asyncpg
import msgspec

from rayapp.errors import InvalidInput, Unavailable
from rayapp.serve.admission import Client
from rayapp.serve.database import Database
from rayapp.serve.job_toll import check_means, pay
from rayapp.serve.job_views import JobList, JobView, ScheduleView, view_of
from rayapp.serve.new_job import NewJob, ScheduleWanted, check_new_job, lines_of, request_of, webhook_of
from rayapp.serve.overload import Forbidden
from rayapp.serve.problems import Place
from rayapp.serve.queueing import Tier
from rayapp.serve.refusals import Conflict, NotFound
from rayapp.serve.uploads import Content, Store
from rayapp.settings import Settings
from rayapp.sources.allowed import allowed_source
from rayapp.store.given_answers import Asked, Given, answer_once
from rayapp.store.job_states import RETRIABLE
from rayapp.store.jobs import Job, JobRequest, Wanted, cancel, enqueue, fetch_job, jobs_ahead, list_jobs, retry
from rayapp.store.schedules import ScheduleRequest, add_schedule
from rayapp.store.webhooks import Webhook, add_webhook, inherit_webhook

WITHIN_S = 10.0
PRIORITIES: dict[Tier, int] = {"priority": 10, "standard": 0, "bulk": -10}
EVERYBODY = "http"
"""Who makes the jobs of a service without keys."""

Value = TypeVar("Value")
Question = Callable[[asyncpg.Connection], Awaitable[Value]]


class Sender(NamedTuple):
    """Who sends a request, with the key under which it is to be done once, if any, and what the request is."""

    client: Client
    key: str | None = None
    what: bytes = b""

    @property
    def name(self) -> str:
        """Whose the jobs are that it makes."""
        return self.client.name or EVERYBODY

    def asked(self, *parts: bytes) -> Asked | None:
        """Say what was asked under the key; ``parts`` are what is not in ``what``."""
        if self.key is None:
            return None
        digest = hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in (self.what, *parts))).digest()
        return Asked(self.name, self.key, digest)


class JobDesk:
    """Takes and shows jobs."""

    def __init__(self, settings: Settings, database: Database | None) -> None:
        """Take where things are; nothing is opened."""
        self.settings = settings
        self.store = Store(settings.files_dir / "uploads", settings.upload_mb * 1_000_000)
        self._database = database

    async def ask(self, question: Question[Value]) -> Value:
        """Ask the database; raises ``Unavailable`` when it does not answer."""
        if self._database is None:
            raise Unavailable("this service has no database")
        return await self._database.ask(question, WITHIN_S)

    async def take(self, sender: Sender, wanted: NewJob, uploaded: Content | None = None) -> Given:
        """Make a job, once for each idempotency key."""
        check_new_job(wanted, self.settings, uploaded=uploaded is not None)
        if not sender.client.operator and (wanted.kind == "reclassify" or wanted.schedule is not None):
            raise Forbidden("what everybody has is decided again, and schedules are made, with an operator's key")
        webhook = webhook_of(wanted.webhook, self.settings) if wanted.webhook else None
        content = uploaded or await self._content(wanted)
        request = request_of(wanted, content)
        if wanted.kind == "reclassify":
            request["made_by"] = sender.name
        job = JobRequest(kind=wanted.kind, request=request, priority=PRIORITIES[sender.client.tier], created_by=sender.name)
        asked = sender.asked(uploaded.sent.encode() if uploaded else b"")
        rows = content.rows if content is not None else 0

        async def make(session: asyncpg.Connection) -> Given:
            if wanted.schedule is not None:
                return await _scheduled(session, job, wanted.schedule)
            await pay(session, sender.client, rows)
            return await _made(session, job, webhook)

        return await self.ask(lambda session: answer_once(session, asked, lambda: make(session)))

    async def check_means(self, client: Client) -> None:
        """Refuse who could make no job, before a large body is taken in."""
        if client.bucket is not None:
            await self.ask(lambda session: check_means(session, client))

    async def do_once(self, sender: Sender, work: Callable[[asyncpg.Connection], Awaitable[Given]]) -> Given:
        """Do something else in one transaction, once for each idempotency key."""
        return await self.ask(lambda session: answer_once(session, sender.asked(), lambda: work(session)))

    async def status(self, client: Client, job_id: UUID) -> JobView:
        """Show a job."""

        async def look(session: asyncpg.Connection) -> JobView:
            job = await _own(session, client, job_id)
            return view_of(job, await jobs_ahead(session, job.id))

        return await self.ask(look)

    async def job(self, client: Client, job_id: UUID) -> Job:
        """Give a job of this client's."""
        return await self.ask(lambda session: _own(session, client, job_id))

    async def listed(self, client: Client, wanted: Wanted) -> JobList:
        """Show a page of jobs."""
        own = msgspec.structs.replace(wanted, created_by=None if client.operator else client.name, most=wanted.most + 1)
        found = await self.ask(lambda session: list_jobs(session, own))
        page = found[: wanted.most]
        return JobList([view_of(job) for job in page], _next(wanted, page[-1].seq) if len(found) > wanted.most else None)

    async def cancel(self, client: Client, job_id: UUID) -> JobView:
        """Cancel a job; raises ``Conflict`` when it has ended otherwise."""

        async def stop(session: asyncpg.Connection) -> JobView:
            await _own(session, client, job_id)
            return view_of(await cancel(session, job_id))

        view = await self.ask(stop)
        if view.state not in {"cancelled", "running"}:
            raise Conflict(f"job {job_id} is {view.state} already")
        return view

    async def retry(self, sender: Sender, job_id: UUID) -> Given:
        """Have done what a job left undone; raises ``Conflict`` when it left nothing."""

        async def again(session: asyncpg.Connection) -> Given:
            former = await _own(session, sender.client, job_id)
            if former.state not in RETRIABLE:
                raise Conflict(f"job {job_id} is {former.state}: only what failed or was cancelled can be tried again")
            await pay(session, sender.client, 0)
            made = await retry(session, job_id, former.created_by)
            if made.new:
                await inherit_webhook(session, job_id, made.job.id)
            return accepted(made.job)

        return await self.do_once(sender, again)

    async def _content(self, wanted: NewJob) -> Content | None:
        if wanted.transactions is not None:
            kept = await self.store.keep(_once(lines_of(wanted.transactions)), "rows.ndjson")
            return Content(str(kept.path), rows=len(wanted.transactions), inline=True)
        return Content(allowed_source(self.settings, wanted.source)) if wanted.source is not None else None


def accepted(job: Job, **more: object) -> Given:
    """Answer for a job that was made: 202, and where to look."""
    body = msgspec.to_builtins(view_of(job)) | more
    return Given(202, f"/status/{job.id}", msgspec.json.encode(body))


async def _made(session: asyncpg.Connection, wanted: JobRequest, webhook: Webhook | None) -> Given:
    job = (await enqueue(session, wanted)).job
    if webhook is None:
        return accepted(job)
    await add_webhook(session, job.id, webhook)
    return accepted(job, webhook={"url": webhook.url, "secrets": list(webhook.secrets)})


async def _scheduled(session: asyncpg.Connection, job: JobRequest, when: ScheduleWanted) -> Given:
    wanted = ScheduleRequest(
        name=when.name,
        cron=when.cron,
        timezone=when.timezone,
        kind=job.kind,
        request=job.request,
        priority=job.priority,
        created_by=job.created_by,
    )
    try:
        made = await add_schedule(session, wanted)
    except InvalidInput as error:
        raise InvalidInput(error.message, [Place("#/schedule", error.message)]) from error
    return Given(201, "", msgspec.json.encode(ScheduleView(made.name, made.cron, made.timezone, made.kind, made.next_at)))


async def _own(session: asyncpg.Connection, client: Client, job_id: UUID) -> Job:
    try:
        job = await fetch_job(session, job_id)
    except InvalidInput as error:
        raise NotFound(error.message) from error
    if not client.operator and job.created_by != client.name:
        raise NotFound(f"there is no job {job_id}")
    return job


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body


def _next(wanted: Wanted, before: int) -> str:
    filters = [f"state={state}" for state in wanted.states or ()] + [f"kind={kind}" for kind in wanted.kinds or ()]
    return "/jobs?" + "&".join([*filters, f"before={before}", f"limit={wanted.most}"])
