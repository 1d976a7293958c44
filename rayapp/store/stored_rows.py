"""Stored transactions with their current decisions, read from a range of the table, and compared with what a pack makes of them."""

from collections.abc import Sequence
from typing import NamedTuple

import asyncpg
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv

from rayapp.scoring.classifier import Classifier
from rayapp.store.candidates import candidates
from rayapp.store.targets import DECISION_COLUMNS

PARTED = "\x1f"
"""Stands between rule ids, which cannot hold it."""

INPUTS = ("id", "descriptor", "amount", "currency", "direction", "mcc", "country", "booked_at")
NUMBERS = {"score", "confidence", "merchant_score", "semantic_score", "rule_score"}
TYPES = {
    **dict.fromkeys(INPUTS, pa.string()),
    **{name: pa.float64() if name in NUMBERS else pa.string() for name in DECISION_COLUMNS},
    "version": pa.int64(),
    "pack_id": pa.int32(),
    "locked": pa.string(),
}
RULES_AS_TEXT = f"array_to_string(d.rule_ids, '{PARTED}')"

# The rows of a range are few beside the table: their decisions are fetched by key, never by reading all decisions.
BY_KEY = "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_seqscan = off"


class Range(NamedTuple):
    """Blocks of ``rayapp.transaction``, the last not included."""

    first: int
    last: int


class Decided(NamedTuple):
    """Rows that were decided again: as stored (``TYPES``), the new decisions in the same order, and which of them differ."""

    stored: pa.Table
    decisions: pa.Table
    changed: NDArray[np.bool_]
    unreadable: int


async def read_rows(session: asyncpg.Connection, blocks: Range, condition: str) -> pa.Table:
    """Read the rows of some blocks for which an SQL condition on ``t`` and ``d`` holds; in a transaction, whose snapshot counts."""
    await session.execute(BY_KEY)
    source, holds = candidates(condition, blocks)
    columns = [f"t.{name}" for name in (*INPUTS, "version")]
    columns += [RULES_AS_TEXT if name == "rule_ids" else f"d.{name}" for name in DECISION_COLUMNS] + ["d.pack_id", "d.locked"]
    query = f"SELECT {', '.join(columns)} FROM {source} JOIN rayapp.decision d ON d.transaction_id = t.id WHERE {holds}"  # noqa: S608 - quoted in candidates
    return await _copied(session, query, (*INPUTS, "version", *DECISION_COLUMNS, "pack_id", "locked"))


async def _copied(session: asyncpg.Connection, query: str, names: Sequence[str]) -> pa.Table:
    parts: list[bytes] = []

    async def take(part: bytes) -> None:
        parts.append(part)

    await session.copy_from_query(query, output=take, format="csv")
    types = {name: TYPES[name] for name in names}
    content = b"".join(parts)
    if not content:
        return pa.table({name: pa.array([], kind) for name, kind in types.items()})
    return csv.read_csv(
        pa.BufferReader(content),
        csv.ReadOptions(column_names=list(names), block_size=max(len(content), 1)),
        csv.ParseOptions(newlines_in_values=True),
        csv.ConvertOptions(column_types=types, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False),
    )


def decide(classifier: Classifier, stored: pa.Table) -> Decided:
    """Decide stored rows anew; those that the engine cannot read are left out and counted."""
    decisions, problems = classifier.classify_rows(stored.select(INPUTS))
    if problems:
        good = np.ones(stored.num_rows, np.bool_)
        good[[problem.row for problem in problems]] = False
        unreadable = int((~good).sum())
        stored = stored.filter(pa.array(good))
    else:
        unreadable = 0
    return Decided(stored, decisions, _changed(stored, decisions), unreadable)


def _changed(stored: pa.Table, decisions: pa.Table) -> NDArray[np.bool_]:
    """Say which rows differ in anything but the pack."""
    changed = np.zeros(stored.num_rows, np.bool_)
    for name in DECISION_COLUMNS:
        before, after = stored[name], decisions[name]
        if name == "rule_ids":
            after = pc.binary_join(after, PARTED)
        elif pa.types.is_dictionary(after.type):
            after = after.cast(pa.string())
        apart = pc.fill_null(pc.not_equal(before, after), pc.xor(pc.is_null(before), pc.is_null(after)))
        changed |= apart.to_numpy(zero_copy_only=False) if isinstance(apart, pa.Array) else apart.to_numpy()
    return changed


def redecided_table(decided: Decided, *, only_changed: bool) -> pa.Table:
    """Lay decided rows out for the table ``redecided``; a row that did not change needs no more than its id and version."""
    ids = pa.table({"id": decided.stored["id"], "changed": pa.array(decided.changed), "version": decided.stored["version"]})
    whole = pa.table(
        {**dict(zip(ids.column_names, ids.columns, strict=True)), **{name: decided.decisions[name] for name in DECISION_COLUMNS}}
    )
    changed = whole.filter(pa.array(decided.changed))
    plain = pa.table({name: _plain(changed[name]) for name in changed.column_names})
    if only_changed or bool(decided.changed.all()):
        return plain
    rest = ids.filter(pa.array(~decided.changed))
    nothing = {name: pa.nulls(rest.num_rows, plain.schema.field(name).type) for name in DECISION_COLUMNS}
    return pa.concat_tables([plain, pa.table({**dict(zip(rest.column_names, rest.columns, strict=True)), **nothing})])


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
