"""What is copied into each table: a chunk's rows, one for each key, in the order of keys, with the version that they came in."""

from collections.abc import Sequence

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rayapp.datasets import Dataset
from rayapp.datasets.declaration import VERSION
from rayapp.errors import InvalidInput
from rayapp.scoring.fold import fold_table
from rayapp.scoring.output import SCHEMA
from rayapp.scoring.text import clean_bytes
from rayapp.store.binary_copy import Shared, binary_copy
from rayapp.store.buffers import bytes_of, plain
from rayapp.store.ledger import Job, Rejected
from rayapp.store.targets import DECISION_COLUMNS, Target, targets

JOB_SHIFT, CHUNK_SHIFT = 40, 20
MOST_ROWS = 1 << CHUNK_SHIFT
PROBED = 200
"""Keys of a chunk that are looked for before it is copied; all of a smaller one."""


class Chunk(msgspec.Struct, frozen=True):
    """One chunk of a job: its good rows, and what had to be left out.

    ``rows`` has the dataset's columns as ``values.read_values`` gives them, in the order of the source; ``places`` (int32) gives each
    row's place in the chunk. ``decisions`` has the engine's output columns, for a dataset that is classified, and ``decided`` says which of
    them each row has; where it says nothing there is one for each row.
    """

    number: int
    rows: pa.Table
    places: pa.Array
    rejected: Sequence[Rejected] = ()
    decisions: pa.Table | None = None
    decided: NDArray[np.int32] | None = None


class Copied(msgspec.Struct, frozen=True):
    """What goes into one table: ``content`` is binary COPY of the ``columns``; ``probe`` asks whether any of the keys is there."""

    target: Target
    rows: int
    columns: list[str]
    content: memoryview
    probe: tuple[object, ...]


def copies(job: Job, dataset: Dataset, chunk: Chunk, *, straight: bool = False) -> tuple[Copied, ...]:
    """Make what a chunk brings to each table; of rows with one key the last counts.

    ``straight`` leaves rows in their order and keys that come again where they are: a first load sorts all of them out at its end.
    """
    _check_lengths(dataset, chunk)
    order = None if straight else key_order(chunk.rows.select(dataset.key))
    version = (job.seq << JOB_SHIFT) + (chunk.number << CHUNK_SHIFT)
    places = chunk.places.cast(pa.int64()) if isinstance(chunk.places, pa.Array) else pa.array(chunk.places, pa.int64())
    rows = chunk.rows.append_column(VERSION, pc.add(places, version))
    own, *beside = targets(dataset)
    copied = [_copied(own, _ordered(with_clean_view(rows) if dataset.decides else rows, order))]
    for target in beside:
        table = pa.table({"transaction_id": rows["id"], VERSION: rows[VERSION]})
        copied.append(_copied(target, _ordered(table, order), _shared(chunk, order, job)))
    return tuple(copied)


def _ordered(table: pa.Table, order: NDArray[np.int64] | None) -> pa.Table:
    return table if order is None else table.take(pa.array(order))


def key_order(keys: pa.Table) -> NDArray[np.int64] | None:
    """Give the rows in the order of keys, the last of those with one key; ``None`` when they are so already.

    Text in the order of its bytes, which is PostgreSQL's order for our keys.
    """
    keys = keys.combine_chunks()
    if not keys.num_rows or (keys.num_columns == 1 and _rises(keys.column(0))):
        return None
    order = pc.sort_indices(keys, [(name, "ascending") for name in keys.column_names]).to_numpy().astype(np.int64)
    ordered = keys.take(pa.array(order))
    differs = np.zeros(keys.num_rows - 1, np.bool_)
    for column in ordered.columns:
        differs |= pc.not_equal(column[:-1], column[1:]).to_numpy()
    last_of_key = np.ones(keys.num_rows, np.bool_)
    last_of_key[:-1] = differs
    kept: NDArray[np.int64] = order[last_of_key]
    return kept


def _rises(column: pa.ChunkedArray) -> bool:
    """Tell whether each value is greater than the one before it."""
    return bool(pc.all(pc.less(column[:-1], column[1:])).as_py())


def _check_lengths(dataset: Dataset, chunk: Chunk) -> None:
    given, places = chunk.rows.num_rows, len(chunk.places)
    decided = given if chunk.decisions is None else chunk.decisions.num_rows if chunk.decided is None else len(chunk.decided)
    if not given == decided == places <= MOST_ROWS:
        raise InvalidInput(f"chunk {chunk.number}: {given} rows, {decided} decisions, {places} places; the most is {MOST_ROWS}")
    if dataset.decides != (chunk.decisions is not None):
        raise InvalidInput(f"chunk {chunk.number}: rows of {dataset.name} {'lack their' if dataset.decides else 'have no'} decisions")


def with_clean_view(rows: pa.Table) -> pa.Table:
    """Add the clean view of descriptors where it is another than the descriptor in capitals."""
    descriptors = plain(rows["descriptor"])
    data, ends = bytes_of(descriptors)
    view, view_ends = clean_bytes(data, ends.astype(np.int64), fold_table())
    buffers = [None, pa.py_buffer(view_ends.astype(np.int32)), pa.py_buffer(view)]
    clean = pa.Array.from_buffers(pa.string(), len(descriptors), buffers)
    same = pc.equal(clean, pc.ascii_upper(descriptors))
    return rows.append_column("clean", pc.if_else(same, pa.scalar(None, pa.string()), clean))


def _shared(chunk: Chunk, order: NDArray[np.int64] | None, job: Job) -> Shared:
    """Give what the rows' decisions say; the rows have their places in it in the order in which they are copied."""
    decisions = SCHEMA.empty_table() if chunk.decisions is None else chunk.decisions
    places = np.arange(decisions.num_rows, dtype=np.int32) if chunk.decided is None else chunk.decided
    packs = pa.repeat(pa.scalar(job.pack_id, pa.int32()), decisions.num_rows)
    said = pa.table({name: decisions[name] for name in DECISION_COLUMNS} | {"pack_id": packs})
    return Shared(said, places if order is None else places[order])


def _copied(target: Target, table: pa.Table, shared: Shared | None = None) -> Copied:
    probed = table.select(target.key)
    if table.num_rows > PROBED:
        probed = probed.take(pa.array(np.linspace(0, table.num_rows - 1, PROBED).astype(np.int64)))
    question, arguments = target.probe(probed)
    columns = [*table.column_names, *(shared.table.column_names if shared else ())]
    return Copied(target, table.num_rows, columns, binary_copy(table, shared), (question, *arguments))
