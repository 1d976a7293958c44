"""The classifier: the library's face, and the whole flow on one screen.

A table's columns are read and checked (columns), its distinct descriptors are looked at (engine.view), its rows judged (engine.judge) and
the verdicts written (output). One transaction is a table of one row on the same way.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rayapp.errors import InvalidInput, Problem
from rayapp.scoring.alone import Alone
from rayapp.scoring.columns import Columns, as_table, read_columns
from rayapp.scoring.engine import Engine, Views
from rayapp.scoring.evidence import Inputs, Verdicts
from rayapp.scoring.explain import Narrator
from rayapp.scoring.firing import fired_rows
from rayapp.scoring.output import SCHEMA, Writer, wrapped
from rayapp.scoring.pack import CompiledPack
from rayapp.scoring.single import Alike, SingleReader
from rayapp.scoring.transaction import Classification, Transaction

DISTINCT_ROWS = 1 << 15
"""Rows that are looked at together: as many as stay in a core's cache."""

REPEATING_ROWS = 1 << 18
"""Rows whose descriptors are made distinct together, where they repeat."""

SAMPLE = 4096
REPEATS_BELOW = 0.65
"""Share of distinct descriptors in a sample, or of verdicts in a block, from which on using the repeats costs more than it saves (research:
break-even 0.65-0.7)."""


class Decided(NamedTuple):
    """Decisions of rows, those of rows that are alike once: ``decisions`` with the columns of ``output.SCHEMA``, where ids mean nothing.

    ``places`` says which decision each row has.
    """

    decisions: pa.Table
    places: NDArray[np.int32]


class _Block(NamedTuple):
    """Decisions of a block's rows: row by row, or by the ``places`` of each row's decision."""

    ids: pa.Array
    decisions: pa.RecordBatch
    places: NDArray[np.int32] | None


