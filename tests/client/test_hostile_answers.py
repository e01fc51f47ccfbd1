"""Answers that no database keeps: refused by the field that is wrong, or read without the harm.

Found by `python -m tests.fuzz`, each one a 500 or a stuck booking before.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from django_xcover.client import XCoverError, exact_json
from django_xcover.client.schemas import fields
from django_xcover.client.schemas.packages import fast_quote_from_wire, package_from_wire
from django_xcover.client.schemas.policies import instalments_from_wire, renewal_from_wire

QUOTE = {"id": "q-1", "status": "RECEIVED", "price": Decimal("9.50")}
PACKAGE = {"id": "AAAAA-BBBBB-INS", "status": "RECEIVED", "currency": "GBP", "quotes": [QUOTE]}


def refusal_of(read: Any, answer: dict[str, Any]) -> str:
    """Return what the reader says about the answer that it refuses."""
    with pytest.raises(XCoverError) as refused:
        read(answer)
    return str(refused.value)


@pytest.mark.parametrize("levels", [21, 33, 400, 100_000])
def test_an_answer_nested_deeper_than_any_database_keeps_is_no_json(levels: int) -> None:
    with pytest.raises(ValueError, match=r"^not JSON$"):
        exact_json.decode(b'{"a":' * levels + b"1" + b"}" * levels)


def test_an_answer_nested_as_deep_as_xcovers_own_is_read() -> None:
    assert exact_json.decode(b"[" * 20 + b"]" * 20)


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (r'{"name": "A\u0000B"}', {"name": "AB"}),
        (r'{"\u0000": [{"a": "\u0000"}]}', {"": [{"a": ""}]}),
        (r'{"name": "\ud83d"}', {"name": "\ufffd"}),
        (r'{"name": "\uDC00 x"}', {"name": "\ufffd x"}),
        (r'{"name": "\ud83d\ude00"}', {"name": "😀"}),
        (r'{"name": "\\u0000"}', {"name": r"\u0000"}),
    ],
)
def test_nul_and_half_characters_are_left_out_of_a_text(sent: str, read: Any) -> None:
    assert exact_json.decode(sent.encode()) == read


@pytest.mark.parametrize("value", ["x" * 65, "a/b", "a b", "a\nb", "é", "../x"])
def test_an_id_that_no_path_can_carry_is_refused(value: str) -> None:
    assert "id is not an XCover id" in refusal_of(package_from_wire, {**PACKAGE, "id": value})
    changed = {**PACKAGE, "quotes": [{**QUOTE, "id": value}]}
    assert "quotes.0.id is not an XCover id" in refusal_of(package_from_wire, changed)
    fast = {"fast_quote_id": value, "currency": "GBP", "quotes": []}
    assert "fast_quote_id is not an XCover id" in refusal_of(fast_quote_from_wire, fast)


def test_a_status_longer_than_a_word_is_refused() -> None:
    assert "status is too long" in refusal_of(package_from_wire, {**PACKAGE, "status": "X" * 33})


@pytest.mark.parametrize("amount", [10**13, -(10**13), "9" * 14, Decimal("1e15")])
def test_an_amount_beyond_all_money_is_refused(amount: Any) -> None:
    dear = {**PACKAGE, "quotes": [{**QUOTE, "price": amount}]}

    assert "quotes.0.price is not an amount" in refusal_of(package_from_wire, dear)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("0001-01-01", fields.EARLIEST),
        ("0001-01-01T00:00:00Z", fields.EARLIEST),
        ("9999-12-31T23:59:59.999999Z", fields.LATEST),
        ("9999-12-31T23:59:59+14:00", fields.LATEST),
    ],
)
def test_a_moment_at_the_ends_of_the_calendar_is_one_that_every_time_zone_has(
    text: str, read: Any
) -> None:
    assert fields.moment(text) == read


def test_an_answer_that_has_a_quote_twice_is_refused() -> None:
    twice = {**PACKAGE, "quotes": [QUOTE, QUOTE]}

    assert "quotes has one id twice" in refusal_of(package_from_wire, twice)
    assert "quotes has one id twice" in refusal_of(
        renewal_from_wire, {"renewal_id": "R-REN", "quotes": [QUOTE, QUOTE]}
    )


@pytest.mark.parametrize("number", [0, -1, 32768, 10**12])
def test_an_instalments_number_that_is_none_is_refused(number: int) -> None:
    entry = {"id": "i-1", "number": number, "status": "UNPAID"}
    answer = {"currency": "GBP", "quotes": [{"id": "q-1", "payment_schedule": [entry]}]}

    assert "number is not the number of an instalment" in refusal_of(instalments_from_wire, answer)


def test_a_schedule_that_has_a_number_twice_is_refused() -> None:
    entry = {"id": "i-1", "number": 1, "status": "UNPAID"}
    answer = {"currency": "GBP", "quotes": [{"id": "q-1", "payment_schedule": [entry, entry]}]}

    assert "payment_schedule has one number twice" in refusal_of(instalments_from_wire, answer)


def test_what_a_cleaned_answer_says_can_be_written_as_json_again() -> None:
    answer = exact_json.decode(json.dumps({"a": "\ud800\0", "b": ["\udfff"]}).encode())

    assert exact_json.encode(answer)
