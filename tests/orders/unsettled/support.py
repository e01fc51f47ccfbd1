"""A shop whose adapter breaks, its signals, and a worker that asks again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from django_xcover.models import OrderEvent
from django_xcover.orders import events
from django_xcover.signals import order_cancelled, order_completed, payment_completed
from tests.conftest import work
from tests.shop import ANA, Adapter, Cart, Order, Shop

State = OrderEvent.State


def completed(order: Order, cart: Cart | None = None) -> None:
    with transaction.atomic():
        order_completed.send(sender=Order, order=order, cart=cart)


def paid(order: Order, cart: Cart | None = None) -> None:
    with transaction.atomic():
        payment_completed.send(sender=Order, order=order, cart=cart)


def cancelled(order: Order) -> None:
    with transaction.atomic():
        order_cancelled.send(sender=Order, order=order)


def breaks(method: str, times: int = 1) -> Callable[[pytest.MonkeyPatch], None]:
    """Return what makes a method of the adapter fail so often, on what a customer typed."""

    def patch(monkeypatch: pytest.MonkeyPatch) -> None:
        honest, calls = getattr(Adapter, method), iter(range(times))

        def fail(self: Adapter, *args: Any) -> Any:
            if next(calls, None) is not None:
                raise ValueError(ANA.email)
            return honest(self, *args)

        monkeypatch.setattr(Adapter, method, fail)

    return patch


def let_a_worker_ask_again() -> None:
    OrderEvent.objects.update(next_attempt_at=timezone.now())
    events.sweep()
    work()


def until_a_person_is_needed(shop: Shop) -> None:
    """Let the shop not know its orders for as long as a worker asks."""
    known, shop.orders = shop.orders, {}
    for _ in range(6):
        let_a_worker_ask_again()
    shop.orders = known
    assert OrderEvent.objects.needing_person().exists()
