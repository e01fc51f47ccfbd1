"""Signed links with which guests withdraw: no session, no login, no personal data."""

from __future__ import annotations

from datetime import timedelta

from django.core import signing
from django.urls import reverse

from django_xcover.conf import get_config
from django_xcover.exceptions import LinkExpired, LinkInvalid
from django_xcover.models import QuotePackage
from django_xcover.tracebacks import clears_frames

SALT = "django_xcover.withdrawal"


@clears_frames
def link_path(order_reference: str) -> str:
    """Return the path of the page to withdraw from an order's cover without login.

    Prepend the shop's address, and send the link only to the customer: anyone who has it can
    cancel. The path is signed and contains an internal number. It is "" for an order without cover.
    """
    package = QuotePackage.objects.for_order(order_reference).order_by("pk").first()
    if package is None:
        return ""
    return reverse("xcover:withdraw", args=[signing.dumps(package.pk, salt=SALT)])


def read_link(token: str) -> list[QuotePackage]:
    """Return the packages of the link's order; raise LinkInvalid or LinkExpired."""
    age = timedelta(days=get_config().withdrawal_link_days)
    try:
        pk = signing.loads(token, salt=SALT, max_age=age)
    except signing.SignatureExpired as error:
        raise LinkExpired from error
    except signing.BadSignature as error:
        raise LinkInvalid from error
    package = QuotePackage.objects.filter(pk=pk).first()
    if package is None:
        raise LinkInvalid
    return list(QuotePackage.objects.for_order(package.order_reference).order_by("pk"))
