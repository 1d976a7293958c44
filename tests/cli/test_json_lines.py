import json

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from rayapp.cli.json_lines import json_lines

TEXT = st.none() | st.text(max_size=6) | st.text(alphabet='"\\\n\x00\x1f/é\u2028😀', max_size=4)
ROWS = st.lists(st.tuples(TEXT, TEXT, st.none() | st.lists(TEXT, max_size=3), st.none() | st.floats(allow_nan=False, allow_infinity=False)))


@given(ROWS, st.integers(1, 4))
def test_any_table_comes_back_from_its_lines(rows: list[tuple[object, ...]], step: int) -> None:
    texts, repeated, lists, numbers = ([row[n] for row in rows] for n in range(4))
    table = pa.table(
        {
            "text": pa.array(texts, pa.string()),
            'na"me': pa.array(repeated, pa.string()).dictionary_encode(),
            "lists": pa.array(lists, pa.list_(pa.string())),
            "number": pa.array(numbers, pa.float64()),
        }
    )
    parts = pa.Table.from_batches(table.to_batches(max_chunksize=step), table.schema)
    for given_table in (table, parts, table.slice(len(rows) // 2)):
        assert [json.loads(line) for line in json_lines(given_table).decode().split("\n")[:-1]] == given_table.to_pylist()


def test_lists_of_dictionary_values_are_written_as_their_values() -> None:
    values = pa.array(["a", "b", "a"]).dictionary_encode()
    lists = pa.ListArray.from_arrays(pa.array([0, 2, 2, 3], pa.int32()), values)
    assert json_lines(pa.table({"x": lists})) == b'{"x":["a","b"]}\n{"x":[]}\n{"x":["a"]}\n'
