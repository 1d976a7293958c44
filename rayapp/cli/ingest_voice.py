"""What ``rayapp ingest`` tells on standard error: a bar for a person who watches, lines for one who reads later, JSON for a program."""

import sys
import threading
import time
from types import TracebackType
from typing import Self

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from rayapp.sources.pieces import Plan
from rayapp.store.ledger import Job
from rayapp.store.ledger import Progress as Loaded

PLAIN_LINE_S = 5.0
COUNTS = ("rows", "inserted", "updated", "superseded", "repeated", "quarantined")
WAYS = {
    "small": "one transaction in this process",
    "medium": "one transaction in this process",
    "large": "many transactions in this process",
    "huge": "in parallel, on Ray Data where a cluster runs",
}


class Voice:
    """Tells of one or several loads at once; a context, in which a terminal has a bar for each."""

    def __init__(self, *, as_json: bool) -> None:
        """Begin."""
        self._as_json = as_json
        console = Console(stderr=True)
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:,.0f} of {task.total:,.0f} rows"),
            _Pace(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[bad]:,} bad"),
            console=console,
            disable=as_json or not console.is_terminal,
        )
        self._live = console.is_terminal and not as_json
        self._lock = threading.Lock()
        self.began = time.monotonic()
        """Before a source is looked at, so that what a summary tells is what a person waited for."""

    def __enter__(self) -> Self:
        """Show the bars."""
        self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Leave the bars as they stand."""
        self._bars.stop()

    def load(self, dataset: str, plan: Plan) -> "LoadVoice":
        """Say what will be loaded, and why in this way; gives who tells of it from now on."""
        why = f"{'' if plan.counted else 'about '}{plan.rows:,} rows"
        if self._as_json:
            facts = {"source": plan.source, "dataset": dataset, "rows": plan.rows, "bytes": plan.bytes, "pieces": len(plan.pieces)}
            self.event("plan", **facts, tier=plan.tier, reason=f"{why}: {WAYS[plan.tier]}")
        else:
            self.say(f"{plan.source}: {why}, {plan.bytes:,} bytes; tier {plan.tier}: {WAYS[plan.tier]}")
        return LoadVoice(self, dataset, plan)

    def say(self, words: str) -> None:
        """Say a sentence to a person."""
        if self._live:
            self._bars.console.print(f"rayapp: {words}", markup=False, highlight=False)
        elif not self._as_json:
            print(f"rayapp: {words}", file=sys.stderr, flush=True)

    def event(self, event: str, **fields: object) -> None:
        """Tell a program."""
        if self._as_json:
            with self._lock:
                print(msgspec.json.encode({"event": event, **fields}).decode(), file=sys.stderr, flush=True)

    def bar(self, name: str, total: int) -> TaskID:
        """Add a bar."""
        return self._bars.add_task(name, total=max(total, 1), bad=0)

    def move(self, bar: TaskID, loaded: Loaded) -> None:
        """Move a bar to where a load is."""
        self._bars.update(bar, completed=loaded.rows, bad=loaded.quarantined)


class LoadVoice:
    """Tells of one load."""

    def __init__(self, voice: Voice, dataset: str, plan: Plan) -> None:
        """Begin."""
        self._voice = voice
        self._dataset = dataset
        self._plan = plan
        self._started = self._told = time.monotonic()
        self._before = 0
        self._bar = voice.bar(dataset, plan.rows)

    def begun(self, job: Job, before: Loaded) -> None:
        """Say which load it is, and whether it goes on with one that was begun before."""
        self._before = before.rows
        self._voice.event("begin", job=str(job.id), pack=before.pack, pieces_done=before.chunks_done, finished=job.finished)
        if job.finished:
            self._voice.say(f"the same file was loaded with the same pack before ({before.started_at:%Y-%m-%d %H:%M} UTC): nothing to do")
            if before.quarantined:
                self._voice.say(f"{before.quarantined:,} rows of it were bad and stay bad: mend them in the source and load it again")
        elif before.chunks_done:
            self._voice.say(f"going on with load {job.id}: {before.chunks_done} of {before.chunks} pieces are loaded")

    def progress(self, loaded: Loaded) -> None:
        """Say how far it is: a bar in a terminal, else a line now and then."""
        self._voice.move(self._bar, loaded)
        if time.monotonic() - self._told < PLAIN_LINE_S:
            return
        self._told = time.monotonic()
        pace = (loaded.rows - self._before) / max(self._told - self._started, 1e-9)
        left_s = round((self._plan.rows - loaded.rows) / pace) if pace else None
        told = {"rows": loaded.rows, "of": self._plan.rows, "quarantined": loaded.quarantined, "rows_per_s": round(pace), "left_s": left_s}
        self._voice.event("progress", job=str(loaded.id), **told)
        if not self._voice._live:  # noqa: SLF001 - the two are one
            words = f"{pace:,.0f} rows/s, {left_s:,} s left" if left_s is not None else "loaders are starting"
            self._voice.say(f"{loaded.rows:,} of {self._plan.rows:,} rows, {words}, {loaded.quarantined:,} bad")

    def summary(self, loaded: Loaded) -> None:
        """Say what became of the rows."""
        self._voice.move(self._bar, loaded)
        counts = {name: getattr(loaded, name) for name in COUNTS}
        seconds = round(time.monotonic() - self._voice.began, 3)
        facts = {"dataset": loaded.dataset, "pack": loaded.pack, "seconds": seconds, "stopped": loaded.stopped_why}
        self._voice.event("summary", job=str(loaded.id), **facts, **counts)
        told = ", ".join(f"{count:,} {name}" for name, count in counts.items() if name == "inserted" or (count and name != "rows"))
        ended = f"{loaded.stopped_why}; run it again to go on" if loaded.stopped_why else f"{seconds:,.1f} s"
        self._voice.say(f"load {loaded.id} into {loaded.dataset}: {loaded.rows:,} rows: {told}; {ended}")
        if loaded.quarantined:
            self._voice.say("the bad rows are in rayapp.quarantine, with line, column, value and reason; --rejects FILE writes them")


class _Pace(ProgressColumn):
    """Rows a second."""

    def render(self, task: Task) -> Text:
        """Draw it."""
        return Text(f"{task.speed or 0:,.0f} rows/s")
