import math
from decimal import Decimal

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rayapp import Transaction
from rayapp.errors import InvalidInput
from rayapp.scoring.columns import _distinct_values
from rayapp.scoring.short_texts import LONGEST, MOST, short_codes

BAD = [
    ("id", "", "is empty"),
    ("id", " \t", "is empty"),
    ("id", "\u3000", "is empty"),
    ("id", "\x1f", "is empty"),
    ("descriptor", "", "is empty"),
    ("descriptor", "   \t", "is empty"),
    ("descriptor", "\u3000", "is empty"),
    ("descriptor", None, "is missing"),
    ("descriptor", "A" * 513, "513 characters"),
    ("descriptor", "A" * 10_000_000, "10,000,000 characters"),
    ("amount", "12,50", "not a decimal number"),
    ("amount", "NaN", "not a finite number"),
    ("amount", "-inf", "not a finite number"),
    ("amount", "1_000", "not a decimal number"),
    ("currency", "DOLLARS", "ISO 4217"),
    ("currency", "ZZZ", "ISO 4217"),
    ("direction", "in", "neither 'debit' nor 'credit'"),
    ("mcc", "58120", "MCC of four digits"),
    ("mcc", "food", "MCC of four digits"),
    ("mcc", "-1", "MCC of four digits"),
    ("mcc", "12", "MCC of four digits"),
    ("mcc", "5", "MCC of four digits"),
    ("country", "USA", "ISO 3166-1"),
    ("country", "QQ", "ISO 3166-1"),
    ("booked_at", "01/02/2024", "ISO 8601"),
    ("booked_at", "2024-02-30", "ISO 8601"),
]


@pytest.mark.parametrize(("field", "value", "message"), BAD)
def test_a_bad_value_is_named_by_row_and_field_at_both_borders(small, field, value, message):
    rows = [{"id": "a", "descriptor": "GAP"}, {"id": "b", "descriptor": "GAP", field: value}, {"id": "c", "descriptor": "GAP"}]
    names = {"id", "descriptor", field}
    table = pa.table({name: pa.array([row.get(name) for row in rows], pa.string()) for name in sorted(names)})
    with pytest.raises(InvalidInput) as caught:
        small.classify(table)
    (problem,) = caught.value.problems
    assert (problem.row, problem.field) == (1, field)
    assert message in problem.message
    good, problems = small.classify_rows(table)
    assert (good["id"].to_pylist(), problems) == (["a", "c"], (problem,))
    with pytest.raises(InvalidInput) as alone:
        small.classify_one(Transaction(**({"id": "b", "descriptor": "GAP"} | {field: value})))
    assert [(item.field, item.message) for item in alone.value.problems] == [(field, problem.message)]


@pytest.mark.parametrize(("said", "meant"), [("742", "0742"), ("0", None), ("0000", None), (" 5814 ", "5814"), ("", None)])
def test_an_mcc_may_lack_its_leading_zero_and_noughts_are_none(small, said, meant):
    codes = [Transaction(id="1", descriptor="GAP", mcc=mcc) for mcc in (said, meant)]
    assert small.alike(codes[0]) == small.alike(codes[1])


SANE = ["\x00GAP\x00", "GAP 😀", "גאפ GAP", "\u202eGAP", "😀", "'", "*", "#", "GAP\nGAP", "A" * 512, "\ufffd", "&&&&&&&&", "X" * 500, "1" * 512, "*" * 512, "é" * 512]


@pytest.mark.parametrize("descriptor", SANE, ids=range(len(SANE)))
def test_strange_text_gets_an_answer(default, descriptor):
    result = default.explain(Transaction(id="1", descriptor=descriptor))
    assert 0 <= result.score <= 1
    assert result.status in {"classified", "unclassified"}


def test_bytes_that_are_not_utf8_are_named(small):
    descriptors = pa.array([b"GAP", b"GAP \xff", b"BP"], pa.binary())
    for column in (descriptors, pa.Array.from_buffers(pa.string(), 3, descriptors.buffers())):
        good, problems = small.classify_rows(pa.table({"id": ["1", "2", "3"], "descriptor": column}))
        assert good["merchant_id"].to_pylist() == ["gap", "bp"]
        assert [(problem.row, problem.field) for problem in problems] == [(1, "descriptor")]


