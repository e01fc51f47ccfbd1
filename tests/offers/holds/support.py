"""What the tests of holds share: time that passes, a shop's signals, and what came of them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from django_xcover.cover import Cover
from django_xcover.models import Quote
from django_xcover.signals import order_completed, payment_completed
from tests.conftest import work
from tests.shop import Cart, Order

Freeze = Callable[..., Cover]


def expired() -> time_machine.travel:
    """Let half an hour pass, as long as a hold lives."""
    return time_machine.travel(timezone.now() + timedelta(minutes=31))


def ordered(order: Order, cart: Cart | None = None, **facts: str) -> None:
    """Let the shop say that it has made the order, and that it is paid."""
    with transaction.atomic():
        order_completed.send(sender=Order, order=order, cart=cart, **facts)
    with transaction.atomic():
        payment_completed.send(sender=Order, order=order)


def booked() -> list[Decimal]:
    """Let a worker work, and return the prices of what XCover has booked."""
    work()
    return [quote.price for quote in Quote.objects.booked()]


def critical(caplog: pytest.LogCaptureFixture) -> str:
    """Return what was logged as critical."""
    return "\n".join(r.getMessage() for r in caplog.records if r.levelno == logging.CRITICAL)
