from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rayapp.datasets import Column, ColumnType, Dataset, dataset
from rayapp.store.values import read_values

TRANSACTIONS = dataset("transactions")


def one(kind: ColumnType, values: pa.Array | list[Any], **more: Any) -> tuple[list[Any], list[str]]:
    """Read a single column; gives its values and what is wrong, as ``row: message``."""
    declared = Dataset("d", "s.t", ("k",), (Column("v", kind, **more),))
    read = read_values(declared, pa.table({"v": values if isinstance(values, pa.Array) else pa.array(values, pa.string())}))
    return read.table["v"].to_pylist(), [f"{problem.row}: {problem.message}" for problem in read.problems]


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("text", " as it came ", " as it came "),
        ("text", "", None),
        ("integer", "-12", -12),
        ("integer", " 7 ", 7),
        ("integer", str(2**63 - 1), 2**63 - 1),
        ("integer", "", None),
        ("boolean", "Yes", True),
        ("boolean", "0", False),
        ("boolean", " ", None),
        ("date", "2026-01-31", date(2026, 1, 31)),
        ("date", "2026-01-31T10:00", date(2026, 1, 31)),
        ("currency", " eur ", "EUR"),
        ("country", "de", "DE"),
        ("country", "uk", "GB"),
        ("json", '{"a": [1]}', b'\x01{"a": [1]}'),
        ("instant", "2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("instant", "2026-01-31T10:00:00", datetime(2026, 1, 31, 10, tzinfo=UTC)),
        ("instant", "2026-01-31 10:00:00+02:00", datetime(2026, 1, 31, 8, tzinfo=UTC)),
        ("instant", "2026-01-31T10:00:00Z", datetime(2026, 1, 31, 10, tzinfo=UTC)),
        ("instant", "2026-01-31Tea time", datetime(2026, 1, 31, tzinfo=UTC)),
        ("instant", " 2026-01-31 ", datetime(2026, 1, 31, tzinfo=UTC)),
        ("instant", "0001-01-01T00:00:00+14:00", datetime(1, 1, 1, tzinfo=UTC)),
        ("instant", "", None),
    ],
)
def test_a_value_as_people_write_it_is_read(kind: ColumnType, text: str, expected: object) -> None:
    assert one(kind, [text, None, text]) == ([expected, None, expected], [])


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("text", "a\0b", "holds a NUL character"),
        ("integer", "1.5", "is not a whole number"),
        ("integer", "1_000", "is not a whole number"),
        ("integer", str(2**63), "is not a whole number"),
        ("integer", "٣", "is not a whole number"),
        ("decimal", "1,5", "is not a decimal number"),
        ("decimal", "NaN", "is not a decimal number"),
        ("decimal", "1e999", "is not a decimal number"),
        ("decimal", "1" * 61, "is not a decimal number"),
        ("decimal", "1.2.3", "is not a decimal number"),
        ("decimal", ".", "is not a decimal number"),
        ("decimal", "1e", "is not a decimal number"),
        ("boolean", "perhaps", "is neither true nor false"),
        ("date", "2026-02-30", "is not an ISO 8601 date"),
        ("instant", "31.01.2026", "is not an ISO 8601 date or date-time"),
        ("currency", "XXX1", "is not an ISO 4217 currency code"),
        ("country", "Germany", "is not an ISO 3166-1 alpha-2 country code"),
        ("json", "{", "is not JSON"),
        ("json", "NaN", "is not JSON"),
        ("json", '"\\u0000"', "is not JSON"),
        ("json", "[" * 100_000, "is not JSON"),
    ],
)
def test_a_value_that_postgresql_would_refuse_is_named_and_its_neighbours_stay(kind: ColumnType, text: str, said: str) -> None:
    good = {"text": "x", "integer": "1", "decimal": "1", "boolean": "t", "date": "2026-01-01", "instant": "2026-01-01"}.get(kind)
    values, problems = one(kind, [good, text, good])
    assert len(problems) == 1
    assert problems[0].startswith(f"1: {said}")
    assert values[0] == values[2]
    assert (values[0] is None) == (good is None)


@given(st.lists(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**40), max_value=10**40) | st.none(), max_size=40))
def test_any_decimal_becomes_postgresqls_own_number(amounts: list[Decimal | None]) -> None:
    texts = [None if amount is None else f"{amount:.50g}" for amount in amounts]
    values, problems = one("decimal", texts)
    assert not problems
    assert [None if value is None else _number(value) for value in values] == [None if text is None else Fraction(Decimal(text)) for text in texts]


