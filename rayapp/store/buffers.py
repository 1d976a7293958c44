"""Columns of Arrow as the arrays that lie in their buffers, without a copy."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

ASCII = 127


def plain(column: pa.ChunkedArray) -> pa.Array:
    """Make one array of a column's chunks, with values where it had places in a dictionary."""
    array = pa.concat_arrays(list(column.chunks)) if column.num_chunks > 1 else column.chunk(0) if column.num_chunks else None
    if array is None:
        return pa.array([], column.type)
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def bytes_of(texts: pa.Array) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Give the bytes that an array of strings stands on, and the ``n + 1`` places in them where its values begin and end."""
    _, ends, content = texts.buffers()
    if ends is None or not len(texts):
        return np.zeros(0, np.uint8), np.zeros(len(texts) + 1, np.int32)
    data = np.frombuffer(content, np.uint8) if content is not None and content.size else np.zeros(0, np.uint8)
    return data, np.frombuffer(ends, np.int32)[texts.offset : texts.offset + len(texts) + 1]


def is_ascii(texts: pa.Array) -> bool:
    """Say whether the values of an array of strings are ASCII throughout, all looked at at once."""
    data, ends = bytes_of(texts)
    return ends[0] == ends[-1] or bool(data[ends[0] : ends[-1]].max() <= ASCII)
