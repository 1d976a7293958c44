"""Cutting text into rows: against Python's csv module, for any content and any size of the parts."""

import csv
import io

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from rayapp.sources import row_cuts
from rayapp.sources.csv_rows import CsvRows
from rayapp.sources.dialect import Dialect
from rayapp.sources.row_cuts import Cut, RowCutter
from rayapp.sources.row_ends import row_ends

FIELDS = ("a", "b")


def cut(content: bytes, sizes: list[int], *, delimiter: str | None = ",", columns: int = 2) -> list[Cut]:
    cutter = RowCutter(delimiter, columns)
    found, place = [], 0
    while place < len(content):
        size = sizes[len(found) % len(sizes)]
        found += cutter.feed(content[place : place + size])
        place += size
    return [*found, *cutter.finish()]


def rows_of(cuts: list[Cut], delimiter: str = ",") -> tuple[list[list[str]], list[int]]:
    reader = CsvRows(Dialect(delimiter, FIELDS, FIELDS, 0, 1), FIELDS)
    rows, bad, first = {}, [], 0
    for part in cuts:
        block = reader.read(part, first)
        rows |= {place: [row[field] or "" for field in FIELDS] for place, row in zip(block.places, block.table.to_pylist(), strict=True)}
        bad += [unread.row for unread in block.unread]
        first += len(part.ends)
    return [rows[place] for place in sorted(rows)], bad


FIELD = st.text(st.sampled_from('a",;\n\r é|'), max_size=6)
SIZES = st.lists(st.integers(1, 30), min_size=1, max_size=5)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(FIELD, FIELD), max_size=12),
    st.sampled_from(",;\t|"),
    st.sampled_from(
        [("\n", csv.QUOTE_MINIMAL), ("\r\n", csv.QUOTE_MINIMAL), ("\n", csv.QUOTE_ALL), ("\r\n", csv.QUOTE_ALL), ("\r", csv.QUOTE_ALL)]
    ),
    SIZES,
)
def test_pieces_joined_are_what_the_csv_module_reads_of_the_whole(rows, delimiter, style, sizes):
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, lineterminator=style[0], quoting=style[1]).writerows(rows)
    whole = [row for row in csv.reader(io.StringIO(file.getvalue(), newline=""), delimiter=delimiter) if any(row)]
    assume(all(len(row) == 2 for row in whole))  # the writer leaves line ends of another kind without quotes
    found, bad = rows_of(cut(file.getvalue().encode(), sizes, delimiter=delimiter), delimiter)
    assert found == whole
    assert bad == []


@settings(max_examples=500, deadline=None)
@given(st.text(st.sampled_from('ab",\n\r'), max_size=60), SIZES)
@example('a,b"\na,"b\n', [3])
@example('"a"b"c,d"\n1,2\n', [4])
@example('a,"b\nc,d\n"e",f\n', [100])
def test_any_text_gives_the_same_rows_in_any_cut_and_loses_no_byte(text, sizes):
    content = text.encode()
    whole, parts = cut(content, [1000]), cut(content, sizes)
    assert b"".join(part.content for part in parts) == content
    assert rows_of(parts) == rows_of(whole)
    assert [fault for part in parts if (fault := part.fault)] == [fault for part in whole if (fault := part.fault)]


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from('ab",\n\r'), max_size=60).flatmap(lambda text: st.integers(1, 5).map(lambda times: text * times)))
def test_rows_end_where_the_csv_module_ends_them(text):
    rows = list(csv.reader(io.StringIO(text, newline="")))
    ends, _, is_open = row_ends(text.encode(), ",")
    last = not is_open and len(text) > (int(ends[-1]) if len(ends) else 0)
    assert len(ends) + (last or is_open) == len(rows)


def test_a_quote_that_is_never_closed_takes_its_own_line_alone():
    cuts = cut(b'1,A\n2,"B\n3,C\n4,D\n', [5])
    assert rows_of(cuts) == ([["1", "A"], ["3", "C"], ["4", "D"]], [1])
    assert [part.fault for part in cuts if part.fault] == ["opens a quote that is not closed in its row"]


def test_a_quote_that_the_next_quoted_field_closes_takes_its_own_line_alone():
    assert rows_of(cut(b'1,A\n2,"B\n3,C\n4,"D"\n5,E\n', [100])) == ([["1", "A"], ["3", "C"], ["4", "D"], ["5", "E"]], [1])


@pytest.mark.parametrize("sizes", [[7], [50], [1000]])
@pytest.mark.parametrize("quote", [b"", b'"'])
def test_a_row_that_is_too_long_takes_itself_alone(monkeypatch, sizes, quote):
    monkeypatch.setattr(row_cuts, "LONGEST_ROW", 100)
    cuts = cut(b"1,A\n2," + quote + b"B" * 500 + quote + b"\n3,C\n", sizes)
    assert rows_of(cuts) == ([["1", "A"], ["3", "C"]], [1])
    assert sum(part.length for part in cuts) == 4 + 2 + 500 + 2 * len(quote) + 1 + 4


def test_a_file_of_nothing_but_poison_is_refused(monkeypatch):
    monkeypatch.setattr(row_cuts, "MOST_POISON", 10)
    with pytest.raises(row_cuts.InvalidInput, match="cannot be told apart"):
        cut(b'1,"A\n2,"B"\n' * 20, [1000])
