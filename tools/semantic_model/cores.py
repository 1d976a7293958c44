"""Descriptors to cores, by the very engine that will see them at run time."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rayapp.scoring.engine import Engine, Views
from rayapp.scoring.marks import MARKS, mark_rows, mark_table
from rayapp.scoring.pack import CompiledPack

BATCH = 1 << 15


def cores(pack: CompiledPack, descriptors: Sequence[str]) -> list[str]:
    """Give the core of each descriptor, empty where nothing of it is left."""
    found: list[str] = []
    for views in _views(Engine(pack), descriptors):
        content, ends = views.core.tobytes(), views.core_offsets.tolist()
        found.extend(content[a:b].decode() for a, b in pairwise(ends))
    return found


def marks(pack: CompiledPack, descriptors: Sequence[str], buckets: int) -> NDArray[np.int32]:
    """Give the marks of each descriptor as buckets of a model; -1 for all marks of an empty one."""
    table = mark_table(pack.strings["processor"].to_pylist(), buckets)
    parts = [np.empty((0, MARKS), np.int32)]
    for views in _views(Engine(pack), descriptors):
        rows = np.arange(len(views.core_offsets) - 1, dtype=np.int32)
        facts = views.found.facts
        parts.append(np.empty((rows.size, MARKS), np.int32))
        beside = (facts.processor, facts.store, facts.phone, views.clean_offsets)
        mark_rows(rows, *beside, views.core, views.core_offsets, table, parts[-1])
    found = np.concatenate(parts)
    found[[not descriptor for descriptor in descriptors]] = -1
    return found


def _views(engine: Engine, descriptors: Sequence[str]) -> Iterator[Views]:
    for first in range(0, len(descriptors), BATCH):
        part = [text.encode() for text in descriptors[first : first + BATCH]]
        data = np.frombuffer(b"".join(part) or b"\0", np.uint8)[: sum(map(len, part))].copy()
        offsets = np.zeros(len(part) + 1, np.int64)
        np.cumsum([len(text) for text in part], out=offsets[1:])
        yield engine.view(data, offsets)
