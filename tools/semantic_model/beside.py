"""What the engine sees beside the core of a line, as the model is told at run time: its marks."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rayapp.scoring.columns import read_columns
from rayapp.scoring.engine import Engine
from rayapp.scoring.evidence import Inputs
from rayapp.scoring.marks import MARKS, mark_rows, mark_table, mark_verdicts, verdict_table
from rayapp.scoring.money import shade_rows, worth_table
from rayapp.scoring.pack import CompiledPack
from semantic_model.trial import CardLine, packed, transactions, without

BATCH = 1 << 15


def marks(pack: CompiledPack, lines: Sequence[CardLine]) -> NDArray[np.int32]:
    """Give the marks of each line as keys of features; -1 for all marks of an empty one.

    What brands and rules make of a line is a mark; what was learnt by heart and what a model says are not.
    """
    engine = Engine(without(without(pack, "semantic"), "learned"))
    tables = mark_table(pack.strings["processor"].to_pylist()), verdict_table(pack.strings["category"].to_pylist())
    parts = [_marks(engine, lines[first : first + BATCH], *tables) for first in range(0, len(lines), BATCH)]
    found = np.concatenate([np.empty((0, MARKS), np.int32), *parts])
    found[[not line.descriptor for line in lines]] = -1
    return found


def _marks(engine: Engine, lines: Sequence[CardLine], table: NDArray[np.int32], told: NDArray[np.int32]) -> NDArray[np.int32]:
    """Give the marks of some lines."""
    columns, _ = read_columns(transactions([line._replace(descriptor=line.descriptor or "-") for line in lines]))
    views = engine.view(*packed(columns.descriptor.to_pylist()))
    rows, out = np.arange(len(lines), dtype=np.int32), np.empty((len(lines), MARKS), np.int32)
    inputs = Inputs(rows, columns.amount, columns.currency, columns.direction, columns.mcc, columns.country, columns.day)
    verdicts, _ = engine.judge(views, inputs)
    facts, shade = views.found.facts, np.empty(len(lines), np.int16)
    shade_rows(rows, columns.amount, columns.currency, worth_table(), shade)
    mark_rows(rows, facts.processor, facts.store, facts.phone, views.clean, views.clean_offsets, views.core, views.core_offsets, table, out)
    mark_verdicts(rows, shade, verdicts.category, verdicts.basis, table, told, out)
    return out
