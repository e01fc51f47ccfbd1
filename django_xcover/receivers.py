"""The door for the shop's signals.

No error in here costs a sale, except one that has ended the shop's transaction already.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from django.db import transaction

from django_xcover.services import cancelling, doomed, orders, unexpected

logger = logging.getLogger(__name__)


def on_order_completed(
    sender: Any, *, order: Any, cart: Any = None, hold: str = "", **kwargs: Any
) -> None:
    """Settle the cover of an order that has been placed."""
    _complete(order, cart, hold, paid=False)


def on_payment_completed(
    sender: Any, *, order: Any, cart: Any = None, hold: str = "", **kwargs: Any
) -> None:
    """Settle the cover of an order that has been paid."""
    _complete(order, cart, hold, paid=True)


def on_order_cancelled(
    sender: Any, *, order: Any, lines: Iterable[str] | None = None, reason: str = "", **kwargs: Any
) -> None:
    """Cancel the cover of an order, or of lines of it, that was cancelled or returned."""
    try:
        with transaction.atomic():
            cancelling.cancel_order(order, lines, reason)
    except Exception as error:
        if doomed.is_doomed(error):
            raise
        logger.critical("The cover of a cancelled order stands: %s", unexpected.describe(error))


def _complete(order: Any, cart: Any, hold: str, *, paid: bool) -> None:
    try:
        # A savepoint: whatever fails in here, the shop's own transaction stays usable.
        with transaction.atomic():
            orders.complete(order, cart, paid=paid, hold=hold)
    except Exception as error:
        if doomed.is_doomed(error):
            raise
        facts = unexpected.describe(error)
        logger.critical("The cover of an order was not settled (paid: %s): %s", paid, facts)
