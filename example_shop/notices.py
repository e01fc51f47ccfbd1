"""The shop's e-mails to its customers."""

from __future__ import annotations

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext, override

from django_xcover.models import Renewal
from django_xcover.policies import renewal_lines
from example_shop import guests
from example_shop.models import Order
from example_shop.templatetags.shop import day


def renewal_notice(order: Order, renewal: Renewal) -> None:
    """Send an e-mail that cover ends, with the price of the next period, in the order's language.

    Raises what the mail server's connection raises: the notice is then sent again.
    """
    with override(renewal.package.customer_language):
        subject = gettext("Your insurance for order %(order)s ends on %(day)s") % {
            "order": order.number,
            "day": day(renewal.due_on),
        }
        # A worker has no request from which to get the shop's URL.
        address = settings.SHOP_URL + _way_to_the_cover(order)
        facts = {"order": order, "renewal": renewal, "address": address}
        facts["lines"] = renewal_lines(renewal)
        text = render_to_string("shop/renewal_notice.txt", facts)
    send_mail(subject, text, None, [order.email])


def _way_to_the_cover(order: Order) -> str:
    """Return the path of the cover's page; a guest gets a signed link."""
    return reverse("xcover:my_cover") if order.user_id else guests.link(order)
