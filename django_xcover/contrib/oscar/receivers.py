"""What happens in Oscar, reported to this package, and what happens to cover, noted in Oscar.

The receivers of `post_save` run in the transaction that saves the row, if there is one.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _
from oscar.templatetags.currency_filters import currency

from django_xcover.contrib.oscar import holds
from django_xcover.contrib.oscar.adapter import OscarAdapter, ask, oscar_adapter
from django_xcover.contrib.oscar.lines import (
    cancelled_references,
    is_insured_as_a_whole,
    is_known,
)
from django_xcover.models import Cancellation, QuotePackage
from django_xcover.signals import order_cancelled, payment_completed


def on_source_saved(sender: type, *, instance: Any, **kwargs: Any) -> None:
    """Report an order's payment once its payment sources are debited in full."""
    order = instance.order
    if not instance.amount_debited or not is_known(order):
        return
    plain = partial(OscarAdapter.is_paid, oscar_adapter(), order)
    if ask("is_paid", order, otherwise=plain):
        payment_completed.send(sender=sender, order=order)


def on_basket_saved(sender: type, *, instance: Any, created: bool, **kwargs: Any) -> None:
    """Release the hold of a basket that is thawed, because its payment failed."""
    if not created and instance.status == instance.OPEN:
        holds.release(instance)


def on_order_status(sender: Any, *, order: Any, new_status: str, **kwargs: Any) -> None:
    """Cancel the cover of a cancelled order."""
    if new_status in oscar_adapter().cancelled_statuses and is_known(order):
        order_cancelled.send(sender=type(order), order=order)


def on_line_status(sender: Any, *, line: Any, new_status: str, **kwargs: Any) -> None:
    """Cancel the cover of a cancelled line."""
    if new_status in oscar_adapter().cancelled_statuses:
        _cancel(line, line.quantity)


def on_items_moved(sender: type, *, instance: Any, **kwargs: Any) -> None:
    """Cancel the cover of items that a shipping event takes back."""
    names = oscar_adapter().cancelling_events
    if instance.event.event_type.name not in names:
        return
    rows = instance.line.shipping_event_quantities.filter(event__event_type__name__in=names)
    _cancel(instance.line, rows.aggregate(total=Sum("quantity"))["total"])


def on_policy_cancelled(
    sender: Any, *, package: QuotePackage, cancellation: Cancellation, **kwargs: Any
) -> None:
    """Note on the order what is to be refunded."""
    order = oscar_adapter().get_order(package.order_reference)
    refund = cancellation.refund
    if order is not None and refund is not None:
        text = _("The cover is cancelled and %(refund)s is due to the customer.")
        facts = {"refund": currency(refund.amount, refund.currency)}
        order.notes.create(note_type="System", message=text % facts)


def _cancel(line: Any, quantity: int) -> None:
    if not is_known(line.order):
        return
    with transaction.atomic():
        references = cancelled_references(line, quantity)
        if references:
            order_cancelled.send(sender=type(line), order=line.order, lines=references)
        elif is_insured_as_a_whole(line):
            text = _("%(quantity)s of %(all)s “%(title)s” came back. Their insurance is unchanged.")
            facts = {"quantity": quantity, "all": line.quantity, "title": line.title}
            line.order.notes.create(note_type="System", message=text % facts)
