"""Reading a package anew."""

from __future__ import annotations

import pytest

from django_xcover.client import XCoverError
from django_xcover.models import Attention, QuotePackage
from django_xcover.sandbox import Sandbox
from django_xcover.services import gateway, orders, refreshing
from tests.conftest import Shopper, the_package, work
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("fault", ["reset", "garbage"])
def test_a_vendor_at_fault_leaves_the_mirror_as_it_was(
    shopper: Shopper, sandbox: Sandbox, fault: str
) -> None:
    shopper.sees()
    sandbox.faults.add("*", fault, times=None)

    with pytest.raises(XCoverError):
        refreshing.refresh(the_package())

    assert the_package().status == "RECEIVED"


def test_a_cancellation_made_elsewhere_is_seen(
    shopper: Shopper, shop: Shop, sandbox: Sandbox
) -> None:
    shopper.says(yes=True)
    orders.complete(shop.order(), shopper.cart, paid=True)
    work()
    package = the_package()
    gateway.client_for("default").cancel_booking(package.package_id, idempotency_key="x")

    refreshed = refreshing.refresh(package)

    assert refreshed.status == "CANCELLED"
    assert {quote.status for quote in refreshed.quotes.all()} == {"CANCELLED"}


def test_a_quote_is_refreshed_as_a_quote(shopper: Shopper, sandbox: Sandbox) -> None:
    shopper.sees()

    assert refreshing.refresh(the_package()).status == "RECEIVED"
    assert not sandbox.calls("get_booking")


def test_a_status_that_cannot_follow_changes_nothing_and_is_flagged(
    shopper: Shopper, shop: Shop, sandbox: Sandbox
) -> None:
    shopper.says(yes=True)
    orders.complete(shop.order(), shopper.cart, paid=True)
    work()
    QuotePackage.objects.update(status="CANCELLED")

    refreshed = refreshing.refresh(the_package())

    assert refreshed.status == "CANCELLED"
    assert refreshed.attention == Attention.STATUS_UNEXPECTED
