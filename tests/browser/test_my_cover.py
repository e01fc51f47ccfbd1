"""What shoppers do with the cover they have: cancel it, change it, renew it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from playwright.sync_api import Page, expect

from django_xcover.models import Cancellation, Quote
from django_xcover.policies import renewal as renewing
from django_xcover.sandbox import Sandbox
from example_shop.demo import data
from example_shop.models import Order
from tests.browser.conftest import Customer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Come = Callable[..., Customer]
Worker = Callable[[], None]
SCRIPT = pytest.mark.parametrize(
    "script", [True, False], ids=["with JavaScript", "without JavaScript"]
)


def buys(customer: Customer, worker: Worker, *, script: bool, slug: str, question: str) -> None:
    """Buy one product with cover, and let it be booked."""
    customer.puts_in_cart(slug)
    customer.goes_to("/checkout/")
    if not script:
        customer.page.get_by_role("link", name="see it before").click()
    customer.answers(question, yes=True)
    if not script:
        customer.goes_to("/checkout/")
    customer.fills_in_details()
    customer.places_order()
    customer.pays()
    worker()


def buys_tickets(customer: Customer, worker: Worker, *, script: bool = True) -> None:
    question = "Protect your tickets to Harbour Lights Festival for"
    buys(customer, worker, script=script, slug="harbour-lights-festival", question=question)


def buys_a_laptop(customer: Customer, worker: Worker) -> None:
    question = "Protect Lumen 14 for"
    buys(customer, worker, script=True, slug="lumen-14", question=question)


def opens_the_policy(customer: Customer, title: str) -> None:
    """Go from the order to the list, and from there to the policy."""
    customer.page.reload()
    customer.page.get_by_role("link", name="My cover: documents").click()
    customer.page.get_by_role("link", name=title).click()
    expect(customer.page.get_by_role("heading", level=1)).to_have_text(title)


def logs_in(customer: Customer) -> None:
    """Log in as the shopper of the demonstration."""
    customer.goes_to("/accounts/login/")
    customer.page.get_by_label("Username").fill(data.SHOPPER.username)
    customer.page.get_by_label("Password").fill(data.SHOPPER.password)
    customer.page.get_by_role("main").get_by_role("button", name="Log in").click()
    expect(customer.page.get_by_role("link", name="My cover")).to_be_visible()


def heading(page: Page) -> Any:
    return expect(page.get_by_role("heading", level=1))


def booking(xcover: Sandbox) -> dict[str, Any]:
    """Return the only booking as XCover has it."""
    (package,) = xcover.packages()
    return package


@SCRIPT
def test_a_shopper_withdraws_and_sees_the_refund_first(
    customer: Come, xcover: Sandbox, worker: Worker, script: bool
) -> None:
    ana = customer(script=script)
    buys_tickets(ana, worker, script=script)
    opens_the_policy(ana, "Harbour Lights Festival")

    ana.page.get_by_role("button", name="Withdraw from contract here").click()
    ana.is_told("Your refund")
    assert booking(xcover)["status"] == "CONFIRMED"
    ana.page.get_by_role("button", name="Confirm withdrawal").click()
    heading(ana.page).to_have_text("Your cover is being cancelled")
    worker()

    # Nobody reloads: the page looks again by itself, with and without a script.
    heading(ana.page).to_have_text("Your cover is cancelled")
    assert booking(xcover)["status"] == "CANCELLED"
    premium = Order.objects.get().premium
    refund = Cancellation.objects.get().refund
    assert refund is not None
    assert refund.amount == premium


def test_a_shopper_who_keeps_the_cover_keeps_it(
    customer: Come, xcover: Sandbox, worker: Worker
) -> None:
    ana = customer()
    buys_tickets(ana, worker)
    opens_the_policy(ana, "Harbour Lights Festival")

    ana.page.get_by_role("button", name="Withdraw from contract here").click()
    ana.page.get_by_role("link", name="Keep the cover").click()
    worker()

    ana.is_told("Active")
    assert booking(xcover)["status"] == "CONFIRMED"


@SCRIPT
def test_a_shopper_changes_the_phone_number(
    customer: Come, xcover: Sandbox, worker: Worker, script: bool
) -> None:
    ana = customer(script=script)
    buys_tickets(ana, worker, script=script)
    opens_the_policy(ana, "Harbour Lights Festival")

    ana.page.locator("#change").get_by_role("link", name="Change details").click()
    ana.page.get_by_label("Phone").fill("+447700900999")
    ana.page.get_by_role("button", name="Save the change").click()
    heading(ana.page).to_have_text("Your policy is being changed")
    worker()

    heading(ana.page).to_have_text("Your policy has been changed")
    assert booking(xcover)["policyholder"]["phone"] == "+447700900999"


@pytest.fixture
def next_year(xcover: Sandbox) -> Iterator[Callable[[timedelta], None]]:
    """Return what moves the time on, at the shop and at XCover."""
    travels = []

    def move(by: timedelta) -> None:
        travel = time_machine.travel(timezone.now() + by, tick=True)
        travel.start()
        travels.append(travel)

    yield move
    for travel in reversed(travels):
        travel.stop()


@pytest.fixture
def renewal_due(
    customer: Come, xcover: Sandbox, worker: Worker, next_year: Callable[[timedelta], None]
) -> Customer:
    """Return a shopper at the page of a policy that ends in twenty days."""
    ana = customer()
    logs_in(ana)
    buys_a_laptop(ana, worker)
    ends = Quote.objects.get().policy_end_date
    assert ends is not None
    next_year(ends - timedelta(days=20) - timezone.now())
    (renewal,) = renewing.find_due()
    renewing.quote(renewal)
    logs_in(ana)  # again: no session lasts that long
    ana.page.get_by_role("link", name="My cover").click()
    return ana


def test_a_shopper_renews_and_pays_at_the_shop(
    renewal_due: Customer, xcover: Sandbox, worker: Worker
) -> None:
    ana = renewal_due
    ana.is_told("Can be renewed")
    ana.page.get_by_role("link", name="Lumen 14").click()
    ana.page.get_by_role("link", name="Renew or decline").click()
    ana.page.get_by_role("link", name="Renew and pay £").click()
    ana.pays()
    ana.is_told("We have your payment")
    ana.is_told("the insurer is confirming the new period")
    worker()

    # Nobody reloads: the page looks again by itself.
    heading(ana.page).to_have_text("Lumen 14: renewed")
    statuses = [quote["status"] for quote in booking(xcover)["quotes"]]
    assert sorted(statuses) == ["CONFIRMED", "RENEWED"]
    ana.page.get_by_role("link", name="My cover").first.click()
    expect(ana.page.get_by_role("article")).to_have_count(2)
    ana.is_told("Active")
    ana.is_told("Starts later")


def test_a_shopper_declines_the_renewal(
    renewal_due: Customer, xcover: Sandbox, worker: Worker
) -> None:
    ana = renewal_due
    ana.page.get_by_role("link", name="Lumen 14").click()
    ana.page.get_by_role("link", name="Renew or decline").click()
    ana.page.get_by_role("link", name="Don't renew").click()
    ana.page.get_by_role("button", name="Don't renew").click()
    ana.is_told("we're informing the insurer")
    worker()

    ana.is_told("You declined the renewal. Your cover ends on")
    (quote,) = booking(xcover)["quotes"]
    assert quote["status"] == "CONFIRMED"
    assert quote["renewal_declined"]


@pytest.mark.parametrize("width", [320, 390])
def test_nothing_is_wider_than_a_phone(customer: Come, worker: Worker, width: int) -> None:
    ana = customer(viewport={"width": width, "height": 844})
    buys_tickets(ana, worker)
    opens_the_policy(ana, "Harbour Lights Festival")
    pages = [ana.page.url, f"{ana.page.url}details/"]
    ana.page.get_by_role("button", name="Withdraw from contract here").click()
    pages.append(ana.page.url)

    for address in pages:
        ana.page.goto(address)
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert ana.page.evaluate(wide) <= 0
        for target in ana.page.locator(".xcover-button:visible").all():
            box = target.bounding_box()
            assert box is not None
            assert box["height"] >= 44
