"""One measurement of throughput in a process of its own, which imports nothing but what a user's program would.

    python -m benchmarks._one_process PACK ROWS yes|no

PACK is a compiled pack, ROWS an Arrow stream of batches; the last word is whether to keep the semantic model. Prints one JSON object.
"""

import json
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa

# An installation has no scipy: only tools need it, and numba imports it where it is there.
sys.modules["scipy"] = None  # type: ignore[assignment]

from rayapp import Classifier, load_pack  # noqa: E402 - after scipy is out of the way
from rayapp.scoring.pack import CompiledPack  # noqa: E402

PASSES = 3
MEGABYTE = 1 << 20


def measure(pack_path: str, rows_path: str, *, semantic: bool) -> dict[str, float]:
    """Classify the rows of a file ``PASSES`` times: rows per second of CPU time, their spread, share asked, peak memory in MB."""
    pa.set_cpu_count(1)
    classifier = Classifier(without_semantic(load_pack(pack_path), keep=semantic))
    classifier.classify(next(_batches(rows_path)))
    speeds = []
    for _ in range(PASSES):
        seconds, rows, suggested = 0.0, 0, 0
        for batch in _batches(rows_path):
            began = time.process_time()
            answer = classifier.classify(batch)
            seconds += time.process_time() - began
            rows += len(answer)
            suggested += _positive(answer["semantic_score"])
        speeds.append(rows / seconds)
    return {"speed": median(speeds), "least": min(speeds), "most": max(speeds), "suggested": suggested / rows, "memory": _peak_memory()}


def without_semantic(pack: CompiledPack, *, keep: bool) -> CompiledPack:
    """Give a pack without its model, or with it."""
    if keep:
        return pack
    arrays = {name: array for name, array in pack.arrays.items() if not name.startswith("semantic/")}
    return CompiledPack(pack.manifest, arrays, pack.strings)


def _batches(path: str) -> Iterator[pa.RecordBatch]:
    with pa.OSFile(path) as file, pa.ipc.open_stream(file) as reader:
        yield from reader


def _positive(scores: pa.ChunkedArray) -> int:
    """Count scores above nought; read from the buffers, since Arrow's way to numpy imports pandas."""
    return sum(int((np.frombuffer(chunk.buffers()[1], np.float64)[: len(chunk)] > 0).sum()) for chunk in scores.chunks)


def _peak_memory() -> float:
    """Give this process's peak memory in MB; the resource module's figure begins, on Linux, with that of the parent."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGABYTE


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], sys.argv[2], semantic=sys.argv[3] == "yes")))
