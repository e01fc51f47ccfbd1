"""What happens in the shop, as a process of its own: `python -m tests.processes.steps STEP`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from django.http import HttpRequest

from tests import shop


class Adapter(shop.Adapter):
    """The smallest shop, with one order that every process knows."""

    def get_order(self, reference: str) -> shop.Order | None:
        return shop.Order(reference=reference)


def prepare() -> dict[str, Any]:
    """Make the tables."""
    from django.core.management import call_command

    for folder in ("broker", "control"):
        Path(os.environ["PROCESS_DIR"], folder).mkdir(exist_ok=True)
    call_command("migrate", verbosity=0)
    return {}


def sell() -> dict[str, Any]:
    """Quote, accept and pay: the booking is handed to the broker when the payment commits."""
    from django.db import transaction

    from django_xcover.services import carts, choosing, quoting
    from django_xcover.signals import payment_completed

    request, cart = HttpRequest(), shop.Cart()
    to_insure = carts.read_cart(request, cart)
    assert to_insure is not None
    offer = quoting.fresh_offer(to_insure)
    assert offer is not None, "no offer"
    quote_id = offer.quotes[0].quote_id
    choosing.choose(to_insure, quote_id=quote_id, accepted=True, template_version="test")
    with transaction.atomic():
        payment_completed.send(sender=shop.Order, order=shop.Order(), cart=cart)
    return look()


def look() -> dict[str, Any]:
    """Return the state of the only operation and of its package."""
    from django_xcover.models import Operation

    operation = Operation.objects.select_related("package").get()
    return {
        "state": operation.state,
        "attempts": operation.attempts,
        "package_id": operation.package.package_id,
        "status": operation.package.status,
        "error": operation.error,
    }


STEPS = {"prepare": prepare, "sell": sell, "look": look}

if __name__ == "__main__":
    import django

    django.setup()
    import example_shop.celery  # noqa: F401 - the app that hands tasks to the broker

    sys.stdout.write(json.dumps(STEPS[sys.argv[1]]()))
