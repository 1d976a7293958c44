"""``python -m rayapp.cli.sample``: the shipped sample, loaded once into a database, so that what was just started has something to show.

A program of its own, so that the launcher stays small. Where the sample is loaded already nothing is done and no job made, whichever pack
is active by now.
"""

import asyncio
import sys
from pathlib import Path

from rayapp.cli.main import main
from rayapp.datasets import dataset
from rayapp.errors import RayappError
from rayapp.settings import Settings, read_settings
from rayapp.sources.options import SourceOptions
from rayapp.sources.planning import plan_source
from rayapp.store.database import connection, resolve_url
from rayapp.store.ledger import was_loaded

SAMPLE = Path(__file__).parent.parent / "samples" / "transactions.csv"
DONE, FAILED = 0, 1


def load_sample(settings: Settings) -> int:
    """Load the sample into a database that runs, unless it was loaded before; gives the exit code of the load."""
    with plan_source(str(SAMPLE), dataset("transactions", settings.datasets), SourceOptions(), settings) as (plan, _):
        found = asyncio.run(_was_loaded(settings, plan.content))
    return DONE if found else main(["ingest", str(SAMPLE)])


async def _was_loaded(settings: Settings, content: str) -> bool:
    async with connection(resolve_url(settings)) as session:
        return await was_loaded(session, "transactions", content)


if __name__ == "__main__":
    try:
        sys.exit(load_sample(read_settings()))
    except RayappError as error:
        print(f"rayapp: {error}", file=sys.stderr)
        sys.exit(FAILED)
