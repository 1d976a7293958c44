"""The job kind ``classify``: a source's rows decided to result files, part by part, and no table of transactions touched.

A part's file is complete before its row in the ledger is committed, so that a job which was killed goes on after the last part, and a
result is there once however often a part was tried. One pack decides all of them: the one that was active when the first began.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, cast
from uuid import UUID

import asyncpg
import msgspec

from rayapp.data_jobs.holding import ShouldStop, Tell
from rayapp.data_jobs.result_parts import part_of, write_part
from rayapp.datasets import dataset
from rayapp.errors import InvalidInput
from rayapp.scoring.classifier import Classifier
from rayapp.settings import Settings
from rayapp.sources.inline_rows import InlineReader, cut_inline
from rayapp.sources.options import SourceOptions
from rayapp.sources.pieces import Piece, ReadPiece
from rayapp.sources.planning import plan_source
from rayapp.sources.tiers import Tier
from rayapp.store.active_pack import active_digest
from rayapp.store.database import connection, resolve_url
from rayapp.store.job_leases import Rows
from rayapp.store.job_results import Part, Run, begin_run, done_parts, find_run, root_of
from rayapp.store.job_results import write_part as enter_part
from rayapp.store.packs import read_pack

INLINE = "inline"


class ClassifyRequest(msgspec.Struct, frozen=True):
    """What to classify: ``source`` as every worker can reach it; ``inline`` rows came in a request and are read as they are."""

    job: UUID
    source: str
    inline: bool = False
    strict: bool = False
    """Of inline rows: whether a field that is none is refused."""
    pack: str | None = None
    """A stored digest, the active pack if not given."""
    encoding: str | None = None
    constants: dict[str, str] = {}


class Cut(NamedTuple):
    """A source as it is cut: how, what names it, its rows, its pieces and what reads them."""

    tier: str
    digest: str
    rows: int
    pieces: Sequence[Piece]
    read: ReadPiece


def run_classify(settings: Settings, request: dict[str, Any], tell: Tell, should_stop: ShouldStop) -> dict[str, Any]:
    """Classify a source, or go on with it; gives nothing when it was stopped, else the counts."""
    wanted = msgspec.convert(request, ClassifyRequest)
    begun = asyncio.run(_begun(settings, wanted))
    with _cut(settings, wanted, cast("Tier | None", begun.tier) if begun else None) as cut:
        return asyncio.run(_classify(settings, wanted, cut, (tell, should_stop)))


async def _begun(settings: Settings, wanted: ClassifyRequest) -> Run | None:
    async with connection(resolve_url(settings)) as session:
        return await find_run(session, await root_of(session, wanted.job))


@contextmanager
def _cut(settings: Settings, wanted: ClassifyRequest, tier: Tier | None) -> Iterator[Cut]:
    """Cut a source, as it was cut before if it was."""
    if wanted.inline:
        pieces, rows = cut_inline(Path(wanted.source))
        yield Cut(INLINE, Path(wanted.source).stem, rows, pieces, InlineReader(Path(wanted.source), wanted.strict))
        return
    options = SourceOptions(encoding=wanted.encoding, tier=tier, constants=wanted.constants)
    with plan_source(wanted.source, dataset("transactions", settings.datasets), options, settings) as (plan, read):
        yield Cut(plan.tier, plan.digest, plan.rows, plan.pieces, read)


async def _classify(settings: Settings, wanted: ClassifyRequest, cut: Cut, around: tuple[Tell, ShouldStop]) -> dict[str, Any]:
    tell, should_stop = around
    async with connection(resolve_url(settings)) as session:
        run = await _run(session, settings, wanted, cut)
        done = await done_parts(session, run, wanted.job)
        classifier = Classifier(await read_pack(session, run.pack))
        rows, rejected = done.rows, done.rejected
        tell(Rows(total=run.rows, done=rows, failed=rejected, pack=run.pack, before=rows))
        for piece in cut.pieces:
            if piece.number in done.numbers:
                continue
            if should_stop():
                return {}
            part = await asyncio.to_thread(_written, settings, wanted.job, cut.read, piece, classifier)
            await enter_part(session, run, wanted.job, part)
            rows, rejected = rows + part.rows, rejected + part.rejected
            tell(Rows(total=run.rows, done=rows, failed=rejected, pack=run.pack))
    tell(Rows(total=rows, done=rows, failed=rejected, pack=run.pack))
    return {"rows": rows, "rejected": rejected, "parts": len(cut.pieces), "pack": run.pack}


async def _run(session: asyncpg.Connection, settings: Settings, wanted: ClassifyRequest, cut: Cut) -> Run:
    """Begin the run, or give the one that this job goes on with."""
    root = await root_of(session, wanted.job)
    run = await find_run(session, root)
    if run is None:
        pack = wanted.pack or await active_digest(settings)
        run = await begin_run(session, Run(root, pack, cut.digest, cut.tier, cut.rows))
    if run.digest != cut.digest:
        raise InvalidInput("the source is not what it was when the job began: send a new job")
    return run


def _written(settings: Settings, job: UUID, read: ReadPiece, piece: Piece, classifier: Classifier) -> Part:
    """Classify a piece and write its file."""
    table = part_of(read(piece), classifier)
    name = f"results/{job}/{piece.number:07}.parquet"
    written = write_part(table, settings.files_dir / name)
    last = table["row"][-1].as_py() if table.num_rows else piece.first_row
    return Part(piece.number, last, written.rows, written.rejected, name)
