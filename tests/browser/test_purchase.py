"""From cart to policy, as a shopper does it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from django_xcover.models import QuotePackage
from django_xcover.sandbox import Sandbox
from example_shop.models import Order
from tests.browser.conftest import Customer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Come = Callable[..., Customer]
Worker = Callable[[], None]

TICKETS = "Protect your tickets to Harbour Lights Festival for"
LAPTOP = "Protect Lumen 14 for"


def statuses(xcover: Sandbox) -> list[str]:
    """Return what XCover holds."""
    return [package["status"] for package in xcover.packages()]


@pytest.mark.parametrize("fault", ["hang", "reset", "garbage"])
def test_a_vendor_at_fault_costs_the_shop_no_sale(
    customer: Come, xcover: Sandbox, worker: Worker, fault: str
) -> None:
    xcover.faults.add("*", fault, times=None, seconds=3)
    ana = customer()
    ana.puts_in_cart("harbour-lights-festival")
    ana.goes_to("/checkout/")
    expect(ana.page.locator("[data-xcover-offer]")).to_be_hidden()

    ana.fills_in_details()
    ana.places_order()
    ana.pays()

    ana.is_told("It's all yours")
    assert Order.objects.get().premium is None
    assert not QuotePackage.objects.exists()


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_ticket_with_cover_ends_as_a_policy(
    customer: Come, xcover: Sandbox, worker: Worker, script: bool
) -> None:
    ana = customer(script=script)
    ana.puts_in_cart("harbour-lights-festival")
    see_the_offer(ana, script)
    ana.answers(TICKETS, yes=True)
    premium = str(QuotePackage.objects.get().total_price.normalize())
    expect(ana.page.locator("#summary")).to_contain_text(premium)

    ana.fills_in_details()
    ana.places_order()
    ana.pays()
    worker()
    ana.page.reload()

    ana.is_told("Certificate of insurance")
    assert statuses(xcover) == ["CONFIRMED"]
    order = Order.objects.get()
    assert order.premium == QuotePackage.objects.get().total_price
    ana.page.get_by_role("link", name="Certificate of insurance", exact=True).click()
    ana.is_told("Ana Rossi")


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_laptop_without_cover_ends_as_an_opt_out(
    customer: Come, xcover: Sandbox, worker: Worker, script: bool
) -> None:
    ana = customer(script=script)
    ana.puts_in_cart("lumen-14")
    see_the_offer(ana, script)
    ana.answers(LAPTOP, yes=False)

    ana.fills_in_details()
    ana.places_order()
    ana.pays()
    worker()

    ana.is_told("It's all yours")
    assert statuses(xcover) == ["OPTED_OUT"]
    assert Order.objects.get().premium is None


def test_one_of_two_covers_is_bought(customer: Come, xcover: Sandbox, worker: Worker) -> None:
    ana = customer()
    ana.puts_in_cart("harbour-lights-festival", "lumen-14")
    ana.goes_to("/checkout/")
    ana.answers(TICKETS, yes=True)
    ana.answers(LAPTOP, yes=False)

    ana.fills_in_details()
    ana.places_order()
    ana.pays()
    worker()

    package = QuotePackage.objects.get()
    booked = {quote.label for quote in package.quotes.filter(status="CONFIRMED")}
    assert booked == {"Harbour Lights Festival"}
    assert Order.objects.get().premium == package.total_price


def test_an_unanswered_offer_is_no_yes(customer: Come, xcover: Sandbox, worker: Worker) -> None:
    ana = customer()
    ana.puts_in_cart("lumen-14")
    ana.goes_to("/checkout/")
    expect(ana.page.get_by_role("group", name=LAPTOP)).to_be_visible()
    expect(ana.page.locator("[data-xcover-offer] input:checked")).to_have_count(0)

    ana.fills_in_details()
    ana.places_order()
    expect(ana.page.get_by_role("alert")).to_have_text("Please choose yes or no.")
    assert not Order.objects.exists()
    ana.places_order()
    ana.pays()
    worker()

    assert statuses(xcover) == ["OPTED_OUT"]


def test_an_invoice_books_cover_that_waits_for_the_money(
    customer: Come, xcover: Sandbox, worker: Worker
) -> None:
    ana = customer()
    ana.puts_in_cart("harbour-lights-festival")
    ana.goes_to("/checkout/")
    ana.answers(TICKETS, yes=True)
    ana.fills_in_details(payment="Invoice")
    ana.places_order()
    worker()
    assert statuses(xcover) == ["PENDING_PAYMENT"]

    ana.page.get_by_role("button", name="Simulate the bank transfer").click()
    ana.is_told("It's all yours")
    worker()

    assert statuses(xcover) == ["CONFIRMED"]
    ana.is_told("Certificate of insurance")  # nobody has reloaded the page


def test_a_declined_card_buys_no_cover(customer: Come, xcover: Sandbox, worker: Worker) -> None:
    ana = customer()
    ana.puts_in_cart("harbour-lights-festival")
    ana.goes_to("/checkout/")
    ana.answers(TICKETS, yes=True)
    ana.fills_in_details()
    ana.places_order()
    ana.pays("4000 0000 0000 0002")
    worker()

    ana.is_told("Your bank declined this card")
    assert statuses(xcover) == ["RECEIVED"]


def see_the_offer(customer: Customer, script: bool) -> None:
    """Open the checkout, and without JavaScript first the page it links to."""
    customer.goes_to("/checkout/")
    if not script:
        customer.page.get_by_role("link", name="see it before").click()
