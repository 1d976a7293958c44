"""Stored decisions made anew by another pack: only where the packs' difference can touch them, or all of them.

Ranges of the table are worked on by a few sessions of this process side by side: PostgreSQL looks for rows in one while the engine decides
those of another. What is done is in the ledger alone, so a run that broke off goes on where it was, whoever begins it again.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, Literal

import asyncpg
import msgspec

from rayapp.errors import Unavailable
from rayapp.scoring.classifier import Classifier
from rayapp.scoring.pack import CompiledPack
from rayapp.settings import Settings
from rayapp.store.active_pack import active_digest
from rayapp.store.changesets import (
    Changeset,
    Redecided,
    done_ranges,
    finish_reclassification,
    open_reclassification,
    reclassification,
    redecide_range,
)
from rayapp.store.database import connect, connection, resolve_url
from rayapp.store.job_leases import Rows
from rayapp.store.packs import fetch_pack
from rayapp.store.touched_rows import Touched, touched_rows

SESSIONS = 2
TRIES = 8
FIRST_PAUSE_S = 0.2

Tell = Callable[[Redecided], None]
"""Called after each range with how far it is."""

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


async def reclassify(settings: Settings, request: ReclassifyRequest, tell: Tell, should_stop: ShouldStop) -> Reclassified:
    """Decide stored rows anew; rows that a person locked stay as they are.

    Raises ``InvalidInput`` when the pack is not stored, ``Unavailable`` when the database goes away for long.
    """
    url = resolve_url(settings)
    digest = request.pack or await active_digest(settings)
    async with connection(url) as session:
        pack = CompiledPack.load(await fetch_pack(session, digest))
        touched = await touched_rows(session, pack)
        changeset = await open_reclassification(session, digest, whole=request.full, made_by=request.made_by, reason=request.reason)
        done = await done_ranges(session, changeset)
    condition = "true" if request.full else f"(d.pack_id <> {changeset.pack_id} AND {touched.condition})"
    left = [] if touched.nothing and not request.full else [number for number in range(changeset.ranges) if number not in done]
    ranges = iter(left)
    classifier = Classifier(pack)
    work = [_work(url, changeset, ranges, classifier, condition, tell, should_stop) for _ in range(min(SESSIONS, len(left)))]
    await asyncio.gather(*work)
    async with connection(url) as session:
        if next(ranges, None) is not None:
            return Reclassified(await reclassification(session, changeset.id), touched, "stopped")
        return Reclassified(await finish_reclassification(session, changeset), touched, "done")


def run_reclassify(settings: Settings, request: dict[str, Any], tell: Callable[[Rows], None], should_stop: ShouldStop) -> dict[str, Any]:
    """Do the same as a job of kind ``reclassify``: ``request`` holds the fields of ``ReclassifyRequest``, and others that are not read."""
    known = {name: request[name] for name in ReclassifyRequest.__struct_fields__ if request.get(name) is not None}
    wanted = msgspec.convert(known, ReclassifyRequest, strict=False)

    def told(progress: Redecided) -> None:
        tell(Rows(total=progress.rows, done=progress.looked_at, failed=progress.unreadable, pack=progress.pack))

    done = asyncio.run(reclassify(settings, wanted, told, should_stop))
    told(done.progress)
    return summary(done)


def summary(done: Reclassified) -> dict[str, Any]:
    """Give the outcome as JSON values."""
    counts = {name: getattr(done.progress, name) for name in ("pack", "whole", "rows", "decided", "changed", "unreadable")}
    return {"changeset": done.progress.id, "state": done.state, "because": done.touched.everything, **counts}


async def _work(  # noqa: PLR0913, PLR0917 - what all sessions share
    url: str, changeset: Changeset, ranges: Iterator[int], classifier: Classifier, condition: str, tell: Tell, should_stop: ShouldStop
) -> None:
    """Take one range after the other over one connection, which is renewed when it breaks."""
    session: asyncpg.Connection | None = None
    try:
        while not should_stop() and (number := next(ranges, None)) is not None:
            for trial in range(TRIES):
                try:
                    session = session or await connect(url)
                    await redecide_range(session, changeset, number, classifier, condition)
                    tell(await reclassification(session, changeset.id))
                    break
                except Unavailable:
                    if session is not None:
                        session.terminate()
                    session = None
                    if trial == TRIES - 1:
                        raise
                    await asyncio.sleep(FIRST_PAUSE_S * 2**trial)
    finally:
        if session is not None:
            session.terminate()
