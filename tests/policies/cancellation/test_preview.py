"""What cancelling gives back, shown before anything is cancelled."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from django_xcover.models import Quote, QuotePackage
from django_xcover.policies import cancellation
from django_xcover.sandbox import Sandbox
from django_xcover.types import Money
from tests.conftest import the_package
from tests.policies.cancellation.support import preview, status_at

pytestmark = pytest.mark.django_db


def test_a_preview_touches_neither_package_nor_policies(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    found = preview(booked, reason="Changed my mind")

    assert (the_package().status, Quote.objects.get().status) == ("CONFIRMED", "CONFIRMED")
    assert the_package().total_price == booked.total_price
    assert found.payload["status"] == "CANCELLED"
    assert found.cancellation_id.endswith("-CCL")
    assert (found.state, found.origin, found.reason) == ("previewed", "shopper", "Changed my mind")
    assert status_at(sandbox) == "CONFIRMED"


def test_a_preview_shows_refund_cooling_off_and_deadline_of_each_policy(pair: QuotePackage) -> None:
    found = preview(pair)

    lines = cancellation.lines_of(found)
    prices = [quote.cost for quote in pair.quotes.order_by("position")]
    assert [line.refund for line in lines] == prices
    assert [line.label for line in lines] == ["Harbour Lights Festival", "Aero 14"]
    now = timezone.now()
    assert [
        round((line.cooling_off_until - now).days / 7) for line in lines if line.cooling_off_until
    ] == [2, 4]
    assert found.refund == Money(pair.total_price, "GBP")
    assert found.confirm_before is not None
    assert timedelta(hours=23) < found.confirm_before - now <= timedelta(hours=24)


def test_the_adjustment_fee_is_shown_and_not_taken_off(booked: QuotePackage) -> None:
    line = cancellation.lines_of(preview(booked))[0]

    assert line.adjustment_fee is not None
    assert line.adjustment_fee.amount > 0
    assert line.refund == line.price


def test_no_personal_data_and_no_link_is_kept_with_a_cancellation(booked: QuotePackage) -> None:
    kept = str(preview(booked).payload)

    assert "ana@example.com" not in kept
    assert "security_token" not in kept
