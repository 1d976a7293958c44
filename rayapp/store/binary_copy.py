"""Arrow tables as PostgreSQL's binary COPY format."""

import pgpq
import pyarrow as pa
import pyarrow.compute as pc


def binary_copy(table: pa.Table) -> memoryview:
    """Encode the table; dictionary columns as their values.

    asyncpg takes bytes for the name of a file, hence a view. Text with NUL is refused by PostgreSQL and must not come this far.
    """
    plain = pa.table({name: _decoded(table[name]) for name in table.column_names}).combine_chunks()
    encoder = pgpq.ArrowToPostgresBinaryEncoder(plain.schema)
    parts = [encoder.write_header(), *(encoder.write_batch(batch) for batch in plain.to_batches()), encoder.finish()]
    return memoryview(b"".join(parts))


def _decoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Give the column in a type that PostgreSQL has."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return column.cast(kind.value_type)
    if pa.types.is_list(kind) and pa.types.is_dictionary(kind.value_type):
        return column.cast(pa.list_(kind.value_type.value_type))
    return pc.cast(column, pa.string()) if pa.types.is_null(kind) else column
