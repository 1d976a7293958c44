"""Made-up rows that repeat as lines of a bank's file were measured to.

The source are 436,734 lines of ten years of purchase cards (City of Toronto, Open Government Licence), in order of their dates and in
blocks of 65,536: of such a block 0.099 to 0.152, 0.115 in the mean, are distinct descriptors, as printed, store numbers included. The most
frequent has 5.5 % of the lines, the first hundred about 40 %, and about half of all descriptors occur once. Of the lines 0.964 have the
MCC, direction and currency that most lines of their descriptor have. The rows made here have 0.128 distinct descriptors in a block.

Lines that carry a reference of their own, as those of transfers do, are few among card lines: an account's own file repeats less, which is
why the rows with 0.25 distinct ones stand beside these.
"""

import numpy as np
import pyarrow as pa

from benchmarks.descriptors import make_descriptors

BLOCK = 1 << 16
RANKS = (1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 3000, 4500, BLOCK)
COUNTS = (3622, 823, 596, 529, 419, 334, 178, 108, 61.3, 21.8, 9.33, 3.5, 2, 1, 1)
"""How often a block's descriptor of each rank occurs, mean of the six blocks; between these ranks by a power law."""

USUAL_CODES = 0.964


def block_counts() -> list[int]:
    """Say how often each distinct descriptor of a block occurs, the most frequent first."""
    ranks = np.arange(1, BLOCK + 1)
    counts = np.rint(np.exp(np.interp(np.log(ranks), np.log(RANKS), np.log(COUNTS)))).astype(np.int64)
    distinct = int(np.searchsorted(np.cumsum(counts), BLOCK)) + 1
    counts = counts[:distinct]
    counts[-1] -= counts.sum() - BLOCK
    return counts.tolist()


def repeating_descriptors(n: int, seed: int) -> pa.Array:
    """Give ``n`` descriptors in blocks that have no descriptor in common, each block in random order."""
    counts = block_counts()
    blocks = -(-n // BLOCK)
    pool = np.array(list(dict.fromkeys(make_descriptors(len(counts) * blocks * 5 // 4, seed).to_pylist())), object)
    rng = np.random.default_rng(seed)
    rows = [np.repeat(pool[block * len(counts) : (block + 1) * len(counts)], counts) for block in range(blocks)]
    return pa.array(np.concatenate([rng.permutation(block) for block in rows])[:n], pa.string())


def by_descriptor(rows: pa.Table, columns: tuple[str, ...], seed: int) -> pa.Table:
    """Give most rows the codes of the first row of the same descriptor, as few as ``USUAL_CODES`` says their own."""
    encoded = rows["descriptor"].combine_chunks().dictionary_encode().indices.to_numpy()
    _, first = np.unique(encoded, return_index=True)
    source = first[encoded]
    own = np.random.default_rng(seed).random(len(rows)) >= USUAL_CODES
    source[own] = np.flatnonzero(own)
    for name in columns:
        rows = rows.set_column(rows.column_names.index(name), name, rows[name].take(pa.array(source)))
    return rows
