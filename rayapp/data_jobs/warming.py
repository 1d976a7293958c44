"""What a load needs before its first row, made ready while its source is still being planned: libraries, the pack, compiled kernels."""

import asyncio
from contextlib import suppress

import pyarrow as pa

from rayapp.data_jobs.loading import kept_classifier
from rayapp.datasets import Dataset
from rayapp.errors import RayappError
from rayapp.packs import load_pack
from rayapp.scoring.classifier import Classifier
from rayapp.settings import Settings
from rayapp.store.binary_copy import binary_copy
from rayapp.store.database import connection, resolve_url
from rayapp.store.packs import current_pack
from rayapp.store.staging import with_clean_view
from rayapp.store.values import read_values

PATIENCE_S = 2.0

SAMPLES = {"text": "A", "currency": "EUR", "country": "DE", "date": "2025-01-31", "instant": "2025-01-31", "boolean": "true", "json": "{}"}
NUMBER = "1"
KNOWN = {"direction": "debit", "mcc": "5411"}


def warm_up(settings: Settings, dataset: Dataset) -> None:
    """Send one made-up row along the way of every row, which loads libraries, kernels and pack; what goes wrong is left to the load."""
    table = warm_values(dataset)
    if dataset.decides:
        with suppress(RayappError, TimeoutError):
            _classifier(settings).classify_rows(table)


def warm_values(dataset: Dataset) -> pa.Table:
    """Have one made-up row read and encoded for the database; gives it as a source would."""
    row = {column.name: [KNOWN.get(column.name, SAMPLES.get(column.type, NUMBER))] for column in dataset.columns}
    table = pa.table({name: pa.array(values, pa.string()) for name, values in row.items()})
    values = read_values(dataset, table).table
    binary_copy(with_clean_view(values) if dataset.decides else values)
    return table


def _classifier(settings: Settings) -> Classifier:
    """Give the active pack's classifier, where the database answers already, else that of the installation's pack."""
    digest = asyncio.run(asyncio.wait_for(_active(settings), PATIENCE_S))
    return (digest and kept_classifier(digest)) or Classifier(load_pack(settings.pack))


async def _active(settings: Settings) -> str | None:
    with suppress(RayappError):
        async with connection(resolve_url(settings)) as session:
            return await current_pack(session)
    return None
