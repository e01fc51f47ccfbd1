"""Signed links to an order's offer after the sale: no session, no login, no personal data."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core import signing
from django.urls import reverse

from django_xcover.adapters import get_adapter
from django_xcover.conf import get_config
from django_xcover.exceptions import LinkExpired, LinkInvalid
from django_xcover.tracebacks import clears_frames

SALT = "django_xcover.after_sale"


@clears_frames
def path(order_reference: str) -> str:
    """Return the path of the page on which cover can be added to the order, without a login.

    Prepend the shop's address, and send the link only to the customer: anyone who has it sees the
    offer and can answer it. The path is signed, and contains the order's number. It expires after
    `XCOVER["AFTER_SALE_DAYS"]`.
    """
    return reverse("xcover:after_sale", args=[token_of(order_reference)])


def token_of(order_reference: str) -> str:
    """Return the part of the path that names the order."""
    return signing.dumps(order_reference, salt=SALT)


def order_of(token: str) -> Any:
    """Return the shop's order of a link; raise LinkInvalid or LinkExpired."""
    # A day at least: the page after a payment is also shown if the offers were turned off since.
    days = get_config().after_sale_days or 1
    try:
        reference = signing.loads(token, salt=SALT, max_age=timedelta(days=days))
    except signing.SignatureExpired as error:
        raise LinkExpired from error
    except signing.BadSignature as error:
        raise LinkInvalid from error
    order = get_adapter().get_order(reference)
    if order is None:
        raise LinkInvalid
    return order
