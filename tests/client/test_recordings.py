"""Every recorded answer of the real staging API is read, whole and exactly."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import simplejson

from django_xcover.client.exact_json import decode, encode
from django_xcover.client.schemas.packages import package_from_wire
from django_xcover.client.schemas.policies import (
    cancellation_from_wire,
    instalments_from_wire,
    modification_from_wire,
)

FOLDER = Path(__file__).parents[2].parent / "shared" / "xcover" / "recordings"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="no recordings beside the repository")


def answers(*ends: str) -> list[Any]:
    """Return the recorded objects whose request path ends in one of `ends`."""
    found = []
    for file in sorted(FOLDER.glob("*.json")):
        for turn in decode(file.read_bytes())["interactions"]:
            body = turn["response"]["body"]
            path = turn["request"]["path"].partition("?")[0]
            if isinstance(body, dict) and turn["response"]["status"] < 300 and path.endswith(ends):
                found.append(body)
    return found


def test_every_quote_package_and_booking_adds_up() -> None:
    packages = [package_from_wire(body) for body in answers("") if is_package(body)]

    assert len(packages) >= 35
    for package in packages:
        if package.status != "CANCELLED" and package.quotes:
            assert sum(quote.price for quote in package.quotes) == package.total_price
        for quote in package.quotes:
            if quote.duration is not None:
                assert quote.policy_end_date is not None
                assert quote.policy_start_date is not None
                assert quote.policy_end_date - quote.policy_start_date == quote.duration


def is_package(body: dict[str, Any]) -> bool:
    return "quotes" in body and "total_price" in body and "total_refund" not in body


def test_every_cancellation_refunds_what_its_quotes_say() -> None:
    cancellations = [cancellation_from_wire(body) for body in answers("") if "total_refund" in body]

    assert [cancellation.preview for cancellation in cancellations].count(True) == 1
    for cancellation in cancellations:
        refunds = [quote.refund_value or Decimal(0) for quote in cancellation.quotes]
        assert sum(refunds) == cancellation.total_refund


def test_every_modification_is_told_from_its_preview() -> None:
    found = [modification_from_wire(body) for body in answers("") if "total_price_diff" in body]

    assert [modification.preview for modification in found].count(True) == 1


def test_every_schedule_of_instalments_is_read() -> None:
    (schedule,) = instalments_from_wire(answers("/instalments/")[0])

    assert [instalment.number for instalment in schedule.instalments] == list(range(1, 13))
    assert [instalment.status for instalment in schedule.instalments].count("PAID") == 1


def test_every_recorded_answer_survives_a_round_trip_to_the_last_digit() -> None:
    for body in answers(""):
        text = simplejson.dumps(body, use_decimal=True, ensure_ascii=False, separators=(",", ":"))

        assert encode(body) == text.encode()
