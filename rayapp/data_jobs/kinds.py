"""The kinds of jobs: which function does each, and which jobs are too large for a worker's own process.

A kind's function is called as ``run(settings, request, tell, should_stop)``. ``request`` is the job's request with three more names:
``job``, the job's id, ``pack``, the digest of the pack that an earlier attempt decided by, ``None`` in the first, and ``retry_of``, the
id of the job whose rest this one does, if any. It tells how far it is, asks between two pieces of work whether it shall stop, returns a
summary that can be written as JSON, and raises our own errors: ``InvalidInput`` and ``InvalidSetup`` fail the job at once, everything
else is tried again. It may be called again for the same job after a kill at any moment and then goes on; what it does twice must come out
as if done once.
"""

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from rayapp.data_jobs.holding import ShouldStop, Tell
from rayapp.errors import InvalidInput
from rayapp.settings import Settings
from rayapp.store.jobs import Job

Run = Callable[[Settings, dict[str, Any], Tell, ShouldStop], dict[str, Any]]

ROW_BYTES = 100
"""What a row of a source takes at least, for a guess; a packed one takes a fifth."""

PACKED = {".gz", ".zst", ".parquet"}
PACKED_TIMES = 5


class Kind(msgspec.Struct, frozen=True):
    """One kind: where its function is (``module:function``), and how to tell by the request whether a job is large."""

    runs: str
    is_large: Callable[[Settings, dict[str, Any]], bool]

    def function(self) -> Run:
        """Import the function."""
        module, _, name = self.runs.partition(":")
        found: Run = getattr(import_module(module), name)
        return found


def source_is_large(settings: Settings, request: dict[str, Any]) -> bool:
    """Guess by its size whether a source has as many rows as the tier ``huge``; what is not a file here counts as large."""
    source = str(request.get("source", ""))
    path = Path(source)
    if "://" in source or not path.is_file():
        return "://" in source or path.is_dir()
    times = PACKED_TIMES if path.suffix in PACKED else 1
    return path.stat().st_size * times >= settings.tier_large * ROW_BYTES


def never_large(_settings: Settings, _request: dict[str, Any]) -> bool:
    """Say so of kinds that take seconds."""
    return False


def always_large(_settings: Settings, _request: dict[str, Any]) -> bool:
    """Say so of kinds that go through all that is stored."""
    return True


KINDS = {
    "classify": Kind("rayapp.data_jobs.classify_job:run_classify", source_is_large),
    "ingest": Kind("rayapp.data_jobs.load_job:run_ingest", source_is_large),
    "reclassify": Kind("rayapp.data_jobs.reclassify:run_reclassify", always_large),
    "plan": Kind("rayapp.data_jobs.plan_job:run_plan", always_large),
    "webhook": Kind("rayapp.data_jobs.webhook_job:run_webhook", never_large),
}


def request_of(kind: str, words: Sequence[str]) -> dict[str, Any]:
    """Read a request that was given as ``name=value``; files become absolute, since a worker stands elsewhere.

    Raises ``InvalidInput`` for an unknown kind, and for what cannot be a request of it.
    """
    if kind not in KINDS:
        raise InvalidInput(f"there is no kind of job {kind!r}; there are {', '.join(KINDS)}")
    if wrong := [word for word in words if "=" not in word]:
        raise InvalidInput(f"{wrong[0]!r} is not of the form name=value")
    request: dict[str, Any] = dict(word.split("=", 1) for word in words)
    if kind == "ingest" and not request.get("source"):
        raise InvalidInput("a job of kind ingest needs source=...")
    if "source" in request:
        request["source"] = absolute(request["source"])
    return request


def absolute(source: str) -> str:
    """Give a source as a worker that stands elsewhere finds it."""
    return source if "://" in source else str(Path(source).absolute())


def is_large(settings: Settings, job: Job) -> bool:
    """Say whether a job runs outside of the worker's own process."""
    return KINDS[job.kind].is_large(settings, job.request)


def run_kind(settings: Settings, job: Job, tell: Tell, should_stop: ShouldStop) -> dict[str, Any]:
    """Do a job; gives its summary."""
    former = None if job.retry_of is None else str(job.retry_of)
    request = {**job.request, "job": str(job.id), "pack": job.pack or job.request.get("pack"), "retry_of": former}
    return KINDS[job.kind].function()(settings, request, tell, should_stop)
