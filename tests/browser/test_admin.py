"""Looking after a customer in the admin, as a member of staff does it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from playwright.sync_api import Page, expect

from django_xcover.models import Cancellation, QuotePackage
from django_xcover.sandbox import Sandbox
from tests.admin.conftest import ACTS, VIEWS
from tests.admin.factories import make_staff
from tests.browser.conftest import Customer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Come = Callable[..., Customer]
Worker = Callable[[], None]

TICKETS = "Protect your tickets to Harbour Lights Festival for"
LAPTOP = "Protect Lumen 14 for"
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


def buy_two_covers(customer: Come, worker: Worker) -> QuotePackage:
    """Let a customer buy cover for tickets and for a laptop, and return the booking."""
    ana = customer()
    ana.puts_in_cart("harbour-lights-festival", "lumen-14")
    ana.goes_to("/checkout/")
    ana.answers(TICKETS, yes=True)
    ana.answers(LAPTOP, yes=True)
    ana.fills_in_details()
    ana.places_order()
    ana.pays()
    worker()
    return QuotePackage.objects.get()


def at_the_admin(customer: Come, *permissions: str, viewport: dict[str, int]) -> Customer:
    """Return a member of staff who has logged in and may do what `permissions` allow."""
    make_staff(*permissions, name="sam")
    sam = customer(script=False, viewport=viewport)
    sam.goes_to("/admin/login/")
    sam.page.get_by_label("Username").fill("sam")
    sam.page.get_by_label("Password").fill("secret")
    sam.page.get_by_role("button", name="Log in").click()
    return sam


def open_booking(sam: Customer, package: QuotePackage) -> None:
    sam.goes_to(f"/admin/xcover/quotepackage/?q={package.package_id}")
    sam.page.get_by_role("link", name=package.package_id).click()


def ask_for_refund(page: Page, *policies: str) -> None:
    """Fill in the form that asks what cancelling would refund."""
    page.get_by_text("Cancel cover…").click()
    for policy in policies:
        page.get_by_label(policy).check()
    page.get_by_label("Reason").fill("Bought twice")
    page.get_by_role("button", name="Show the refund").click()


def test_staff_who_may_only_look_find_nothing_to_press(customer: Come, worker: Worker) -> None:
    package = buy_two_covers(customer, worker)
    sam = at_the_admin(customer, *VIEWS, viewport=DESKTOP)

    open_booking(sam, package)

    expect(sam.page.get_by_text("Quotes and policies").first).to_be_visible()
    expect(sam.page.get_by_text("Cancel cover…")).to_have_count(0)


def test_xcover_being_down_is_told_and_cancels_nothing(
    customer: Come, xcover: Sandbox, worker: Worker
) -> None:
    package = buy_two_covers(customer, worker)
    sam = at_the_admin(customer, *VIEWS, *ACTS, viewport=DESKTOP)
    xcover.faults.add("*", "reset", times=None)

    open_booking(sam, package)
    ask_for_refund(sam.page, "Harbour Lights Festival")

    sam.is_told("Nothing was done. XCover")
    assert not Cancellation.objects.exists()


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_one_of_two_covers_is_cancelled_and_its_refund_recorded(
    customer: Come, xcover: Sandbox, worker: Worker, viewport: dict[str, int]
) -> None:
    package = buy_two_covers(customer, worker)
    tickets = package.quotes.get(label="Harbour Lights Festival")
    price = f"£{tickets.price.quantize(Decimal('0.01'))}"
    sam = at_the_admin(customer, *VIEWS, *ACTS, viewport=viewport)
    open_booking(sam, package)

    ask_for_refund(sam.page, "Harbour Lights Festival")
    sam.is_told(f"Harbour Lights Festival: the customer gets {price} back")
    assert [found["status"] for found in xcover.packages()] == ["CONFIRMED"]
    sam.page.get_by_role("button", name="Cancel the cover now").click()
    sam.is_told("This page refreshes automatically.")

    # No script and no reload by hand: the page looks again by itself.
    worker()
    sam.is_told(f"{price} is due to the customer")
    sam.page.get_by_label("Reference").fill("R-881")
    sam.page.get_by_role("button", name="Record the refund").click()

    sam.is_told(f"A refund of {price} was recorded")
    cancellation = Cancellation.objects.get()
    assert (cancellation.refunded, cancellation.refund_reference) == (tickets.price, "R-881")
    assert dict(package.quotes.values_list("label", "status")) == {
        "Harbour Lights Festival": "CANCELLED",
        "Lumen 14": "CONFIRMED",
    }
    assert LogEntry.objects.count() == 3
