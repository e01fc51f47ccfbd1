from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_xcover.client import InvalidPayload
from django_xcover.client.exact_json import decode, encode


class Word(StrEnum):
    PAID = "PAID"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("0.10"), "0.10"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1E-7"), "0.0000001"),
        (Decimal("12.00000000000000000000"), "12.00000000000000000000"),
        (2, "2"),
        (2.5, "2.5"),
        (True, "true"),
        (None, "null"),
        (Word.PAID, '"PAID"'),
        (date(2026, 5, 1), '"2026-05-01"'),
        (datetime(2026, 5, 1, 9, 0, tzinfo=UTC), '"2026-05-01T09:00:00Z"'),
        (datetime(2026, 5, 1, 9, 0, 0, 5, UTC), '"2026-05-01T09:00:00.000005Z"'),
        (
            datetime(2026, 5, 1, 9, 0, tzinfo=ZoneInfo("Europe/London")),
            '"2026-05-01T09:00:00+01:00"',
        ),
        (
            datetime(2026, 5, 1, 9, 0, tzinfo=timezone(timedelta(minutes=-90))),
            '"2026-05-01T09:00:00-01:30"',
        ),
        (
            datetime(2026, 5, 1, 9, 0, 30, tzinfo=timezone(timedelta(seconds=30))),
            '"2026-05-01T09:00:00Z"',
        ),
        (uuid.UUID(int=7), '"00000000-0000-0000-0000-000000000007"'),
        ("£ 🙂", '"£ 🙂"'),
        ((1, [2]), "[1,[2]]"),
        (MappingProxyType({"b": ()}), '{"b":[]}'),
    ],
)
def test_a_value_is_written_as_xcover_wants_it(value: Any, text: str) -> None:
    assert encode({"a": value}) == f'{{"a":{text}}}'.encode()


@pytest.mark.parametrize(
    "value",
    [
        datetime(2026, 5, 1, 9, 0),  # noqa: DTZ001
        Decimal("NaN"),
        Decimal("Infinity"),
        Decimal("1E+999999"),
        float("nan"),
        float("-inf"),
        timedelta(1),
        {1},
        b"x",
        object(),
    ],
)
def test_what_has_no_exact_form_is_refused_by_its_path(value: Any) -> None:
    with pytest.raises(InvalidPayload, match=r"request\.0\.at") as caught:
        encode({"request": [{"at": value}]})

    assert str(value) not in str(caught.value)


def test_keys_that_are_no_text_are_refused() -> None:
    payload: Any = {"a": {1: 2}}

    with pytest.raises(InvalidPayload, match="a has a key"):
        encode(payload)


def test_a_payload_inside_itself_is_refused() -> None:
    payload: dict[str, Any] = {}
    payload["again"] = payload

    with pytest.raises(InvalidPayload, match="nested"):
        encode(payload)


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(InvalidPayload, match="surrogate"):
        encode({"a": "\ud800"})


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12))
def test_any_amount_comes_back_exactly(amount: Decimal) -> None:
    if abs(amount.adjusted()) > 40:
        return

    back = Decimal(str(decode(encode({"a": amount}))["a"]))

    assert (back, back.is_signed()) == (amount, amount.is_signed()) or amount == 0


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"NaN", b"-Infinity", b"\xff", b"[" * 100_000, b"1" * 10_000, b"<html>"],
)
def test_what_is_no_json_is_one_kind_of_error(body: bytes) -> None:
    with pytest.raises(ValueError, match="not JSON"):
        decode(body)


def test_fractions_are_read_as_decimals() -> None:
    data = decode(b'\xef\xbb\xbf{"a": 2.10, "b": 3, "c": 1e-2}')

    assert {name: str(value) for name, value in data.items()} == {
        "a": "2.10",
        "b": "3",
        "c": "0.01",
    }
    assert isinstance(data["a"], Decimal)
