"""The door for the shop's signals."""

from __future__ import annotations

import logging
from typing import Any

from django.db import transaction

from django_xcover.services import orders, unexpected

logger = logging.getLogger(__name__)


def on_order_completed(sender: Any, *, order: Any, cart: Any = None, **kwargs: Any) -> None:
    """Settle the cover of an order that has been placed."""
    _complete(order, cart, paid=False)


def on_payment_completed(sender: Any, *, order: Any, cart: Any = None, **kwargs: Any) -> None:
    """Settle the cover of an order that has been paid."""
    _complete(order, cart, paid=True)


def _complete(order: Any, cart: Any, *, paid: bool) -> None:
    try:
        # A savepoint: whatever fails in here, the shop's own transaction stays usable.
        with transaction.atomic():
            orders.complete(order, cart, paid=paid)
    except Exception as error:  # noqa: BLE001 - the sale goes on, and the log says what is lost
        facts = unexpected.describe(error)
        logger.critical("The cover of an order was not settled (paid: %s): %s", paid, facts)
