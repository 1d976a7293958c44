"""Stored decisions made anew by another pack: only where the packs' difference can touch them, or all of them.

Ranges of the table are worked on by a few sessions of this process side by side: PostgreSQL looks for rows in one while the engine decides
those of another. On a cluster, where all of many rows are decided again, actors do the same. What is done is in the ledger alone, so a run
that broke off goes on where it was, whoever begins it again.
"""

import asyncio
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import msgspec

from rayapp.data_jobs.cluster import ADDRESS_VARIABLE, joined
from rayapp.scoring.classifier import Classifier
from rayapp.scoring.pack import CompiledPack
from rayapp.settings import Settings
from rayapp.store.active_pack import active_digest
from rayapp.store.changesets import (
    Changeset,
    RangeWorker,
    Redecided,
    done_ranges,
    finish_reclassification,
    open_reclassification,
    reclassification,
)
from rayapp.store.database import connection, resolve_url
from rayapp.store.job_leases import Rows
from rayapp.store.packs import read_pack
from rayapp.store.touched_rows import Touched, soon_touched_rows

SESSIONS = 2
LEAST_ON_RAY = 16
"""Ranges from which on actors are worth their start, some 1.6 million rows."""

Tell = Callable[[Redecided], None]
"""Called now and then with how far it is."""

ShouldStop = Callable[[], bool]


class ReclassifyRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted. ``pack`` is a stored digest, the active pack if empty; ``full`` decides every row again."""

    pack: str = ""
    full: bool = False
    made_by: str = ""
    reason: str = ""


class Reclassified(msgspec.Struct, frozen=True):
    """How it ended: ``stopped`` where it was asked to stop, and goes on when it is asked for again."""

    progress: Redecided
    touched: Touched
    state: Literal["done", "stopped"]


class _Begun(msgspec.Struct, frozen=True):
    """A reclassification under way, and the ranges that are left of it."""

    url: str
    pack: CompiledPack
    touched: Touched
    changeset: Changeset
    condition: str
    left: Sequence[int]

    @property
    def many(self) -> bool:
        """Whether many rows have to be decided, rather than looked at by the database."""
        return len(self.left) >= LEAST_ON_RAY and (self.changeset.whole or self.touched.everything != "")


async def reclassify(settings: Settings, request: ReclassifyRequest, tell: Tell, should_stop: ShouldStop) -> Reclassified:
    """Decide stored rows anew in this process; rows that a person locked stay as they are.

    Raises ``InvalidInput`` when the pack is not stored, ``Unavailable`` when the database goes away for long.
    """
    begun = await _begin(settings, request)
    ranges = iter(begun.left)
    classifier = Classifier(begun.pack)
    await asyncio.gather(*(_work(begun, ranges, classifier, tell, should_stop) for _ in range(min(SESSIONS, len(begun.left)))))
    return await _end(begun, stopped=next(ranges, None) is not None)


def run_reclassify(settings: Settings, request: dict[str, Any], tell: Callable[[Rows], None], should_stop: ShouldStop) -> dict[str, Any]:
    """Do the same as a job of kind ``reclassify``, on the cluster where the job runs on one and there is much to decide.

    ``request`` holds the fields of ``ReclassifyRequest``, and others that are not read. Gives nothing when it was stopped.
    """
    known = {name: request[name] for name in ReclassifyRequest.__struct_fields__ if request.get(name) is not None}
    wanted = msgspec.convert(known, ReclassifyRequest, strict=False)

    def told(progress: Redecided) -> None:
        tell(rows_of(progress))

    if os.environ.get(ADDRESS_VARIABLE):
        done = _on_cluster(settings, wanted, told, should_stop)
    else:
        done = asyncio.run(reclassify(settings, wanted, told, should_stop))
    told(done.progress)
    return summary(done) if done.state == "done" else {}


def _on_cluster(settings: Settings, wanted: ReclassifyRequest, tell: Tell, should_stop: ShouldStop) -> Reclassified:
    begun = asyncio.run(_begin(settings, wanted))
    if not begun.many:
        return asyncio.run(reclassify(settings, wanted, tell, should_stop))
    from rayapp.data_jobs.ray_reclassify import Redeciding, redecide_on_ray

    redeciding = Redeciding(settings, begun.url, begun.changeset, begun.pack.digest, begun.condition)
    with joined():
        every = redecide_on_ray(redeciding, begun.left, lambda: tell(asyncio.run(_progress(begun))), should_stop)
    return asyncio.run(_end(begun, stopped=not every))


def rows_of(progress: Redecided) -> Rows:
    """Say how far a reclassification is as jobs say it."""
    return Rows(total=progress.rows, done=progress.looked_at, failed=progress.unreadable, pack=progress.pack)


def summary(done: Reclassified) -> dict[str, Any]:
    """Give the outcome as JSON values."""
    counts = {name: getattr(done.progress, name) for name in ("pack", "whole", "rows", "decided", "changed", "unreadable")}
    return {"changeset": done.progress.id, "state": done.state, "because": done.touched.everything, **counts}


async def _begin(settings: Settings, request: ReclassifyRequest) -> _Begun:
    url = resolve_url(settings)
    digest = request.pack or await active_digest(settings)
    async with connection(url) as session:
        pack = await read_pack(session, digest)
        touched = await soon_touched_rows(session, pack)
        changeset = await open_reclassification(session, digest, whole=request.full, made_by=request.made_by, reason=request.reason)
        done = await done_ranges(session, changeset)
    nothing = touched.nothing and not request.full
    left = [] if nothing else [number for number in range(changeset.ranges) if number not in done]
    condition = "true" if request.full else f"(d.pack_id <> {changeset.pack_id} AND {touched.condition})"
    return _Begun(url, pack, touched, changeset, condition, left)


async def _work(begun: _Begun, ranges: Iterator[int], classifier: Classifier, tell: Tell, should_stop: ShouldStop) -> None:
    """Take one range after the other."""
    worker = RangeWorker(begun.url, begun.changeset, classifier, begun.condition)
    try:
        while not should_stop() and (number := next(ranges, None)) is not None:
            tell(await worker.redecide(number))
    finally:
        worker.close()


async def _end(begun: _Begun, *, stopped: bool) -> Reclassified:
    async with connection(begun.url) as session:
        if stopped:
            return Reclassified(await reclassification(session, begun.changeset.id), begun.touched, "stopped")
        return Reclassified(await finish_reclassification(session, begun.changeset), begun.touched, "done")


async def _progress(begun: _Begun) -> Redecided:
    async with connection(begun.url) as session:
        return await reclassification(session, begun.changeset.id)
