"""A shop with bookings, and an XCover that may know others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpRequest

from django_xcover.clients import factory
from django_xcover.cover import freeze_cover
from django_xcover.models import Discrepancy, Quote, QuotePackage
from django_xcover.sandbox import Sandbox
from django_xcover.sync import reconciliation
from django_xcover.sync.reconciliation import Report
from tests import completion
from tests.conftest import ReadCart, Shopper, work
from tests.shop import Cart, Shop

Buy = Callable[..., QuotePackage]
LOST = "KXR4W-9PJTC-INS"


@pytest.fixture
def buy(
    sandbox: Sandbox, shop: Shop, read: ReadCart, request_for: Callable[[Cart], HttpRequest]
) -> Buy:
    """Return a maker of paid orders with cover, frozen as a shop does, booked unless asked not to.

    Without the freeze every order would log CRITICAL: its charge is not known.
    """

    def make(number: int = 1, *, booked: bool = True, **facts: Any) -> QuotePackage:
        shopper = Shopper(Cart(reference=f"cart-{number}"), read)
        shopper.says(yes=True)
        paid = not facts.get("pays_later", False)
        with transaction.atomic():
            freeze_cover(request_for(shopper.cart))
            completion.complete(shop.order(f"ORD-{number}", **facts), shopper.cart, paid=paid)
        if booked:
            work()
        return QuotePackage.objects.get(order_reference=f"ORD-{number}")

    return make


def cancel_at_xcover(package: QuotePackage) -> None:
    """Cancel the booking at XCover, as by telephone: nobody here learns of it."""
    factory.client_for("default").cancel_booking(package.package_id, idempotency_key="phone")


def forget(package: QuotePackage) -> str:
    """Delete all that is known of a package here, and return its id."""
    package.holds.all().delete()
    package.operations.all().delete()
    package.decisions.all()._raw_delete(package.decisions.db)
    package.quotes.all().delete()
    package.delete()
    return package.package_id


def go(**options: Any) -> Report:
    """Walk the default account, mending unless told otherwise."""
    return reconciliation.reconcile("default", **{"fix": True, **options})


def found() -> list[tuple[str, str]]:
    """Return what is open: kind and package id."""
    rows = Discrepancy.objects.open().order_by("kind", "package_id")
    return list(rows.values_list("kind", "package_id"))


def one() -> Discrepancy:
    """Return the only discrepancy there is."""
    return Discrepancy.objects.get()


def lose_at_xcover(package: QuotePackage) -> None:
    """Let the booking be one that XCover never made: only the mirror says so."""
    QuotePackage.objects.filter(pk=package.pk).update(status="RECEIVED", package_id=LOST)
    Quote.objects.filter(package=package).update(status="RECEIVED")