@pytest.mark.parametrize("text", ["12.50", "0", "0.00", "-0.5", ".5", "5.", "00012.3400", "1e3", "1.5E-3", "9999.9999", "10000", "0.00001", "+7"])
def test_a_decimal_keeps_the_decimals_that_were_written(text: str) -> None:
    values, _ = one("decimal", [text])
    head = np.frombuffer(values[0], ">i2")
    assert (_number(values[0]), head[3]) == (Fraction(Decimal(text)), max(0, -int(Decimal(text).as_tuple().exponent)))


def _number(wire: bytes) -> Fraction:
    """Read PostgreSQL's wire format: digits in groups of four, of which the first counts 10000**weight."""
    count, weight, sign, _, *groups = np.frombuffer(wire, ">i2").tolist()
    assert count == len(groups)
    assert all(0 <= group < 10000 for group in groups)
    total = sum(group * Fraction(10) ** (4 * (weight - place)) for place, group in enumerate(groups))
    return Fraction(-total if sign else total)


@given(st.lists(st.datetimes(timezones=st.none() | st.timezones()), min_size=1))
def test_any_date_time_in_iso_8601_is_read(instants: list[datetime]) -> None:
    values, problems = one("instant", [instant.isoformat() for instant in instants])
    assert (len(values), problems) == (len(instants), [])


@pytest.mark.parametrize("value", [date(2026, 1, 31), datetime(2026, 1, 31), datetime(2026, 1, 31, tzinfo=UTC)])
def test_typed_dates_become_instants(value: date) -> None:
    assert one("instant", pa.array([value, None])) == ([datetime(2026, 1, 31, tzinfo=UTC), None], [])


@pytest.mark.parametrize(
    ("kind", "typed", "expected"),
    [
        ("integer", pa.array([1, None], pa.int16()), [1, None]),
        ("boolean", pa.array([True, None]), [True, None]),
        ("date", pa.array([date(2026, 1, 1), None]), [date(2026, 1, 1), None]),
        ("text", pa.array(["a", None]).dictionary_encode(), ["a", None]),
        ("text", pa.array([b"a", None]), ["a", None]),
        ("json", pa.array([[1, 2], None]), [b"\x01[1, 2]", None]),
    ],
)
def test_types_that_a_parquet_file_brings_are_taken_as_they_are(kind: ColumnType, typed: pa.Array, expected: list[object]) -> None:
    assert one(kind, typed) == (expected, [])


def test_bytes_that_are_no_utf_8_are_named_and_their_neighbours_stay() -> None:
    assert one("text", pa.array([b"ok", b"\xff", b"ok"])) == (["ok", None, "ok"], ["1: is not UTF-8"])


def test_a_needed_value_that_is_missing_is_named_once() -> None:
    assert one("text", ["a", "", None], needed=True)[1] == ["1: is missing", "2: is missing"]
    assert one("integer", ["1", "x"], needed=True)[1] == ["1: is not a whole number of 64 bits"]


def test_a_default_stands_where_a_value_is_missing() -> None:
    assert one("text", ["a", "", None], default="")[0] == ["a", "", ""]
    assert one("integer", ["1", "", None], default="7")[0] == [1, 7, 7]


def test_a_key_that_is_longer_than_an_index_takes_is_named() -> None:
    read = read_values(TRANSACTIONS, pa.table({"id": ["a", "b" * 513], "descriptor": ["x", "y"]}))
    assert [(problem.row, problem.field) for problem in read.problems] == [(1, "id")]


def test_columns_that_a_file_lacks_are_null_and_those_that_nobody_declared_are_left_out() -> None:
    read = read_values(TRANSACTIONS, pa.table({"id": ["1"], "descriptor": ["  SHOP  "], "colour": ["red"]}))
    assert read.table.column_names == list(TRANSACTIONS.names)
    assert read.table["descriptor"].to_pylist() == ["  SHOP  "]
    assert read.table["amount"].to_pylist() == [None]


def test_blank_optional_values_of_transactions_are_null_and_codes_lose_the_space_around_them() -> None:
    given = {"id": ["1"], "descriptor": ["SHOP"], "amount": [" "], "direction": [" Debit "], "mcc": pa.array([5411]), "currency": [""]}
    read = read_values(TRANSACTIONS, pa.table(given))
    found = [read.table[name].to_pylist() for name in ("amount", "direction", "mcc", "currency")]
    assert (found, read.problems) == ([[None], ["debit"], ["5411"], [None]], [])
