from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_xcover.client.schemas import fields
from django_xcover.models.fields import AmountField

ANYTHING = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary())


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        (Decimal("2.10"), "2.10"),
        (3, "3"),
        ("0.09", "0.09"),
        ("7.8912", "7.8912"),
        ("12.00000000000000000000", "12.00000000000000000000"),
        ("-1.5", "-1.5"),
        (Decimal("1E+2"), "1E+2"),
    ],
)
def test_an_amount_is_read_digit_for_digit(value: Any, amount: str) -> None:
    assert str(fields.amount(value)) == amount


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        (Decimal("7.891234"), "7.8912"),
        ("-7.89125", "-7.8912"),
        ("0.00001", "0.0000"),
        ("9999999999999.99994", "9999999999999.9999"),
    ],
)
def test_decimals_that_no_column_keeps_are_rounded_before_anything_is_compared(
    value: Any, amount: str
) -> None:
    assert str(fields.amount(value)) == amount


def test_as_many_decimals_are_read_as_the_columns_keep() -> None:
    assert AmountField().decimal_places == fields.DECIMALS


@pytest.mark.parametrize(
    "value",
    [2.1, True, None, "", "£2.10", "1,000.00", "NaN", "Infinity", "1e5", "٣", " 1", "1\n", [],
     Decimal("NaN"), Decimal("1E+999999999")],
)  # fmt: skip
def test_what_is_no_exact_amount_is_refused(value: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="is not an amount"):
        fields.amount(value)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2021-10-02T01:55:33.737094Z", datetime(2021, 10, 2, 1, 55, 33, 737094, UTC)),
        ("2021-10-02T10:05:59+00:00", datetime(2021, 10, 2, 10, 5, 59, 0, UTC)),
        ("2018-01-01T17:00:01.04399-04:00", datetime(2018, 1, 1, 21, 0, 1, 43990, UTC)),
        ("2020-01-05 02:42:12Z", datetime(2020, 1, 5, 2, 42, 12, 0, UTC)),
        ("2019-12-28T11:13:09.2Z", datetime(2019, 12, 28, 11, 13, 9, 200000, UTC)),
        ("2019-12-28t11:13:09.123456789z", datetime(2019, 12, 28, 11, 13, 9, 123456, UTC)),
        ("2026-08-15T00:00:00", datetime(2026, 8, 15, 0, 0, 0, 0, UTC)),
        ("2026-08-15", datetime(2026, 8, 15, 0, 0, 0, 0, UTC)),
    ],
)
def test_every_spelling_of_a_moment_is_read_into_utc(text: str, moment: datetime) -> None:
    read = fields.moment(text)

    assert read == moment
    assert read.tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    ["", "now", "2021-13-01T00:00:00Z", "2021-02-30", "2021-1-1", "20210101T000000Z",
     "2021-01-01T25:00:00Z", "2021-01-01T00:00:00.1234567890Z", "0001-01-01T00:00:00+23:00",
     "2021-01-01T00:00:00+99:00", "2021-01-01T00:00:00Z\n", 20210101, None],
)  # fmt: skip
def test_what_is_no_moment_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="is not a date-time"):
        fields.moment(value)


@given(
    st.datetimes(datetime(2, 1, 1), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001
)
def test_any_moment_python_writes_is_read_back(moment: datetime) -> None:
    assert fields.moment(moment.isoformat()) == moment


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("11:57:40", timedelta(hours=11, minutes=57, seconds=40)),
        ("9 13:14:46", timedelta(days=9, hours=13, minutes=14, seconds=46)),
        ("105 01:00:00.001000", timedelta(days=105, hours=1, milliseconds=1)),
        ("5 00:00:00.00002", timedelta(days=5, microseconds=20)),
        ("00:00:00", timedelta(0)),
    ],
)
def test_a_duration_is_read(text: str, duration: timedelta) -> None:
    assert fields.duration(text) == duration


@pytest.mark.parametrize(
    "value", ["", "P1D", "1 day", "12:60:00", "12:00", "-1 00:00:00", "999999999 99:00:00", 5, None]
)
def test_what_is_no_duration_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        fields.duration(value)


@given(ANYTHING)
def test_a_reader_raises_nothing_but_its_two_errors(value: Any) -> None:
    for read in (fields.amount, fields.moment, fields.duration):
        try:
            read(value)
        except (TypeError, ValueError) as error:
            assert str(error).startswith("is not a")  # noqa: PT017 (many outcomes are right)
