"""Receivers of the shop's signals.

An error here never breaks the sale, except one that has already broken the shop's transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from django.db import transaction

from django_xcover import db, safe_logging
from django_xcover.offers import shop_values
from django_xcover.orders import events
from django_xcover.tracebacks import clears_frames

logger = safe_logging.get_logger("django_xcover.orders")


@clears_frames
def on_order_completed(
    sender: Any, *, order: Any, cart: Any = None, hold: str = "", **kwargs: Any
) -> None:
    """Settle the cover of an order that has been placed."""
    _complete(order, cart, hold, paid=False)


@clears_frames
def on_payment_completed(
    sender: Any, *, order: Any, cart: Any = None, hold: str = "", **kwargs: Any
) -> None:
    """Settle the cover of an order that has been paid."""
    _complete(order, cart, hold, paid=True)


@clears_frames
def on_order_cancelled(
    sender: Any, *, order: Any, lines: Iterable[str] | None = None, reason: str = "", **kwargs: Any
) -> None:
    """Cancel the cover of an order, or of some lines, that was cancelled or returned."""
    _report(order, partial(events.cancelled, order, lines, reason))


def _complete(order: Any, cart: Any, hold: str, *, paid: bool) -> None:
    _report(order, partial(events.completed, order, cart, paid=paid, hold=hold))


def _report(order: Any, report: Callable[[], None]) -> None:
    try:
        # A savepoint keeps the shop's own transaction usable if anything fails inside.
        with transaction.atomic():
            report()
    except Exception as error:
        if db.is_doomed(error):
            raise
        # Without the order's reference, no event can be stored.
        logger.critical(
            "An order (%s) was not settled: %s",
            shop_values.identify(order),
            safe_logging.describe(error),
        )
