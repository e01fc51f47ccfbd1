"""What happens to cover without its shopper: XCover cancels by telephone, the shop an order."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connections

from django_xcover.client import XCoverError
from django_xcover.clients import factory
from django_xcover.models import QuotePackage
from tests.chaos.shop_tasks import cancel_order
from tests.chaos.shoppers import Purchase
from tests.chaos.wishes import Wish


def cancel(purchases: Iterable[Purchase]) -> None:
    """Cancel at XCover what was telephoned about, and in the shop the orders nobody pays.

    The weather has cleared up, so that XCover's webhook arrives: it is all that tells of the first.
    """
    for purchase in purchases:
        if purchase.will(Wish.TELEPHONE):
            _telephone(purchase)
        elif purchase.shop_cancels and purchase.order_number:
            cancel_order.delay(purchase.order_number)
    connections.close_all()


def _telephone(purchase: Purchase) -> None:
    """Have cancelled what is in force; what waits for a person is not."""
    package = QuotePackage.objects.filter(order_reference=purchase.order_number).first()
    if package is None or package.status != "CONFIRMED":
        return
    client = factory.client_for(package.account)
    try:
        client.cancel_booking(package.package_id, idempotency_key=f"telephone-{package.pk}")
    except XCoverError:
        return  # what cannot be cancelled any more stays as it is
    policies = package.quotes.accepted().values_list("quote_id", flat=True)
    purchase.later.policies = tuple(policies)
    purchase.later.asked = purchase.later.done = True
