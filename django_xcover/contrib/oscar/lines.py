"""Which cover belongs to an order, and to the lines of it."""

from __future__ import annotations

from typing import Any

from django_xcover.contrib.oscar.adapter import ask
from django_xcover.contrib.oscar.models import LineReference
from django_xcover.cover import order_cover
from django_xcover.models import Hold, OrderEvent, QuotePackage


def was_offered_cover(cart: Any) -> bool:
    """Return whether cover was offered or held for the cart.

    An order that staff enter, or that is imported, has a cart that was never quoted. True if
    the adapter can't name the cart: this package then stores the order until it can.
    """
    reference = ask("get_cart_reference", cart, otherwise=str)
    known = {"cart_reference": reference}
    return not reference or any(
        model.objects.filter(**known).exists() for model in (Hold, QuotePackage)
    )


def is_known(order: Any) -> bool:
    """Return whether the order was reported when it was placed; True if that is unknown."""
    reference = ask("get_order_reference", order, otherwise=str)
    known = {"order_reference": reference}
    models = (Hold, QuotePackage, OrderEvent)
    return not reference or any(model.objects.filter(**known).exists() for model in models)


def cancelled_references(line: Any, quantity: int) -> list[str]:
    """Return the references of the cover of `quantity` items of the order line, the last ones.

    Empty if none of it is insured. Cover for the line as a whole is named only if all items are
    cancelled. After a no, all are named, and the line as well: cover for them must not be offered
    after the sale.
    """
    reference = _reference_of(line)
    if not reference:
        return []  # an order that didn't come from the checkout was never insured
    cover = order_cover(line.order)
    first = max(line.quantity - quantity, 0) + 1
    named = [f"{reference}:{number}" for number in range(first, line.quantity + 1)]
    if quantity >= line.quantity or cover.state == "declined":
        named.append(reference)
    if cover.state in {"none", "declined"}:  # "none" isn't settled yet
        return named
    insured = {policy.line_reference for policy in cover.policies}
    return [name for name in named if name in insured]


def is_insured_as_a_whole(line: Any) -> bool:
    """Return whether the order line has one policy for all its items."""
    policies = order_cover(line.order).policies
    return _reference_of(line) in {policy.line_reference for policy in policies}


def _reference_of(line: Any) -> str:
    row = LineReference._default_manager.filter(line=line).first()
    return row.reference if row is not None else ""
