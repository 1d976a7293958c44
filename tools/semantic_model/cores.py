"""Descriptors to cores, by the very engine that will see them at run time."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from rayapp.scoring.engine import Engine, Views
from rayapp.scoring.pack import CompiledPack

BATCH = 1 << 15


def cores(pack: CompiledPack, descriptors: Sequence[str]) -> list[str]:
    """Give the core of each descriptor, empty where nothing of it is left."""
    found: list[str] = []
    for views in _views(Engine(pack), descriptors):
        content, ends = views.core.tobytes(), views.core_offsets.tolist()
        found.extend(content[a:b].decode() for a, b in pairwise(ends))
    return found


def _views(engine: Engine, descriptors: Sequence[str]) -> Iterator[Views]:
    for first in range(0, len(descriptors), BATCH):
        part = [text.encode() for text in descriptors[first : first + BATCH]]
        data = np.frombuffer(b"".join(part) or b"\0", np.uint8)[: sum(map(len, part))].copy()
        offsets = np.zeros(len(part) + 1, np.int64)
        np.cumsum([len(text) for text in part], out=offsets[1:])
        yield engine.view(data, offsets)
