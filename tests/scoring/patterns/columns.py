"""Rows of text as the engine takes them, and its answers as plain lists."""

import re
import warnings

import numpy as np

from rayapp.scoring.patterns import match


def joined(rows):
    encoded = [row.encode() for row in rows]
    offsets = np.zeros(len(rows) + 1, np.int64)
    np.cumsum([len(row) for row in encoded], out=offsets[1:])
    return np.frombuffer(b"".join(encoded), np.uint8), offsets


def pairs(pattern_set, rows):
    found_rows, found = match(pattern_set, *joined(rows))
    return list(zip(found_rows.tolist(), found.tolist(), strict=True))


def pairs_of_re(patterns, rows):
    """The reference of meaning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compiled = [re.compile(pattern, re.IGNORECASE) for pattern in patterns]
    return [(row, index) for row, text in enumerate(rows) for index, one in enumerate(compiled) if one.search(text)]
