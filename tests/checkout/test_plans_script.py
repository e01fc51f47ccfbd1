"""Choosing how to pay, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from django_xcover.models import Quote
from tests.checkout.conftest import Visitor
from tests.checkout.test_plans import MONTHLY, QUARTERLY, offer_plans
from tests.checkout.test_script import Gate, Tab, address, tab

__all__ = ["address", "tab"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]
EVERY_MONTH = "Every month for one year"


@pytest.fixture
def planned(tab: Tab, visitor: Visitor) -> Tab:
    """Return a tab with an offer that can be paid in parts, already stored."""
    visitor.is_offered()
    offer_plans(MONTHLY, QUARTERLY)
    return tab.opens()


def test_a_click_on_another_way_to_pay_is_not_undone_by_an_earlier_answer(planned: Tab) -> None:
    page = planned.page
    gate = Gate("/xcover/choose/")
    planned.yes.check()
    page.get_by_label(EVERY_MONTH).check()

    gate.opens()
    page.evaluate("xcover.settled()")  # both answers: the first alone is said to be saved, too

    expect(page.get_by_label(EVERY_MONTH)).to_be_checked()
    assert planned.hears("change")["plan"] == "1year-monthly"
    assert Quote.objects.get().instalment_plan == "1year-monthly"


def test_choosing_how_to_pay_is_a_yes(planned: Tab) -> None:
    planned.page.get_by_label(EVERY_MONTH).check()

    expect(planned.status).to_be_visible()
    expect(planned.yes).to_be_checked()
    assert planned.hears("change")["premium"] == "0.66"
    assert planned.complaints == []


def test_a_plain_yes_is_paid_at_once_and_the_page_says_so(planned: Tab) -> None:
    planned.yes.check()

    expect(planned.page.get_by_label("All at once")).to_be_checked()
    assert planned.hears("change")["premium"] == "7.89"


def test_after_a_no_the_ways_to_pay_are_gone(planned: Tab) -> None:
    planned.page.get_by_label(EVERY_MONTH).check()
    expect(planned.status).to_have_text("Saved: cover is added to your order.")

    planned.no.check()

    expect(planned.status).to_have_text("Saved: no cover is added to your order.")
    expect(planned.page.get_by_label(EVERY_MONTH)).to_be_hidden()
    assert Quote.objects.get().instalment_plan == ""


def test_the_plain_form_chooses_a_plan(planned: Tab, chromium: Browser, address: str) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/xcover/offer/page/")
    page.get_by_label("Yes, add cover for").check()
    page.get_by_label(EVERY_MONTH).check()
    with page.expect_navigation():  # the plan is ticked on the page before it, too
        page.get_by_role("button", name="Save my answer").click()

    expect(page.get_by_label(EVERY_MONTH)).to_be_checked()
    assert Quote.objects.get().instalment_plan == "1year-monthly"
    context.close()
