"""The example shop as it runs by default: offers are quoted in threads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from django_xcover.conf import get_config
from django_xcover.models import Quote
from django_xcover.offers import background
from django_xcover.sandbox import Sandbox
from tests.conftest import work
from tests.example_shop.conftest import Shopper

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def threads(settings: Any) -> Iterator[None]:
    """Quote in threads, as many as by default, and leave none behind."""
    settings.XCOVER = {k: v for k, v in settings.XCOVER.items() if k != "OFFER_THREADS"}
    assert get_config().offer_threads > 0
    yield
    finish()


def finish() -> None:
    """Wait for the threads."""
    for thread in list(background._running):
        thread.join(30)
        assert not thread.is_alive()


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
