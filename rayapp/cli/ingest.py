"""``rayapp ingest``: a file classified into PostgreSQL, exactly once however often it is run."""

import asyncio
import sys
import time
from argparse import Namespace

import msgspec

from rayapp.datasets import dataset
from rayapp.errors import InvalidInput, Unavailable
from rayapp.launch.driver import connected, prepare_environment
from rayapp.settings import Settings
from rayapp.sources.options import SourceOptions
from rayapp.sources.pieces import Plan
from rayapp.sources.planning import plan_source
from rayapp.sources.reading import PieceReader
from rayapp.store.database import running_database
from rayapp.store.ledger import Job, Progress

DONE, REJECTED = 0, 3
PLAIN_LINE_S = 5.0
REASONS = {
    "small": "one transaction in this process",
    "medium": "one transaction in this process",
    "large": "a transaction for each 500 rows, in this process",
    "huge": "in parallel on Ray Data",
}


def run(settings: Settings, arguments: Namespace) -> int:
    """Load the source; gives the exit code."""
    if arguments.dataset != "transactions":
        raise InvalidInput(f"there is no dataset {arguments.dataset!r}; there is transactions")
    voice = Voice(as_json=arguments.json)
    with plan_source(arguments.source, dataset("transactions"), SourceOptions(), settings) as (plan, read):
        voice.plan(plan)
        if arguments.dry_run:
            return DONE
        with running_database(settings):
            progress = _load(settings, arguments.dataset, plan, read, voice)
    voice.summary(progress)
    return REJECTED if progress.quarantined else DONE


def _load(settings: Settings, dataset: str, plan: Plan, read: PieceReader, voice: "Voice") -> Progress:
    prepare_environment(settings)
    from rayapp.data_jobs.ingest import begin, finish, left, load_here, load_on_ray

    def tell(progress: Progress) -> None:
        voice.progress(plan, progress)

    job, before = asyncio.run(begin(settings, dataset, plan))
    voice.begin(job, before)
    pieces = asyncio.run(left(settings, job, plan))
    if pieces and plan.tier == "huge":
        with connected(settings, voice.say):
            load_on_ray(settings, job, before.pack, pieces, read, tell)
    elif pieces:
        asyncio.run(load_here(settings, job, before.pack, pieces, read, tell))
    progress = asyncio.run(finish(settings, job))
    if progress.chunks_done < progress.chunks:
        raise Unavailable(f"{progress.chunks - progress.chunks_done} of {progress.chunks} pieces are not loaded: run it again to go on")
    return progress


class Voice:
    """What is told on standard error: sentences for a person, or JSON lines."""

    def __init__(self, *, as_json: bool) -> None:
        """Begin."""
        self._as_json = as_json
        self._live = sys.stderr.isatty() and not as_json
        self._started = time.monotonic()
        self._told = 0.0
        self._before = 0

    def plan(self, plan: Plan) -> None:
        """Say what will be done."""
        if self._as_json:
            self._event("plan", source=plan.source, rows=plan.rows, bytes=plan.bytes, pieces=len(plan.pieces), tier=plan.tier)
        else:
            self.say(f"{plan.source}: {plan.rows:,} rows, {plan.bytes:,} bytes; tier {plan.tier}: {REASONS[plan.tier]}")

    def begin(self, job: Job, before: Progress) -> None:
        """Say which load it is, and whether it goes on with one that was begun before."""
        self._before = before.rows
        if self._as_json:
            self._event("begin", job=str(job.id), pack=before.pack, pieces_done=before.chunks_done, finished=job.finished)
        elif job.finished:
            self.say(f"the same file was loaded with the same pack before ({before.started_at:%Y-%m-%d %H:%M} UTC): nothing to do")
        elif before.chunks_done:
            self.say(f"going on with job {job.id}: {before.chunks_done} of {before.chunks} pieces are loaded")

    def progress(self, plan: Plan, progress: Progress) -> None:
        """Say how far it is: a line that renews itself in a terminal, else a line now and then."""
        if time.monotonic() - self._told < (0 if self._live else PLAIN_LINE_S):
            return
        self._told = time.monotonic()
        if self._as_json:
            per_s = round(self._speed(progress))
            self._event("progress", rows=progress.rows, of=plan.rows, quarantined=progress.quarantined, rows_per_s=per_s)
            return
        speed = self._speed(progress)
        pace = f"{speed:,.0f} rows/s, {(plan.rows - progress.rows) / speed:,.0f} s left" if speed else "loaders are starting"
        words = f"{progress.rows:,} of {plan.rows:,} rows, {pace}, {progress.quarantined:,} bad"
        if self._live:
            print(f"\r\033[K{words}", end="", file=sys.stderr, flush=True)
        else:
            self.say(words)

    def summary(self, progress: Progress) -> None:
        """Say what became of the rows."""
        if self._live:
            print("\r\033[K", end="", file=sys.stderr)
        counts = {name: getattr(progress, name) for name in ("rows", "inserted", "updated", "superseded", "repeated", "quarantined")}
        if self._as_json:
            self._event("summary", job=str(progress.id), pack=progress.pack, seconds=round(time.monotonic() - self._started, 3), **counts)
            return
        told = ", ".join(f"{count:,} {name}" for name, count in counts.items() if name == "inserted" or (count and name != "rows"))
        self.say(f"job {progress.id}: {progress.rows:,} rows: {told}")
        if progress.quarantined:
            self.say("the bad rows are in rayapp.quarantine, with line, column, value and reason")

    def say(self, words: str) -> None:
        """Say a sentence to a person."""
        if not self._as_json:
            print(f"rayapp: {words}", file=sys.stderr, flush=True)

    def _speed(self, progress: Progress) -> float:
        return (progress.rows - self._before) / max(time.monotonic() - self._started, 1e-9)

    @staticmethod
    def _event(event: str, **fields: object) -> None:
        print(msgspec.json.encode({"event": event, **fields}).decode(), file=sys.stderr, flush=True)
