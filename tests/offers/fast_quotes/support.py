"""What the tests of fast quotes share."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from django_xcover.models import Operation
from django_xcover.types import PolicyRequest, QuoteRequest
from tests.shop import laptop


def asked(*items: PolicyRequest, currency: str = "GBP") -> QuoteRequest:
    return QuoteRequest(
        currency=currency,
        customer_country="GB",
        customer_language="en",
        items=items or (laptop(),),
    )


def let_time_pass() -> None:
    Operation.objects.update(
        next_attempt_at=timezone.now(), lease_until=timezone.now() - timedelta(seconds=1)
    )
