"""The job kind ``ingest``: a source loaded into a dataset, going on from wherever the ledger says it is."""

import asyncio
from typing import Any

import msgspec

from rayapp.data_jobs.cluster import joined
from rayapp.data_jobs.holding import ShouldStop, Tell
from rayapp.data_jobs.ingest import begin, finish, left, load_here, load_on_ray
from rayapp.datasets import dataset
from rayapp.errors import Unavailable
from rayapp.settings import Settings
from rayapp.sources.options import SourceOptions
from rayapp.sources.planning import plan_source
from rayapp.store.job_leases import Rows
from rayapp.store.ledger import Progress

COUNTS = ("rows", "inserted", "updated", "superseded", "repeated", "quarantined")


class IngestRequest(msgspec.Struct, frozen=True):
    """What to load: ``source`` as every worker can reach it."""

    source: str
    dataset: str = "transactions"


class _StoppedError(Exception):
    """The load was asked to stop."""


def run_ingest(settings: Settings, request: dict[str, Any], tell: Tell, should_stop: ShouldStop) -> dict[str, Any]:
    """Load a source."""
    wanted = msgspec.convert(request, IngestRequest)

    with plan_source(wanted.source, dataset(wanted.dataset), SourceOptions(), settings) as (plan, read):
        job, before = asyncio.run(begin(settings, wanted.dataset, plan))

        def told(progress: Progress) -> None:
            tell(Rows(total=plan.rows, done=progress.rows, failed=progress.quarantined, pack=progress.pack, before=before.rows))
            if should_stop():
                raise _StoppedError

        try:
            told(before)
            pieces = asyncio.run(left(settings, job, plan))
            if pieces and plan.tier == "huge":
                with joined():
                    load_on_ray(settings, job, before.pack, pieces, read, told)
            elif pieces:
                asyncio.run(load_here(settings, job, before.pack, pieces, read, told))
        except _StoppedError:
            return {}
        progress = asyncio.run(finish(settings, job))
        tell(Rows(total=plan.rows, done=progress.rows, failed=progress.quarantined, before=before.rows))
    if progress.chunks_done < progress.chunks:
        raise Unavailable(f"{progress.chunks - progress.chunks_done} of {progress.chunks} pieces are not loaded")
    return {name: getattr(progress, name) for name in COUNTS} | {"load": str(progress.id)}
