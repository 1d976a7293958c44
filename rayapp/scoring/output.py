"""Verdicts as an Arrow table with the columns of the contract.

Columns with few values are dictionary-encoded over the pack's own tables, so that every batch of a pack shares its dictionaries and no
string is copied for a row; scores are millionths divided once.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numba import njit
from numpy.typing import NDArray

from rayapp.scoring.columns import Columns
from rayapp.scoring.confidence import LEVELS, Calibration, level_numbers
from rayapp.scoring.engine import Views
from rayapp.scoring.judge import MCC, MERCHANT, ONE, RULE, SEMANTIC, Verdicts
from rayapp.scoring.pack import CompiledPack, string_table

STATUSES = ("classified", "unclassified", "partial")
CLASSIFIED, UNCLASSIFIED = 0, 1


def _coded(values: pa.DataType) -> pa.DataType:
    return pa.dictionary(pa.int32(), values)


SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("status", _coded(pa.string())),
        ("merchant_name", pa.string()),
        ("merchant_id", _coded(pa.string())),
        ("processor", _coded(pa.string())),
        ("category_primary", _coded(pa.string())),
        ("category_detailed", _coded(pa.string())),
        ("score", pa.float64()),
        ("confidence", pa.float64()),
        ("level", _coded(pa.string())),
        ("merchant_score", pa.float64()),
        ("semantic_score", pa.float64()),
        ("rule_score", pa.float64()),
        ("alias_id", _coded(pa.string())),
        ("rule_ids", pa.list_(pa.string())),
        ("pack", _coded(pa.string())),
    ]
)


@njit(nogil=True, cache=True)
def write_names(
    merchant: NDArray[np.int32],
    guessed: NDArray[np.uint8],
    text: NDArray[np.int32],
    names: NDArray[np.uint8],
    name_offsets: NDArray[np.int32],
    core: NDArray[np.uint8],
    core_offsets: NDArray[np.int64],
    out: NDArray[np.uint8],
    out_offsets: NDArray[np.int32],
) -> None:
    """Write each row's merchant name: the gazetteer's, else (where ``guessed``) the core with capitals at word starts, else nothing."""
    w = 0
    out_offsets[0] = 0
    for row in range(merchant.size):
        if merchant[row] >= 0:
            first, last = name_offsets[merchant[row]], name_offsets[merchant[row] + 1]
            out[w : w + last - first] = names[first:last]
            w += last - first
        elif guessed[row]:
            inside = False
            for i in range(core_offsets[text[row]], core_offsets[text[row] + 1]):
                byte = core[i]
                out[w] = byte + 32 if inside and 65 <= byte <= 90 else byte
                inside = byte != 32
                w += 1
        out_offsets[row + 1] = w


def _numbers(values: NDArray[Any], present: NDArray[np.bool_] | None = None) -> pa.Array:
    """Wrap numbers as an array without a copy, null where not ``present``; ``pa.array`` would first import pandas where there is one."""
    kind = pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(kind, values.size, [_validity(present), pa.py_buffer(np.ascontiguousarray(values))])


def _validity(present: NDArray[np.bool_] | None) -> pa.Buffer | None:
    """Give the bitmap of the rows that are not null; none where all are."""
    return None if present is None or present.all() else pa.py_buffer(np.packbits(present, bitorder="little"))


def _texts(values: Sequence[str]) -> pa.StringArray:
    """Make a string table, without pandas as above."""
    encoded = [value.encode() for value in values]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    return string_table(ends, np.frombuffer(b"".join(encoded), np.uint8))


def _capitalised(word: str) -> str:
    """Lower the ASCII letters after the first character."""
    return word[:1] + "".join(char.lower() if char.isascii() else char for char in word[1:])


class Writer:
    """Writes the verdicts of one pack."""

    def __init__(self, pack: CompiledPack) -> None:
        """Prepare the pack's dictionaries."""
        strings = pack.strings
        primary = pack.arrays["category/primary"]
        self._statuses = _texts(STATUSES)
        self._levels = _texts(LEVELS)
        self._pack = _texts([pack.digest])
        self._tables = strings
        self._primary = primary
        self._aliases = pa.concat_arrays([strings["alias_id"], _texts([f"learned/{core}" for core in strings["learned"].to_pylist()])])
        self._learned_from = len(strings["alias_id"])
        self._named = pack.arrays["category/merchant"]
        self._calibration = Calibration(pack.manifest.confidence)
        self._levels_at = pack.manifest.levels
        _, ends, content = strings["merchant_name"].buffers()
        self._name_offsets = np.frombuffer(ends, np.int32)[: len(strings["merchant_name"]) + 1].copy()
        self._names = np.frombuffer(content, np.uint8).copy() if content else np.zeros(0, np.uint8)
        self._longest_name = int(np.diff(self._name_offsets).max(initial=0))

    def alias_numbers(self, out: Verdicts) -> NDArray[np.int32]:
        """Number the alias of each row in the table of aliases and learned merchants."""
        return np.where(out.learned >= 0, out.learned + self._learned_from, out.alias)

    def confidence(self, out: Verdicts) -> NDArray[np.float64]:
        """Give the calibrated confidence of each row."""
        return self._calibration.confidence(out.basis, out.score, out.runner_up)

    def names(self, views: Views, text: NDArray[np.int32], out: Verdicts) -> pa.Array:
        """Give the merchant's name of each row, null where there is none to be had."""
        core_length = views.core_offsets[text + 1] - views.core_offsets[text]
        named = (out.category < 0) | (self._named[np.maximum(out.category, 0)] > 0)
        guessed = ((out.merchant < 0) & named & (views.found.facts.weight[text] > 0)).astype(np.uint8)
        room = int(core_length[guessed > 0].sum()) + int((out.merchant >= 0).sum()) * self._longest_name
        content = np.empty(room + 1, np.uint8)
        offsets = np.empty(text.size + 1, np.int32)
        write_names(out.merchant, guessed, text, self._names, self._name_offsets, views.core, views.core_offsets, content, offsets)
        present = (out.merchant >= 0) | (guessed > 0)
        buffers = [_validity(present), pa.py_buffer(offsets), pa.py_buffer(content[: offsets[-1]].copy())]
        return pa.Array.from_buffers(pa.string(), text.size, buffers)

    def name(self, views: Views, out: Verdicts) -> str | None:
        """Give the merchant's name of a single row, as ``names`` does."""
        merchant, category = int(out.merchant[0]), int(out.category[0])
        if merchant >= 0:
            return self._names[self._name_offsets[merchant] : self._name_offsets[merchant + 1]].tobytes().decode()
        if (category >= 0 and not self._named[category]) or views.found.facts.weight[0] <= 0:
            return None
        words = views.core.tobytes().decode().split(" ")
        return " ".join(_capitalised(word) for word in words)

    def write(self, columns: Columns, text: NDArray[np.int32], views: Views, out: Verdicts) -> pa.RecordBatch:
        """Write rows; ``text`` is the row of each one's descriptor in ``views``."""
        confidence = self.confidence(out)
        unclassified = out.category < 0
        primary = np.where(unclassified, -1, self._primary[np.maximum(out.category, 0)])
        parts = out.parts
        return pa.RecordBatch.from_arrays(
            [
                columns.id,
                self._dictionary(np.where(unclassified, UNCLASSIFIED, CLASSIFIED), self._statuses),
                self.names(views, text, out),
                self._dictionary(out.merchant, self._tables["merchant_id"]),
                self._dictionary(views.found.facts.processor[text], self._tables["processor"]),
                self._dictionary(primary, self._tables["primary"]),
                self._dictionary(out.category, self._tables["category"]),
                _numbers(out.score / ONE),
                _numbers(confidence),
                self._dictionary(level_numbers(confidence, self._levels_at), self._levels),
                _numbers(parts[:, MERCHANT] / ONE),
                _numbers(parts[:, SEMANTIC] / ONE),
                _numbers((parts[:, RULE] + parts[:, MCC]) / ONE),
                self._dictionary(self.alias_numbers(out), self._aliases),
                self._rules(out),
                self._dictionary(np.zeros(text.size, np.int32), self._pack),
            ],
            schema=SCHEMA,
        )

    def _rules(self, out: Verdicts) -> pa.ListArray:
        """Give the ids of the rules of each row."""
        ends = np.zeros(out.rule_count.size + 1, np.int32)
        np.cumsum(out.rule_count, out=ends[1:])
        kept = np.arange(out.rule.shape[1]) < out.rule_count[:, None]
        return pa.ListArray.from_arrays(_numbers(ends), self._tables["rule_id"].take(_numbers(out.rule[kept])))

    @staticmethod
    def _dictionary(numbers: NDArray[Any], table: pa.Array) -> pa.DictionaryArray:
        """Code a column by its places in a table, null where negative."""
        indices = numbers.astype(np.int32)
        return pa.DictionaryArray.from_arrays(_numbers(indices, indices >= 0), table, safe=False)
