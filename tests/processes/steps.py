"""What happens in the shop, as a process of its own: `python -m tests.processes.steps STEP`."""

from __future__ import annotations

import sys
from typing import Any

from django.http import HttpRequest

from tests import shop


class Adapter(shop.Adapter):
    """The smallest shop, with one order that every process knows; it is paid for after delivery."""

    def get_order(self, reference: str) -> shop.Order | None:
        return shop.Order(reference=reference)

    def pays_later(self, order: Any) -> bool:
        return True


def prepare() -> None:
    """Make the tables."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def sell() -> None:
    """Quote, accept and pay: the booking is handed to the broker when the payment commits."""
    from django.db import transaction

    from django_xcover.signals import payment_completed

    cart = _accepted()
    with transaction.atomic():
        payment_completed.send(sender=shop.Order, order=shop.Order(), cart=cart)


def sell_on_account() -> None:
    """Quote, accept, order, and pay at once: a booking that waits for its money, and the money."""
    from django.db import transaction

    from django_xcover.signals import order_completed, payment_completed

    cart = _accepted()
    with transaction.atomic():
        order_completed.send(sender=shop.Order, order=shop.Order(), cart=cart)
    with transaction.atomic():
        payment_completed.send(sender=shop.Order, order=shop.Order())


def _accepted() -> shop.Cart:
    from django_xcover.offers import carts, choices, quoting

    cart = shop.Cart()
    to_insure = carts.read_cart(HttpRequest(), cart)
    assert to_insure is not None
    offer = quoting.fresh_offer(to_insure)
    assert offer is not None, "no offer"
    quote_id = offer.quotes[0].quote_id
    choices.choose(to_insure, quote_id=quote_id, accepted=True, template_version="test")
    return cart


STEPS = {"prepare": prepare, "sell": sell, "sell_on_account": sell_on_account}

if __name__ == "__main__":
    import django

    django.setup()
    import example_shop.celery  # noqa: F401 - the app that hands tasks to the broker

    STEPS[sys.argv[1]]()
