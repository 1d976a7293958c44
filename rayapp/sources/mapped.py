"""A file's fields as a dataset's columns: the values are written as the loader takes them, and those that cannot be are named."""

import hashlib
from collections.abc import Callable
from collections.abc import Mapping as ByKey

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rayapp.sources.blocks import Block, Unread
from rayapp.sources.dates import in_iso
from rayapp.sources.mapping import ColumnSource, Mapping, plainer
from rayapp.sources.numbers import as_printed_plainly

ZERO = r"^-?0*(\.0*)?$"

SHOWN = 40
"""Characters of a bad value that its message quotes."""

Wrong = list[tuple[int, Unread]]


class Mapper:
    """Applies a mapping to blocks of a file."""

    def __init__(self, mapping: Mapping, source: str = "", repeats: ByKey[int, int] | None = None) -> None:
        """Take what ids are made of where the file has none: the ``source`` that rows are of, and which rows repeat an earlier one."""
        self._mapping = mapping
        self._source = source
        self._repeats = repeats or {}
        self._rules: dict[str, Callable[[Block, ColumnSource, Wrong], pa.Array]] = {
            "value": self._value,
            "joined": self._joined,
            "split": self._split,
            "split sign": self._split_sign,
            "words": self._words,
            "sign": self._sign,
            "constant": self._constant,
            "row": self._row,
            "digest": self._digest,
        }

    def __call__(self, block: Block) -> Block:
        """Give the dataset's columns; a row with a value that cannot be read is taken out and named by that value."""
        wrong: Wrong = []
        columns = {}
        for source in self._mapping.columns:
            if source.how in {"constant", "row", "digest"} or any(field in block.table.column_names for field in source.fields):
                columns[source.column] = self._rules[source.how](block, source, wrong)
        table = pa.table(columns)
        seen = {(row, unread.column): (row, unread) for row, unread in reversed(wrong)}
        return block._replace(table=table).without_rows(sorted(seen.values(), key=lambda found: found[0]))

    def _value(self, block: Block, source: ColumnSource, wrong: Wrong) -> pa.Array:
        column = _field(block, source.fields[0])
        return _written(block, column, source, wrong) if source.notation and pa.types.is_string(column.type) else column

    def _joined(self, block: Block, source: ColumnSource, _: Wrong) -> pa.Array:
        columns = [_as_text(_field(block, field)) for field in source.fields]
        trimmed = [pc.utf8_trim_whitespace(column) for column in columns]
        filled = [pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column) for column in trimmed]
        joined = pc.binary_join_element_wise(*filled, " ", null_handling="skip")
        return pc.if_else(pc.equal(joined, ""), pa.scalar(None, pa.string()), joined)

    def _split(self, block: Block, source: ColumnSource, wrong: Wrong) -> pa.Array:
        debit, credit = self._debit_and_credit(block, source, wrong)
        for row in np.flatnonzero(pc.and_(debit.is_valid(), credit.is_valid()).to_numpy(zero_copy_only=False)).tolist():
            both = f"{debit[row]} and {credit[row]}"
            wrong.append((row, Unread(block.places[row], "is both a debit and a credit", source.column, both)))
        return pc.coalesce(debit, credit)

    def _split_sign(self, block: Block, source: ColumnSource, _: Wrong) -> pa.Array:
        debit, credit = self._debit_and_credit(block, source, [])
        return pc.if_else(debit.is_valid(), "debit", pc.if_else(credit.is_valid(), "credit", pa.scalar(None, pa.string())))

    def _debit_and_credit(self, block: Block, source: ColumnSource, wrong: Wrong) -> tuple[pa.Array, pa.Array]:
        """Give both columns without signs; null where nothing stands, or zero."""
        found = []
        for field in source.fields:
            number = _written(block, _as_text(_field(block, field)), source, wrong)
            bare = pc.utf8_ltrim(number, "-")
            found.append(pc.if_else(pc.match_substring_regex(bare, ZERO), None, bare))
        return found[0], found[1]

    def _words(self, block: Block, source: ColumnSource, _: Wrong) -> pa.Array:
        coded = _as_text(_field(block, source.fields[0])).dictionary_encode()
        known = dict(source.words)
        meant = pa.array([known.get(plainer(word), known.get(word.strip(), word)) for word in coded.dictionary.to_pylist()], pa.string())
        return meant.take(coded.indices)

    def _sign(self, block: Block, source: ColumnSource, _: Wrong) -> pa.Array:
        amounts = _written(block, _as_text(_field(block, source.fields[0])), source, [])
        below, other = ("debit", "credit") if source.sign == "negative is debit" else ("credit", "debit")
        return pc.if_else(pc.starts_with(amounts, "-"), below, other)

    def _constant(self, block: Block, source: ColumnSource, _: Wrong) -> pa.Array:
        return pa.repeat(pa.scalar(source.constant, pa.string()), block.table.num_rows)

    def _row(self, block: Block, _: ColumnSource, __: Wrong) -> pa.Array:
        begin = f"{self._source}-" if self._source else ""
        return pa.array([f"{begin}{place + 1}" for place in block.places], pa.string())

    def _digest(self, block: Block, source: ColumnSource, _: Wrong) -> pa.Array:
        numbered = [self._repeats.get(place, 1) for place in block.places]
        return pa.array([f"{digest}-{number}" for digest, number in zip(digests(block, source.fields), numbered, strict=True)], pa.string())


def digests(block: Block, fields: tuple[str, ...]) -> list[str]:
    """Give for each row 16 bytes of a digest over what stands in some of its fields, as hexadecimal text."""
    columns = [_as_text(_field(block, field)).fill_null("") for field in fields]
    joined = pc.binary_join_element_wise(*[pc.utf8_trim_whitespace(column) for column in columns], "\x1f")
    return [hashlib.blake2b(value.encode(), digest_size=16).hexdigest() for value in joined.to_pylist()]


def _field(block: Block, field: str) -> pa.Array:
    if field not in block.table.column_names:
        return pa.nulls(block.table.num_rows, pa.string())
    column = block.table[field]
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) and column.num_chunks != 1 else column.chunk(0)


def _as_text(column: pa.Array) -> pa.Array:
    return column if pa.types.is_string(column.type) else column.cast(pa.string())


def _written(block: Block, column: pa.Array, source: ColumnSource, wrong: Wrong) -> pa.Array:
    """Give numbers and dates as the loader takes them."""
    if source.type in {"date", "instant"}:
        found, bad = in_iso(column, source.notation)
        message = f"is not a date of the form {source.notation}"
    else:
        mark = source.notation or "."
        found, bad = as_printed_plainly(column, mark)
        message = f"is not a number with the decimal mark {mark!r}"
    for row in np.flatnonzero(bad.to_numpy(zero_copy_only=False)).tolist():
        value = column[row].as_py()
        wrong.append((row, Unread(block.places[row], f"{value[:SHOWN]!r} {message}", source.column, value)))
    return found
