"""An Arrow table as JSON lines, written by columns: values that repeat are quoted once."""

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

NULL = "null"
TO_BE_ESCAPED = r'["\\\x00-\x1f]'


def json_lines(table: pa.Table) -> bytes:
    """Give one object for each row, with null where there is nothing."""
    return b"".join(_lines(batch) for batch in table.to_batches() if batch.num_rows)


def _lines(batch: pa.RecordBatch) -> bytes:
    pieces: list[object] = []
    for number, (name, column) in enumerate(zip(batch.schema.names, batch.columns, strict=True)):
        pieces += [f"{',' if number else '{'}{_quoted(name)}:", json_values(column)]
    lines = pc.binary_join_element_wise(*pieces, "}\n", "")
    whole = pc.binary_join(pa.ListArray.from_arrays(pa.array([0, len(lines)], pa.int32()), lines), "")
    return bytes(whole[0].as_buffer())


def json_values(column: pa.Array) -> pa.StringArray:
    """Give each value as JSON. Takes texts, numbers, truth values, dictionaries and lists of these; numbers must be finite."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        used, places = _used(column)
        return json_values(used).take(places).fill_null(NULL)
    if pa.types.is_list(kind):
        return _lists(column)
    if pa.types.is_string(kind):
        return _texts(column)
    return column.cast(pa.string()).fill_null(NULL)


def _used(column: pa.DictionaryArray) -> tuple[pa.Array, pa.Array]:
    """Give the values that occur, and each row's place among them: a dictionary may hold far more than a block uses."""
    encoded = column.indices.dictionary_encode()
    return column.dictionary.take(encoded.dictionary), encoded.indices


def _texts(column: pa.StringArray) -> pa.StringArray:
    special = pc.match_substring_regex(column, TO_BE_ESCAPED).fill_null(fill_value=False)
    plain = pc.binary_join_element_wise('"', column, '"', "").fill_null(NULL)
    if not special.true_count:
        return plain
    escaped = pa.array([_quoted(text) for text in column.filter(special).to_pylist()], pa.string())
    return pc.replace_with_mask(plain, special, escaped)


def _lists(column: pa.ListArray) -> pa.StringArray:
    values = json_values(column.flatten())
    lengths = pc.list_value_length(column).fill_null(0)
    ends = pa.array([0, *pc.cumulative_sum(lengths).to_pylist()], pa.int32())
    joined = pc.binary_join(pa.ListArray.from_arrays(ends, values), ",")
    lists = pc.binary_join_element_wise("[", joined, "]", "")
    return pc.if_else(column.is_null(), NULL, lists) if column.null_count else lists


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()
