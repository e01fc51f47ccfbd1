"""What the tests of cancelled orders share: the shop's signal, and what is under way."""

from __future__ import annotations

from typing import Any

from django_xcover import signals
from django_xcover.models import Cancellation, Operation, OperationKind, Quote
from tests.shop import Order

State = Cancellation.State


def cancel(order: Order, **facts: Any) -> None:
    signals.order_cancelled.send(sender=Order, order=order, **facts)


def the_booking() -> Operation:
    return Operation.objects.get(kind=OperationKind.BOOK)


def cancels() -> list[Operation]:
    return list(Operation.objects.filter(kind=OperationKind.CANCEL).order_by("pk"))


def statuses() -> dict[str, str]:
    """Return the status of each line's quote."""
    return dict(Quote.objects.values_list("line_reference", "status"))
