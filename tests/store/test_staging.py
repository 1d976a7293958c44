from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rayapp.store.staging import DECISION_COLUMNS, staging_table


def staged(**columns: list[object]) -> dict[str, list[object]]:
    n = len(next(iter(columns.values())))
    decisions = pa.table({name: pa.nulls(n, pa.string()) for name in DECISION_COLUMNS})
    given = {"id": ["1"] * n, "descriptor": ["SHOP"] * n} | columns
    return staging_table(pa.table(given), decisions, pa.array(range(n))).to_pydict()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T10:00:00", datetime(2026, 1, 31, 10, tzinfo=UTC)),
        ("2026-01-31 10:00:00+02:00", datetime(2026, 1, 31, 8, tzinfo=UTC)),
        ("2026-01-31T10:00:00Z", datetime(2026, 1, 31, 10, tzinfo=UTC)),
        ("2026-01-31Tea time", datetime(2026, 1, 31, tzinfo=UTC)),
        (" 2026-01-31 ", datetime(2026, 1, 31, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", datetime(1, 1, 1, tzinfo=UTC)),
        ("", None),
        (None, None),
    ],
)
def test_dates_as_the_engine_accepts_them_become_instants(text: str | None, expected: datetime | None) -> None:
    assert staged(booked_at=pa.array([text], pa.string()))["booked_at"] == [expected]


@pytest.mark.parametrize("value", [date(2026, 1, 31), datetime(2026, 1, 31), datetime(2026, 1, 31, tzinfo=UTC)])
def test_typed_dates_become_instants(value: date) -> None:
    assert staged(booked_at=[value])["booked_at"] == [datetime(2026, 1, 31, tzinfo=UTC)]


def test_blank_optional_values_are_null_and_the_descriptor_stays_as_it_came() -> None:
    table = staged(descriptor=["  SHOP  "], amount=[" "], direction=[" Debit "], mcc=[5411], currency=[""])
    assert table["descriptor"] == ["  SHOP  "]
    assert (table["amount"], table["direction"], table["mcc"], table["currency"]) == ([None], ["debit"], ["5411"], [None])


@given(st.lists(st.datetimes(timezones=st.none() | st.timezones()), min_size=1))
def test_any_date_time_in_iso_8601_is_read(instants: list[datetime]) -> None:
    read = staged(booked_at=[instant.isoformat() for instant in instants])["booked_at"]
    assert len(read) == len(instants)