class Classifier:
    """Classifies transactions by one pack. Safe to use from several threads, which run side by side."""

    def __init__(self, pack: CompiledPack) -> None:
        """Make a compiled pack ready."""
        self.pack = pack
        self._engine = Engine(pack)
        self._writer = Writer(pack)
        self._alone = Alone(self._engine, self._writer)
        self._narrator = Narrator(pack, self._engine)
        self._single = SingleReader(self._engine.shade_one)

    def classify(self, transactions: Any, *, strict: bool = False) -> pa.Table:  # noqa: ANN401 - any frame that can become Arrow
        """Classify a table: one row out for each row in, in the same order, with the columns of ``output.SCHEMA``.

        Takes an Arrow table or record batch, a pandas or polars frame. Raises ``InvalidInput`` with a problem for each bad value; with
        ``strict`` a column that is not known is one.
        """
        table, problems = self.classify_rows(transactions, strict=strict)
        if problems:
            raise InvalidInput.of(f"{len({problem.row for problem in problems})} rows cannot be read", problems)
        return table

    def classify_rows(self, transactions: Any, *, strict: bool = False) -> tuple[pa.Table, tuple[Problem, ...]]:  # noqa: ANN401
        """Classify the good rows of a table, in order, and say what is wrong with each of the others."""
        blocks, problems = self._classified(transactions, strict=strict)
        return pa.Table.from_batches(map(_row_by_row, blocks), SCHEMA), problems

    def decide_rows(self, transactions: Any) -> tuple[Decided, tuple[Problem, ...]]:  # noqa: ANN401
        """Classify as ``classify_rows`` does, for whoever has a use for each decision once."""
        found, problems = self._classified(transactions, strict=False)
        blocks, places, first = list(found), [np.zeros(0, np.int32)], 0
        for block in blocks:
            count = block.decisions.num_rows
            places.append(first + (np.arange(count, dtype=np.int32) if block.places is None else block.places))
            first += count
        return Decided(pa.Table.from_batches([block.decisions for block in blocks], SCHEMA), np.concatenate(places)), problems

    def _classified(self, transactions: Any, *, strict: bool) -> tuple[Iterator[_Block], tuple[Problem, ...]]:  # noqa: ANN401
        columns, problems = read_columns(as_table(transactions), strict=strict)
        repeats = _repeats(columns.descriptor)
        blocks = _blocks(columns, REPEATING_ROWS if repeats else DISTINCT_ROWS)
        return (self._classify(block, repeats=repeats) for block in blocks), problems

    def fires(self, transactions: Any, rules: Sequence[int]) -> NDArray[np.bool_]:  # noqa: ANN401
        """Say which of some rules, given by number, fire on each good row of a table, whatever comes out; shape (rules, rows)."""
        columns, _ = read_columns(as_table(transactions))
        every = np.arange(len(columns.id), dtype=np.int32)
        views = self._engine.view(*_buffers(columns.descriptor))
        inputs = Inputs(every, columns.amount, columns.currency, columns.direction, columns.mcc, columns.country, columns.day)
        fired = np.zeros((len(rules), every.size), np.bool_)
        for place, rule in enumerate(rules):
            fired_rows(rule, inputs, views.found, self._engine.rules, fired[place])
        return fired

    def classify_one(self, transaction: Transaction) -> Classification:
        """Classify one transaction, without evidence. Raises ``InvalidInput`` naming the fields that are wrong."""
        return self._narrator.classification(transaction.id, self._alone.decide(self._single.values(transaction)))

    def explain(self, transaction: Transaction) -> Classification:
        """Classify one transaction and give the evidence, the next categories, and what was peeled off the descriptor."""
        return self._narrator.explanation(self.classify_one(transaction), *self._judge_one(transaction))

    def alike(self, transaction: Transaction) -> Alike:
        """Give what transactions share whose answers differ in the id alone, unless they are ``exact``; raises ``InvalidInput``."""
        return self._single.alike(transaction)

    def exact(self, descriptors: Sequence[bytes]) -> NDArray[np.bool_]:
        """Tell of each descriptor, in UTF-8, whether a rule looks at the amount or the day as well."""
        return self._engine.exact(*_buffers(pa.array(descriptors, pa.binary())))

    def _judge_one(self, transaction: Transaction) -> tuple[Inputs, Views, Verdicts]:
        data, offsets, inputs = self._single.read(transaction)
        views = self._engine.view(data, offsets)
        verdicts, found = self._engine.judge(views, inputs)
        return inputs, views._replace(found=found), verdicts

    def _classify(self, columns: Columns, *, repeats: bool) -> _Block:
        """Classify one block of good rows; where descriptors repeat, each is looked at once, and rows that are alike are judged once."""
        text, distinct = _distinct(columns.descriptor) if repeats else (np.arange(len(columns.id), dtype=np.int32), columns.descriptor)
        views = self._engine.view(*_buffers(distinct))
        inputs = Inputs(text, columns.amount, columns.currency, columns.direction, columns.mcc, columns.country, columns.day)
        if repeats:
            groups = self._engine.group(views, inputs)
            if groups.judged.size <= REPEATS_BELOW * text.size:
                alike = Inputs._make(column[groups.judged] for column in inputs)
                return _Block(columns.id, self._judge(columns.id[: groups.judged.size], alike, views), groups.group)
        return _Block(columns.id, self._judge(columns.id, inputs, views), None)

    def _judge(self, ids: pa.Array, inputs: Inputs, views: Views) -> pa.RecordBatch:
        """Judge rows and write the verdicts."""
        verdicts, _ = self._engine.judge(views, inputs)
        return self._writer.write(ids, inputs.text, views, verdicts)


def _row_by_row(block: _Block) -> pa.RecordBatch:
    """Give each row its decision, with its id."""
    if block.places is None:
        return block.decisions
    return block.decisions.take(wrapped(block.places)).set_column(0, SCHEMA.field("id"), block.ids)


def _repeats(descriptors: pa.Array) -> bool:
    """Tell by a sample whether finding equal descriptors pays."""
    sample = descriptors[:SAMPLE]
    return len(descriptors) > SAMPLE and len(sample.unique()) < REPEATS_BELOW * len(sample)


def _blocks(columns: Columns, step: int) -> Iterator[Columns]:
    """Part rows into blocks of ``step``."""
    for first in range(0, len(columns.id), step):
        yield Columns._make(column[first : first + step] for column in columns)


def _distinct(descriptors: pa.Array) -> tuple[NDArray[np.int32], pa.Array]:
    """Give where each row's descriptor stands among the distinct ones, and these."""
    encoded = descriptors.dictionary_encode()
    indices = encoded.indices
    return np.frombuffer(indices.buffers()[1], np.int32)[indices.offset : indices.offset + len(indices)].copy(), encoded.dictionary


def _buffers(descriptors: pa.Array) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Copy a string array's bytes and offsets into arrays of the kernels' types."""
    _, ends, content = descriptors.buffers()
    offsets = np.frombuffer(ends, np.int32)[descriptors.offset : descriptors.offset + len(descriptors) + 1].astype(np.int64)
    first, last = int(offsets[0]), int(offsets[-1])
    data = np.frombuffer(content, np.uint8)[first:last].copy() if content is not None else np.zeros(0, np.uint8)
    return data, offsets - first
