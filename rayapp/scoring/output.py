"""Verdicts as an Arrow table with the columns of the contract.

Columns with few values are dictionary-encoded over the pack's own tables, so that every batch of a pack shares its dictionaries and no
string is copied for a row; scores are millionths divided once.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numba import njit
from numpy.typing import NDArray

from rayapp.scoring.confidence import LEVELS, Calibration, level_numbers
from rayapp.scoring.engine import Views
from rayapp.scoring.evidence import MCC, MERCHANT, ONE, RULE, SEMANTIC, Verdicts
from rayapp.scoring.lexicon import Facts
from rayapp.scoring.pack import CompiledPack, string_buffers, string_table

STATUSES = ("classified", "unclassified", "partial")
CLASSIFIED, UNCLASSIFIED = 0, 1
_SPACE = 32


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


class Names(NamedTuple):
    """The names of the gazetteer's merchants as bytes and offsets, and whether payments of each category go to a merchant worth naming."""

    content: NDArray[np.uint8]
    offset: NDArray[np.int32]
    worth: NDArray[np.uint8]


@njit(nogil=True, cache=True, _nrt=False, forceinline=True)
def _says_something(facts: Facts, core: NDArray[np.uint8], core_offsets: NDArray[np.int64], text: int, category: int) -> bool:
    """Tell whether a core is a name: it has words of its own, or several words of which some tell a trade, and its category is known."""
    if facts.weight[text] > 0:
        return True
    if category < 0 or facts.words[text] == 0:
        return False
    for i in range(core_offsets[text], core_offsets[text + 1]):
        if core[i] == _SPACE:
            return True
    return False


@njit(nogil=True, cache=True, _nrt=False)
def name_ends(
    out: Verdicts,
    text: NDArray[np.int32],
    names: Names,
    facts: Facts,
    core: NDArray[np.uint8],
    core_offsets: NDArray[np.int64],
    ends: NDArray[np.int32],
    named: NDArray[np.bool_],
) -> None:
    """Write where each row's name ends, and whether it has one: the gazetteer's, else the core where that says something.

    Several words of trades are a name where the category fits one (HOTEL PLAZA), one alone is none (HOTEL).
    """
    ends[0] = 0
    for row in range(text.size):
        merchant, category = out.merchant[row], out.category[row]
        length = 0
        if merchant >= 0:
            length = int(names.offset[merchant + 1] - names.offset[merchant])
        elif _says_something(facts, core, core_offsets, text[row], category) and (category < 0 or names.worth[category]):
            length = int(core_offsets[text[row] + 1] - core_offsets[text[row]])
        named[row] = merchant >= 0 or length > 0
        ends[row + 1] = ends[row] + length


@njit(nogil=True, cache=True, _nrt=False)
def write_names(
    merchant: NDArray[np.int32],
    text: NDArray[np.int32],
    names: Names,
    core: NDArray[np.uint8],
    core_offsets: NDArray[np.int64],
    ends: NDArray[np.int32],
    out: NDArray[np.uint8],
) -> None:
    """Write each row's merchant name: the gazetteer's, else the core with capitals at word starts; its end is from ``name_ends``."""
    for row in range(merchant.size):
        first, length = ends[row], ends[row + 1] - ends[row]
        if merchant[row] >= 0:
            source = names.offset[merchant[row]]
            for i in range(length):
                out[first + i] = names.content[source + i]
            continue
        source = core_offsets[text[row]]
        before = np.uint8(32)
        for i in range(length):
            byte = core[source + i]
            inside = before != 32 and 65 <= byte <= 90
            out[first + i] = byte + np.uint8(32) if inside else byte
            before = byte


def wrapped(values: NDArray[Any], present: NDArray[np.bool_] | None = None) -> pa.Array:
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
        self.calibration = Calibration(pack.manifest.confidence)
        self._levels_at = pack.manifest.levels
        ends, content = string_buffers(strings["merchant_name"])
        self.known_names = Names(content.copy(), ends.copy(), pack.arrays["category/merchant"])

    def alias_numbers(self, out: Verdicts) -> NDArray[np.int32]:
        """Number the alias of each row in the table of aliases and learned merchants."""
        return np.where(out.learned >= 0, out.learned + self._learned_from, out.alias)

    def confidence(self, out: Verdicts) -> NDArray[np.float64]:
        """Give the calibrated confidence of each row."""
        return self.calibration.confidence(out.basis, out.score, out.runner_up)

    def names(self, views: Views, text: NDArray[np.int32], out: Verdicts) -> pa.Array:
        """Give the merchant's name of each row, null where there is none to be had."""
        ends, named = np.empty(text.size + 1, np.int32), np.empty(text.size, bool)
        name_ends(out, text, self.known_names, views.found.facts, views.core, views.core_offsets, ends, named)
        content = np.empty(ends[-1], np.uint8)
        write_names(out.merchant, text, self.known_names, views.core, views.core_offsets, ends, content)
        return pa.Array.from_buffers(pa.string(), text.size, [_validity(named), pa.py_buffer(ends), pa.py_buffer(content)])

    def write(self, ids: pa.Array, text: NDArray[np.int32], views: Views, out: Verdicts) -> pa.RecordBatch:
        """Write rows; ``text`` is the row of each one's descriptor in ``views``."""
        confidence = self.confidence(out)
        unclassified = out.category < 0
        primary = np.where(unclassified, -1, self._primary[np.maximum(out.category, 0)])
        parts = out.parts
        return pa.RecordBatch.from_arrays(
            [
                ids,
                self._dictionary(np.where(unclassified, UNCLASSIFIED, CLASSIFIED), self._statuses),
                self.names(views, text, out),
                self._dictionary(out.merchant, self._tables["merchant_id"]),
                self._dictionary(views.found.facts.processor[text], self._tables["processor"]),
                self._dictionary(primary, self._tables["primary"]),
                self._dictionary(out.category, self._tables["category"]),
                wrapped(out.score / ONE),
                wrapped(confidence),
                self._dictionary(level_numbers(confidence, self._levels_at), self._levels),
                wrapped(parts[:, MERCHANT] / ONE),
                wrapped(parts[:, SEMANTIC] / ONE),
                wrapped((parts[:, RULE] + parts[:, MCC]) / ONE),
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
        return pa.ListArray.from_arrays(wrapped(ends), self._tables["rule_id"].take(wrapped(out.rule[kept])))

    @staticmethod
    def _dictionary(numbers: NDArray[Any], table: pa.Array) -> pa.DictionaryArray:
        """Code a column by its places in a table, null where negative."""
        indices = numbers.astype(np.int32)
        return pa.DictionaryArray.from_arrays(wrapped(indices, indices >= 0), table, safe=False)
