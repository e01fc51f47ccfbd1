"""The example shop as it runs by default: offers are quoted in threads."""

from __future__ import annotations

import pytest

from django_xcover.models import Quote
from django_xcover.sandbox import Sandbox
from tests.conftest import work
from tests.example_shop.conftest import Shopper
from tests.threads import finish, threads

__all__ = ["threads"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("threads")]


@pytest.mark.parametrize("first", ["/xcover/offer/", "/xcover/offer/page/"])
def test_from_the_first_look_to_the_policy(
    shopper: Shopper, xcover_sandbox: Sandbox, first: str
) -> None:
    """By the fragment, as the script asks for it, and by the page without JavaScript."""
    assert b"xcover-waiting" in shopper.opens("/checkout/").content
    assert b"Yes, add cover" not in shopper.opens(first).content
    finish()
    assert b"Yes, add cover" in shopper.opens("/checkout/").content

    shopper.answers("yes")
    order = shopper.orders()
    shopper.pays(order)
    work()

    order.refresh_from_db()
    policy = Quote.objects.booked().get()
    assert order.premium == policy.price
    assert policy.package.order_reference == order.number
    assert len(xcover_sandbox.calls("create_quote")) == 1


def test_a_shopper_who_orders_before_the_offer_is_there_is_charged_for_no_cover(
    shopper: Shopper, xcover_sandbox: Sandbox
) -> None:
    shopper.opens("/xcover/offer/")

    order = shopper.orders()
    finish()

    assert order.premium is None
    assert not Quote.objects.booked().exists()
