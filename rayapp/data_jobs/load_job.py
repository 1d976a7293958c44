"""The job kind ``ingest``: a source loaded into a dataset, going on from wherever the ledger says it is."""

from pathlib import Path
from typing import Any

import msgspec

from rayapp.data_jobs.cluster import has_cluster, joined
from rayapp.data_jobs.holding import ShouldStop, Tell
from rayapp.data_jobs.ingest import Surroundings, Wanted, run_load
from rayapp.datasets import dataset
from rayapp.settings import Settings
from rayapp.sources.options import MappingFile, SourceOptions, read_mapping_file
from rayapp.sources.planning import plan_source
from rayapp.store.job_leases import Rows
from rayapp.store.ledger import Progress

COUNTS = ("rows", "inserted", "updated", "superseded", "repeated", "quarantined")


class IngestRequest(msgspec.Struct, frozen=True):
    """What to load: ``source`` as every worker can reach it, and what `rayapp ingest` can be told of it."""

    source: str
    dataset: str = "transactions"
    pack: str | None = None
    """Digest of the pack that an earlier attempt decided by."""
    mapping: str | None = None
    """A mapping file."""
    encoding: str | None = None
    constants: dict[str, str] = {}
    """Values of columns that are the same for all rows."""
    max_bad: str | None = None
    retry_of: str | None = None
    """The job whose refused rows are tried again."""

    def options(self) -> SourceOptions:
        """Give what is said of the source."""
        mapping = read_mapping_file(Path(self.mapping)) if self.mapping else MappingFile()
        return SourceOptions(mapping, self.encoding, constants=self.constants)


def run_ingest(settings: Settings, request: dict[str, Any], tell: Tell, should_stop: ShouldStop) -> dict[str, Any]:
    """Load a source; gives nothing when it was stopped, else the counts."""
    wanted = msgspec.convert(request, IngestRequest)

    def begun(_job: object, progress: Progress) -> None:
        tell(rows_of(progress, before=progress.rows))

    with plan_source(wanted.source, dataset(wanted.dataset, settings.datasets), wanted.options(), settings) as planned:
        cluster = joined if has_cluster() else None
        around = Surroundings(begun, lambda progress: tell(rows_of(progress)), should_stop, cluster)
        how = Wanted(wanted.dataset, wanted.pack, wanted.max_bad, again=wanted.retry_of is not None)
        progress = run_load(settings, how, planned, around)
    return summary(progress)


def rows_of(progress: Progress, before: int | None = None) -> Rows:
    """Say what a load's ledger says as a job does; ``before``: rows that an earlier attempt has loaded."""
    return Rows(total=progress.source_rows, done=progress.rows, failed=progress.quarantined, pack=progress.pack, before=before)


def summary(progress: Progress) -> dict[str, Any]:
    """Give a job's result: the counts, nothing where the load was stopped."""
    return {} if progress.stopped_why else {name: getattr(progress, name) for name in COUNTS} | {"load": str(progress.id)}
