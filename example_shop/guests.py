"""Signed links in e-mails, which give guests access to their order.

A guest has no account, and the session that placed the order is long gone when its cover ends.
"""

from __future__ import annotations

from datetime import timedelta

from django.core import signing
from django.urls import reverse

from django_xcover.types import Due
from example_shop.models import Order

SALT = "example_shop.guests"
PAYMENT_SALT = "example_shop.guests.payment"
# Cover can be renewed from thirty days before its end until sixty days after.
LIFETIME = timedelta(days=90)


def link(order: Order) -> str:
    """Return the URL that shows `order` in any browser, to anyone who has it.

    It is as good as a password: send it only to the guest's own e-mail address.
    """
    return reverse("shop:open", args=[signing.dumps(order.number, salt=SALT)])


def order_of(token: str) -> Order | None:
    """Return the guest's order of a link, or None if the link is invalid or expired.

    An order that belongs to an account now requires a login.
    """
    try:
        number = signing.loads(token, salt=SALT, max_age=LIFETIME)
    except signing.BadSignature:  # includes SignatureExpired
        return None
    return Order.objects.filter(number=number, user=None).first()


def payment_pass(due: Due) -> str:
    """Return a signed text that lets a guest pay `due` without a session, and see no more."""
    return signing.dumps([due.kind, due.reference], salt=PAYMENT_SALT)


def may_pay(token: str, due: Due) -> bool:
    """Return whether `token` is the pass for `due`, made within the last day."""
    try:
        named = signing.loads(token, salt=PAYMENT_SALT, max_age=timedelta(days=1))
    except signing.BadSignature:  # includes SignatureExpired
        return False
    return bool(named == [due.kind, due.reference])
