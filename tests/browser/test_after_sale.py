"""Cover added on the order's page after the sale, as a shopper does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Route, expect

from django_xcover.models import AfterSaleOffer, Quote
from django_xcover.sandbox import Sandbox
from tests.browser.conftest import Customer
from tests.browser.test_purchase import see_the_offer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Come = Callable[..., Customer]

TICKETS = "Protect your tickets to Harbour Lights Festival for"


def box_of(element: Locator) -> Any:
    """Return where `element` is on the page."""
    box = element.bounding_box()
    assert box is not None
    return box


@pytest.fixture(autouse=True)
def offers_after_the_sale(settings: Any) -> None:
    settings.XCOVER = {**settings.XCOVER, "AFTER_SALE_DAYS": 7}


def orders_without_cover(
    customer: Customer, worker: Callable[[], None], *, script: bool = True
) -> None:
    """Order tickets, decline the cover, and pay."""
    customer.puts_in_cart("harbour-lights-festival")
    see_the_offer(customer, script)
    customer.answers(TICKETS, yes=False)
    customer.fills_in_details()
    customer.places_order()
    customer.pays()
    customer.is_told("It's all yours")
    worker()


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_cover_declined_at_the_checkout_is_added_paid_and_booked(
    customer: Come, xcover: Sandbox, worker: Callable[[], None], script: bool
) -> None:
    ana = customer(script=script)
    orders_without_cover(ana, worker, script=script)
    order = ana.page.url
    if not script:
        ana.page.get_by_role("link", name="See the offer").click()
    offer = ana.page.get_by_role("group", name=TICKETS)
    expect(offer).to_be_visible()
    yes, no = offer.get_by_role("button").all()
    sizes = [(box["width"], box["height"]) for box in map(box_of, (yes, no))]
    assert sizes[0] == sizes[1]

    yes.click()
    assert not Quote.objects.filter(status="CONFIRMED").exists()
    ana.page.goto(order)
    ana.page.get_by_role("link", name="Pay £").click()
    ana.pays()
    worker()
    ana.page.reload()

    ana.is_told("Certificate of insurance")
    assert Quote.objects.get(status="CONFIRMED").price == AfterSaleOffer.objects.get().premium
    expect(ana.page.locator("#xcover-after-sale")).to_have_count(0)


def test_a_no_hides_the_offer_for_good(
    customer: Come, xcover: Sandbox, worker: Callable[[], None]
) -> None:
    ana = customer()
    orders_without_cover(ana, worker)

    ana.page.get_by_role("group", name=TICKETS).get_by_role("button", name="No").click()

    ana.is_told("It's all yours")
    expect(ana.page.locator("#xcover-after-sale")).to_have_count(0)


def test_the_offer_comes_where_trusted_types_are_required(
    customer: Come, xcover: Sandbox, worker: Callable[[], None]
) -> None:
    ana = customer()
    errors: list[str] = []
    ana.page.on("pageerror", lambda error: errors.append(str(error)))
    ana.page.route("**/orders/*/", require_trusted_types)

    orders_without_cover(ana, worker)

    expect(ana.page.get_by_role("group", name=TICKETS)).to_be_visible()
    assert errors == []


def require_trusted_types(route: Route) -> None:
    """Serve the page with the policy from docs/templates.md."""
    names = "trusted-types xcover xcover-after-sale"
    policy = f"require-trusted-types-for 'script'; {names}"
    answer = route.fetch()
    route.fulfill(response=answer, headers={**answer.headers, "content-security-policy": policy})


def test_where_no_offer_comes_nothing_is_left_of_its_place(
    customer: Come, xcover: Sandbox, worker: Callable[[], None]
) -> None:
    ana = customer()
    xcover.faults.add("fast_quote", "reset", times=None)
    orders_without_cover(ana, worker)

    expect(ana.page.locator("#xcover-after-sale")).to_be_empty()
    assert box_of(ana.page.locator("#xcover-after-sale"))["height"] == 0
