"""A guest's way back to an order: a signed link, for letters.

A guest has no account, and the session that placed the order is long gone when its cover ends.
"""

from __future__ import annotations

from datetime import timedelta

from django.core import signing
from django.urls import reverse

from example_shop.models import Order

SALT = "example_shop.guests"
# Cover can be renewed from thirty days before its end until sixty days after.
LIFETIME = timedelta(days=90)


def link(order: Order) -> str:
    """Return the address that shows `order` to whoever opens it, in any browser.

    It is as good as a password: it belongs into a letter to the guest and nowhere else.
    """
    return reverse("shop:open", args=[signing.dumps(order.number, salt=SALT)])


def order_of(token: str) -> Order | None:
    """Return the guest's order that a link was made for, None when the link is not good (any more).

    An order that has got an account meanwhile is found by logging in, and only so.
    """
    try:
        number = signing.loads(token, salt=SALT, max_age=LIFETIME)
    except signing.BadSignature:  # and SignatureExpired, which is one
        return None
    return Order.objects.filter(number=number, user=None).first()
