"""``rayapp reclassify``: stored transactions decided anew, where the active pack decides otherwise than the pack that decided them."""

import asyncio
import sys
import time
from argparse import Namespace

import msgspec

from rayapp.data_jobs.holding import job_of
from rayapp.data_jobs.reclassify import Reclassified, ReclassifyRequest, reclassify, rows_of, summary
from rayapp.settings import Settings
from rayapp.store.active_pack import active_digest
from rayapp.store.changesets import Redecided
from rayapp.store.database import connection, resolve_url, running_database
from rayapp.store.jobs import JobRequest
from rayapp.store.packs import read_pack, stored_digest
from rayapp.store.touched_rows import Touched, touched_rows

DONE, STOPPED, UNREADABLE = 0, 1, 3
PLAIN_LINE_S = 5.0
MOST_REASONS = 12


def run(settings: Settings, arguments: Namespace) -> int:
    """Decide stored rows anew, or say which would be looked at; gives the exit code."""
    voice = Voice(as_json=arguments.json)
    with running_database(settings):
        digest = asyncio.run(_digest(settings, arguments.pack))
        if arguments.dry_run:
            voice.touched(digest, asyncio.run(_touched(settings, digest)))
            return DONE
        request = ReclassifyRequest(pack=digest, full=arguments.full, made_by=arguments.by, reason=arguments.reason)
        done = _as_job(settings, request, voice)
    voice.summary(done)
    if done.state == "stopped":
        return STOPPED
    return UNREADABLE if done.progress.unreadable else DONE


def _as_job(settings: Settings, request: ReclassifyRequest, voice: "Voice") -> Reclassified:
    """Do it in this process as a job that `rayapp jobs` shows and can cancel."""
    wanted = JobRequest(kind="reclassify", request=msgspec.structs.asdict(request), created_by="command line")
    with job_of(settings, wanted, settings.job_lease_s) as held:

        def tell(progress: Redecided) -> None:
            voice.progress(progress)
            held.tell(rows_of(progress))

        done = asyncio.run(reclassify(settings, request, tell, held.should_stop))
        held.tell(rows_of(done.progress))
        held.result = summary(done)
    return done


async def _digest(settings: Settings, beginning: str | None) -> str:
    if beginning is None:
        return await active_digest(settings)
    async with connection(resolve_url(settings)) as session:
        return await stored_digest(session, beginning)


async def _touched(settings: Settings, digest: str) -> Touched:
    async with connection(resolve_url(settings)) as session:
        return await touched_rows(session, await read_pack(session, digest))


class Voice:
    """What is told: sentences for a person on standard error, or JSON lines."""

    def __init__(self, *, as_json: bool) -> None:
        """Begin."""
        self._as_json = as_json
        self._live = sys.stderr.isatty() and not as_json
        self._started = self._told = time.monotonic()

    def touched(self, digest: str, touched: Touched) -> None:
        """Say what can change, pack by pack."""
        if self._as_json:
            print(msgspec.json.encode({"pack": digest, "rows": touched.rows, "deciders": touched.deciders}).decode())
            return
        if not touched.deciders:
            print(f"every stored decision is of pack {digest[:12]}: nothing can change")
        for decider in touched.deciders:
            apart = decider.difference
            words = (
                f"all, because of {apart.everything}"
                if apart.everything
                else f"{len(apart.clauses)} differences"
                if apart.clauses
                else "none"
            )
            print(f"{decider.rows:,} rows decided by {decider.name} {decider.digest[:12]}: {words}")
            for clause in apart.clauses[:MOST_REASONS]:
                print(f"    {clause.why}")
            if len(apart.clauses) > MOST_REASONS:
                print(f"    and {len(apart.clauses) - MOST_REASONS} more")

    def progress(self, progress: Redecided) -> None:
        """Say how far it is: a line that renews itself in a terminal, else a line now and then."""
        now = time.monotonic()
        if now - self._told < (0 if self._live else PLAIN_LINE_S):
            return
        self._told = now
        if self._as_json:
            self._event("progress", progress)
            return
        left = (now - self._started) * (progress.ranges - progress.ranges_done) / max(progress.ranges_done, 1)
        words = (
            f"{progress.ranges_done} of {progress.ranges} ranges, {progress.decided:,} rows decided again, {progress.changed:,} changed, "
            f"{left:,.0f} s left"
        )
        print(f"\r\033[K{words}" if self._live else f"rayapp: {words}", end="" if self._live else "\n", file=sys.stderr, flush=True)

    def summary(self, done: Reclassified) -> None:
        """Say what became of the rows."""
        seconds = time.monotonic() - self._started
        if self._as_json:
            print(msgspec.json.encode({**summary(done), "seconds": round(seconds, 3)}).decode())
            return
        if self._live:
            print("\r\033[K", end="", file=sys.stderr)
        progress = done.progress
        why = f" (all looked at: {done.touched.everything})" if done.touched.everything else ""
        if done.state == "stopped":
            print("rayapp: stopped; the same command goes on with it", file=sys.stderr)
        print(
            f"changeset {progress.id}: {progress.decided:,} rows decided again by {progress.pack[:12]}{why}, {progress.changed:,} changed, "
            f"{seconds:.1f} s"
        )
        if progress.unreadable:
            print(f"rayapp: {progress.unreadable:,} rows could not be read and keep their decision", file=sys.stderr)

    @staticmethod
    def _event(event: str, progress: Redecided) -> None:
        print(msgspec.json.encode({"event": event, **msgspec.structs.asdict(progress)}).decode(), file=sys.stderr, flush=True)
