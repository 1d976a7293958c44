"""``rayapp jobs prune``: what is old taken away now, as the worker does by itself now and then."""

import asyncio
import sys
from argparse import Namespace

import msgspec

from rayapp.data_jobs.pruning import keeping_of, prunable, prune
from rayapp.settings import Settings
from rayapp.store.database import running_database
from rayapp.store.retention import Forgotten, Keeping

DONE, FAILED = 0, 1
MB = 1_000_000
WORDS = {
    "jobs": "finished jobs",
    "results": "parts of results",
    "answers": "answers kept for an Idempotency-Key",
    "planned": "rows of plans that are over",
    "history": "rows of changes, which cannot be taken back then",
}


def run(settings: Settings, arguments: Namespace) -> int:
    """Take away what is old, or say what that would be."""
    keeping = _keeping(settings, arguments)
    with running_database(settings):
        done = asyncio.run(prunable(settings, keeping) if arguments.dry_run else prune(settings, keeping))
    if done is None:
        print("rayapp: another process does that at the moment", file=sys.stderr)
        return FAILED
    if arguments.json:
        print(msgspec.json.encode(done).decode())
    else:
        _show(done, keeping)
    return DONE


def _keeping(settings: Settings, arguments: Namespace) -> Keeping:
    given = {name: getattr(arguments, name) for name in Keeping.__struct_fields__}
    return msgspec.structs.replace(keeping_of(settings), **{name: days for name, days in given.items() if days is not None})


def _show(done: Forgotten, keeping: Keeping) -> None:
    for name, words in WORDS.items():
        print(f"{getattr(done, name):>12,} {words}")
    print(f"{done.files:>12,} files, {done.bytes / MB:,.1f} MB")
    for_ever = [name.removesuffix("_days") for name in Keeping.__struct_fields__ if not getattr(keeping, name)]
    if for_ever:
        print(f"rayapp: kept for ever: {', '.join(for_ever)}", file=sys.stderr)