def test_missing_null_and_empty_are_alike(small):
    bare = small.classify(pa.table({"id": ["1"], "descriptor": ["GAP"]}))
    for value in (None, ""):
        names = ("amount", "currency", "direction", "mcc", "country", "booked_at")
        table = pa.table({"id": ["1"], "descriptor": ["GAP"], **{name: pa.array([value], pa.string()) for name in names}})
        assert small.classify(table).equals(bare)


@pytest.mark.parametrize(
    "amount",
    [pa.array([9.5]), pa.array(["9.50"]), pa.array([Decimal("9.50")]), pa.array([9.5], pa.float32()), pa.array(["9.50"]).dictionary_encode()],
    ids=str,
)
def test_amounts_of_any_type_are_read_alike(small, amount):
    table = pa.table({"id": ["1"], "descriptor": ["A FEE"], "amount": amount, "currency": ["usd"], "country": ["us"], "mcc": [6011], "booked_at": ["2024-01-01"]})
    assert small.classify(table)["rule_ids"].to_pylist() == [["small-fee"]]


def test_pandas_and_polars_frames_are_read(small):
    rows = {"id": ["1", "2"], "descriptor": ["GAP", "BP"], "mcc": [5814.0, math.nan]}
    expected = ["gap", "bp"]
    assert small.classify(pd.DataFrame(rows))["merchant_id"].to_pylist() == expected
    assert small.classify(pl.DataFrame(rows).with_columns(pl.col("mcc").fill_nan(None)))["merchant_id"].to_pylist() == expected


def test_the_answer_becomes_a_pandas_frame(default):
    frame = default.classify(pa.table({"id": ["1", "2"], "descriptor": ["STARBUCKS", "PAYPAL *STEAM GAMES"]})).to_pandas()
    assert frame["category_detailed"].tolist() == ["FOOD_AND_DRINK_COFFEE", "ENTERTAINMENT_VIDEO_GAMES"]
    assert frame["processor"].tolist()[1] == "PayPal"


def test_missing_and_doubled_columns_are_refused(small):
    with pytest.raises(InvalidInput, match="'descriptor' is missing"):
        small.classify(pa.table({"id": ["1"]}))
    with pytest.raises(InvalidInput, match="'mcc' stands twice"):
        small.classify(pa.table([["1"], ["GAP"], ["1"], ["2"]], names=["id", "descriptor", "mcc", "mcc"]))
    extra = pa.table({"id": ["1"], "descriptor": ["GAP"], "note": ["x"]})
    assert len(small.classify(extra)) == 1
    with pytest.raises(InvalidInput, match="unknown column 'note'"):
        small.classify(extra, strict=True)


def test_an_empty_table_gives_an_empty_table(small):
    empty = pa.table({"id": pa.array([], pa.string()), "descriptor": pa.array([], pa.string())})
    assert small.classify(empty).num_rows == 0
    assert small.classify(pa.table({"id": pa.chunked_array([], pa.string()), "descriptor": pa.chunked_array([], pa.string())})).num_rows == 0


@settings(max_examples=80)
@given(
    values=st.lists(st.one_of(st.none(), st.text(max_size=4), st.sampled_from(["USD", "usd", "", "5411", "ABCDEFG", "\0", "\0\0"])), max_size=60),
    cut=st.integers(0, 9),
)
def test_short_codes_are_the_distinct_values(values, cut):
    column = pa.array(values, pa.string())[cut:]
    found = short_codes(column)
    if found is None:
        assert any(len(value.encode()) > LONGEST for value in values[cut:] if value is not None)
        return
    places, firsts = found
    assert [None if place < 0 else column[int(firsts[place])].as_py() for place in places] == values[cut:]
    assert len({column[row].as_py() for row in firsts.tolist()}) == len(firsts)


@pytest.mark.parametrize("values", [["ABCDEFGH"], [f"{number:04}" for number in range(MOST + 1)]])
def test_columns_of_long_or_very_many_values_are_read_by_dictionary(values):
    assert short_codes(pa.array(values)) is None
    assert [list(part) for part in _distinct_values(pa.array(values))] == [values, list(range(len(values)))]
