"""``rayapp ingest``: files into PostgreSQL, transactions classified on the way, exactly once however often it is run."""

import asyncio
import sys
import threading
from argparse import Namespace
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from uuid import UUID

import msgspec

from rayapp.cli.command_parser import WrongUseError, options_read
from rayapp.cli.ingest_voice import Voice
from rayapp.cli.job_views import as_json
from rayapp.cli.shop_folder import Part, parts_of
from rayapp.cli.without_pandas import without_pandas
from rayapp.data_jobs.bad_rows import Limit
from rayapp.data_jobs.kinds import absolute
from rayapp.datasets import dataset
from rayapp.errors import InvalidInput
from rayapp.launch.driver import cluster_address, connected, prepare_environment
from rayapp.settings import Settings
from rayapp.sources.describe import describe
from rayapp.sources.options import MappingFile, SourceOptions, read_mapping_file
from rayapp.sources.pieces import Plan, ReadPiece
from rayapp.sources.planning import drafted, plan_source
from rayapp.store.database import connection, running_database
from rayapp.store.jobs import Enqueued, JobRequest, enqueue
from rayapp.store.ledger import Job, Progress

DONE, FAILED, REJECTED = 0, 1, 3
TURN_S = 0.001
"""How long a thread may keep the others from Python, whose own five milliseconds are more than most of a load's threads want it for."""

AT_ONCE = 4
"""Files of several datasets that are loaded side by side."""


def run(settings: Settings, arguments: Namespace) -> int:
    """Load the source; gives the exit code."""
    if arguments.cancel is not None:
        return _cancel(settings, arguments.cancel)
    if arguments.source is None:
        raise WrongUseError("what is to be loaded is missing: rayapp ingest SOURCE")
    with options_read():
        constants = _constants(arguments)
        Limit.read(arguments.max_bad)
        if arguments.dataset is not None:
            dataset(arguments.dataset, settings.datasets)
    options = _options(arguments, constants)
    parts = parts_of(arguments.source, arguments.dataset, options, settings)
    if arguments.dry_run:
        for part in parts:
            _describe(settings, part, options, as_json=arguments.json)
        return DONE
    if arguments.background:
        return _enqueue(settings, arguments, parts)
    prepare_environment(settings)
    if not cluster_address(settings):
        without_pandas()  # which Ray Data has a use for
    sys.setswitchinterval(TURN_S)
    threading.Thread(target=_make_ready, args=(settings, parts), name="make ready", daemon=True).start()  # beside the planning
    with Voice(as_json=arguments.json) as voice, ExitStack() as plans:
        planned = [(part, plans.enter_context(plan_source(part.source, part.dataset, options, settings))) for part in parts]
        plans.enter_context(running_database(settings))
        load = partial(_load, settings, arguments, voice)
        if len(planned) == 1:
            ended = [load(planned[0])]
        else:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                ended = list(pool.map(load, planned))
    if any(progress.stopped_why for progress in ended):
        return FAILED
    return REJECTED if any(progress.quarantined for progress in ended) else DONE


def _make_ready(settings: Settings, parts: list[Part]) -> None:
    """Import what a load needs and warm it up."""
    from rayapp.data_jobs.warming import warm_up

    for part in parts:
        warm_up(settings, part.dataset)


def _load(settings: Settings, arguments: Namespace, voice: Voice, planned: tuple[Part, tuple[Plan, ReadPiece]]) -> Progress:
    from rayapp.data_jobs.holding import job_of
    from rayapp.data_jobs.ingest import Surroundings, Wanted, run_load
    from rayapp.data_jobs.load_job import rows_of, summary

    part, (plan, read) = planned
    told = voice.load(part.dataset.name, plan)
    rejects = Path(arguments.rejects) if arguments.rejects else None
    if rejects is not None and part.beside:
        rejects = rejects.with_stem(f"{rejects.stem}-{part.dataset.name}")
    wanted = Wanted(part.dataset.name, max_bad=arguments.max_bad, rejects=rejects)
    with job_of(settings, _request(arguments, part), settings.job_lease_s) as held:

        def begun(job: Job, progress: Progress) -> None:
            held.tell(rows_of(progress, before=progress.rows))
            told.begun(job, progress)

        def tell(progress: Progress) -> None:
            held.tell(rows_of(progress))
            told.progress(progress)

        cluster = partial(connected, settings, voice.say) if cluster_address(settings) else None
        around = Surroundings(begun, tell, held.should_stop, cluster)
        progress = run_load(settings, wanted, (plan, read), around)
        held.result = summary(progress)
    told.summary(progress)
    return progress


def _request(arguments: Namespace, part: Part) -> JobRequest:
    """Say what is loaded as a job does, so that a worker can go on with it. No two workers load the same at the same time."""
    source, dataset = absolute(part.source), part.dataset.name
    request = {
        "source": source,
        "dataset": dataset,
        "mapping": absolute(arguments.mapping) if arguments.mapping else None,
        "encoding": arguments.encoding,
        "constants": _constants(arguments),
        "max_bad": arguments.max_bad,
    }
    return JobRequest(kind="ingest", request=request, created_by="cli", unique_key=f"ingest {dataset} {source}")


def _enqueue(settings: Settings, arguments: Namespace, parts: list[Part]) -> int:
    """Leave the loads to a worker and print the ids of the jobs."""

    async def ask(url: str) -> list[Enqueued]:
        async with connection(url) as session:
            return [await enqueue(session, _request(arguments, part)) for part in parts]

    with running_database(settings) as url:
        for made in asyncio.run(ask(url)):
            print(as_json(made.job) if arguments.json else made.job.id)
            if not made.new:
                print(f"rayapp: job {made.job.id} loads this already", file=sys.stderr)
    return DONE


def _options(arguments: Namespace, constants: dict[str, str]) -> SourceOptions:
    mapping = read_mapping_file(Path(arguments.mapping)) if arguments.mapping else MappingFile()
    return SourceOptions(mapping, arguments.encoding, constants=constants)


def _constants(arguments: Namespace) -> dict[str, str]:
    constants = {}
    for given in arguments.set or ():
        column, sign, value = given.partition("=")
        if not sign:
            raise InvalidInput(f"--set {given!r} is not of the form COLUMN=VALUE")
        constants[column.strip()] = value
    return constants


def _describe(settings: Settings, part: Part, options: SourceOptions, *, as_json: bool) -> None:
    """Print how a source will be read and loaded, for a person or as JSON: one object for each dataset."""
    with drafted(part.source, part.dataset, options, settings) as (plan, _):
        if not as_json:
            print(f"{part.dataset.name} from {describe(plan)}")
            return
        facts = {name: getattr(plan, name) for name in ("source", "bytes", "rows", "counted", "tier", "files", "mapping", "content")}
        print(msgspec.json.format(msgspec.json.encode({"dataset": part.dataset.name, **facts, "pieces": len(plan.pieces)})).decode())


def _cancel(settings: Settings, load: str) -> int:
    """Stop a load that runs, or that broke off and is not to be gone on with."""
    import asyncio

    from rayapp.data_jobs.ingest import cancel_load

    try:
        wanted = UUID(load)
    except ValueError as error:
        raise WrongUseError(f"{load!r} is not the id of a load") from error
    with running_database(settings), Voice(as_json=False) as voice:
        progress = asyncio.run(cancel_load(settings, wanted))
        voice.say(f"load {progress.id} of {progress.source} is cancelled; {progress.rows:,} rows of it stay")
    return DONE
