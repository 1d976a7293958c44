"""Old jobs, uploads and results taken away: rows first, then the files that no row wants, those that nobody ever knew of included.

Only files with names that this program gives are looked at. One that is younger than a day stays in any case: a file is there before the
row that names it.
"""

import asyncio
import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeVar
from uuid import UUID

import asyncpg
import msgspec

from rayapp.settings import Settings
from rayapp.store.database import connection, resolve_url
from rayapp.store.retention import Forgotten, Keeping, forget, forgettable, take_turn, wanted_results, wanted_uploads

Item = TypeVar("Item")

GRACE_S = 24 * 3600.0
AT_ONCE = 500

UPLOAD = re.compile(r"[0-9a-f]{64}(\.[a-z0-9]{1,8})?")
JOB = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PART = re.compile(r"\d{7,}\.parquet")
UNFINISHED = re.compile(r"\.(\d{7,}\.parquet\.)?[0-9a-f]{32}")


class Found(NamedTuple):
    """A file, its bytes, and when it was written."""

    path: Path
    bytes: int
    written: float


def keeping_of(settings: Settings) -> Keeping:
    """Give for how long the operator wants things kept."""
    return Keeping(settings.keep_jobs_days, settings.keep_files_days, settings.keep_history_days)


async def prune(settings: Settings, keeping: Keeping) -> Forgotten | None:
    """Take away what is old; gives how much that was, ``None`` when another process does it at the moment."""
    async with connection(resolve_url(settings)) as session:
        if not await take_turn(session):
            return None
        rows = await forget(session, keeping)
        gone = [file for file in await _unwanted(session, settings, keeping) if await asyncio.to_thread(_taken_away, file)]
    return _with(rows, gone)


async def prunable(settings: Settings, keeping: Keeping) -> Forgotten:
    """Say what ``prune`` would take away; of result files those that no job has, since those of old jobs are counted as ``results``."""
    async with connection(resolve_url(settings)) as session:
        return _with(await forgettable(session, keeping), await _unwanted(session, settings, keeping))


def _with(rows: Forgotten, files: Sequence[Found]) -> Forgotten:
    return msgspec.structs.replace(rows, files=len(files), bytes=sum(file.bytes for file in files))


async def _unwanted(session: asyncpg.Connection, settings: Settings, keeping: Keeping) -> list[Found]:
    """Give the files that no row wants."""
    uploads, results = settings.files_dir / "uploads", settings.files_dir / "results"
    unwanted = await asyncio.to_thread(_old, settings.files_dir / "packs", UPLOAD)  # there only while they are compiled
    for some in _batches(await asyncio.to_thread(_old, uploads, UPLOAD)):
        wanted = await wanted_uploads(session, [file.path.name for file in some], keeping.files_days)
        unwanted += [file for file in some if file.path.name not in wanted]
    for folders in _batches(await asyncio.to_thread(_folders, results)):
        wanted_jobs = await wanted_results(session, [UUID(folder.name) for folder in folders])
        for folder in folders:
            parts = await asyncio.to_thread(_old, folder, PART)
            unwanted += [file for file in parts if UUID(folder.name) not in wanted_jobs or UNFINISHED.fullmatch(file.path.name)]
    return unwanted


def _old(folder: Path, name: re.Pattern[str]) -> list[Found]:
    """Find files of a kind, and unfinished ones, that are older than a day."""
    found = []
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if (name.fullmatch(entry.name) or UNFINISHED.fullmatch(entry.name)) and entry.is_file(follow_symlinks=False):
                facts = entry.stat(follow_symlinks=False)
                found.append(Found(Path(entry.path), facts.st_size, facts.st_mtime))
    return [file for file in found if file.written < time.time() - GRACE_S]


def _folders(results: Path) -> list[Path]:
    with suppress(FileNotFoundError), os.scandir(results) as entries:
        return [Path(entry.path) for entry in entries if JOB.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False)]
    return []


def _batches(every: Sequence[Item]) -> Iterator[list[Item]]:
    left = iter(every)
    while some := list(islice(left, AT_ONCE)):
        yield some


def _taken_away(file: Found) -> bool:
    """Remove a file, unless it was written anew meanwhile, as when a client sends the same again; says whether it is gone."""
    aside = file.path.with_name(f".{os.urandom(16).hex()}")
    try:
        file.path.rename(aside)
        if aside.stat().st_mtime != file.written:
            aside.rename(file.path)
            return False
        aside.unlink()
    except OSError:
        return False
    with suppress(OSError):
        if JOB.fullmatch(file.path.parent.name):
            file.path.parent.rmdir()  # where it was the last
    return True
