"""Phrases on their way into the lexicon: texts become token sequences, equal sequences become one entry."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rayapp.scoring.fold import fold_table
from rayapp.scoring.phrases import Trie, build_trie
from rayapp.scoring.text import clean_bytes
from rayapp.scoring.tokens import hash_rows, new_tokens, token_rows


def clean_texts(texts: Sequence[str]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Give the clean view of many texts."""
    table = pa.array(texts, pa.large_string())
    _, ends, content = table.buffers()
    offsets = np.frombuffer(ends, np.int64)[: len(texts) + 1].copy()
    data = np.frombuffer(content, np.uint8).copy() if content else np.zeros(0, np.uint8)
    return clean_bytes(data, offsets, fold_table())


def token_texts(texts: Sequence[str]) -> list[str]:
    """Write each text as the lexicon sees it: its tokens with single spaces between."""
    data, offsets = clean_texts(texts)
    out = np.empty(5 * (data.size + len(texts)) + 8, np.uint8)
    out_offsets = np.empty(len(texts) + 1, np.int64)
    token_rows(data, offsets, new_tokens(), out, out_offsets)
    content = out.tobytes()
    return [content[out_offsets[i] : out_offsets[i + 1]].decode() for i in range(len(texts))]


def trie_of(texts: Sequence[str]) -> Trie:
    """Build the trie in which phrase ``p`` is the token text ``texts[p]``."""
    data, offsets = clean_texts(texts)
    hashes = np.empty(data.size + 1, np.uint64)
    hash_offsets = np.empty(len(texts) + 1, np.int64)
    count = hash_rows(data, offsets, new_tokens(), hashes, hash_offsets)
    return build_trie(hashes[:count], hash_offsets)
