"""A load as a data engineer submits it: ``ray job submit -- python -m rayapp.data_jobs.run_ingest SOURCE [DATASET]``.

It is a job like any other: `rayapp jobs` shows it, follows it and stops it, and when this process is killed a worker goes on with it.
Exit codes: 0 done, 1 failed, 2 wrong use, 3 done with rejected rows.
"""

import os
import sys
from collections.abc import Sequence

from rayapp.data_jobs.holding import job_of, when_asked_to_end
from rayapp.data_jobs.kinds import request_of, run_kind
from rayapp.data_jobs.log_lines import log_to
from rayapp.datasets import datasets
from rayapp.errors import RayappError
from rayapp.settings import Settings, read_settings
from rayapp.store.jobs import Job, JobRequest

DONE, FAILED, WRONG_USE, REJECTED = 0, 1, 2, 3
MOST_WORDS = 2


def main(words: Sequence[str]) -> int:
    """Load the source that the words name."""
    if not 1 <= len(words) <= MOST_WORDS or words[0].startswith("-"):
        print(__doc__, file=sys.stderr)  # noqa: T201 - a program
        return WRONG_USE
    log_to()
    try:
        settings = read_settings()
        if words[1:] and words[1] not in (known := [declared.name for declared in datasets(settings.datasets)]):
            print(f"rayapp: there is no dataset {words[1]!r}; the datasets are {', '.join(known)}", file=sys.stderr)  # noqa: T201 - a program
            return WRONG_USE
        job = load(settings, words[0], *words[1:])
    except RayappError as error:
        print(f"rayapp: {error}", file=sys.stderr)  # noqa: T201 - what a Ray Job's log shows
        return FAILED
    print(f"rayapp: job {job.id}: {job.state}, {job.rows_done:,} rows, {job.rows_failed:,} bad")  # noqa: T201 - what a Ray Job's log shows
    return {"succeeded": DONE, "partially_failed": REJECTED}.get(job.state, FAILED)


def load(settings: Settings, source: str, dataset: str = "transactions") -> Job:
    """Load a source in this process, as a job; gives it as it stands then."""
    request = request_of("ingest", [f"source={source}", f"dataset={dataset}"])
    wanted = JobRequest(kind="ingest", request=request, created_by=os.environ.get("USER", "ray job submit"))
    with job_of(settings, wanted, settings.job_lease_s) as held:
        when_asked_to_end(held.cancel)  # `ray job stop` asks so; what is loaded stays, and a retry loads the rest
        held.result = run_kind(settings, held.job, held.tell, held.should_stop)
    return held.job


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
