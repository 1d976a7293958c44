"""``rayapp migrate``: the schema brought up to date, at the operator's word."""

import asyncio
import sys
from argparse import Namespace

from rayapp.settings import Settings


def migrate(settings: Settings, _arguments: Namespace) -> int:
    """Apply what is missing and name it."""
    from rayapp.store.database import migrated
    from rayapp.store.embedded import EmbeddedPostgres

    if settings.database_url is not None:
        applied = asyncio.run(migrated(settings.database_url, settings.datasets))
    else:
        with EmbeddedPostgres(settings.data_dir) as server:
            applied = asyncio.run(migrated(server.url(), settings.datasets))
    for name in applied:
        print(name)
    print(f"rayapp: {len(applied)} changes of the schema applied" if applied else "rayapp: the schema is up to date", file=sys.stderr)
    return 0
