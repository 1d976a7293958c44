"""Descriptors to cores, by the very engine that will see them at run time."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from rayapp.scoring.engine import Engine
from rayapp.scoring.pack import CompiledPack

BATCH = 1 << 15


def cores(pack: CompiledPack, descriptors: Sequence[str]) -> list[str]:
    """Give the core of each descriptor, empty where nothing of it is left."""
    engine = Engine(pack)
    found: list[str] = []
    for first in range(0, len(descriptors), BATCH):
        part = [text.encode() for text in descriptors[first : first + BATCH]]
        data = np.frombuffer(b"".join(part) or b"\0", np.uint8)[: sum(map(len, part))].copy()
        offsets = np.zeros(len(part) + 1, np.int64)
        np.cumsum([len(text) for text in part], out=offsets[1:])
        views = engine.view(data, offsets)
        content, ends = views.core.tobytes(), views.core_offsets.tolist()
        found.extend(content[a:b].decode() for a, b in pairwise(ends))
    return found
