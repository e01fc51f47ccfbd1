"""The total beside the order button follows the offer, and goes along with the order."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import translation
from playwright.sync_api import Route, expect

from django_xcover.formats import format_amount
from django_xcover.models import Decision
from django_xcover.types import Money
from tests.checkout.shopfront import FRONT
from tests.checkout.test_script import Tab, address, fails, tab
from tests.conftest import Shopper
from tests.shop import ticket

__all__ = ["address", "tab"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def pay(tab: Tab) -> None:
    tab.page.get_by_role("button", name="Pay").click()


def shows(tab: Tab, total: str) -> None:
    expect(tab.page.locator("#total")).to_have_text(total)


def test_the_total_follows_each_answer_and_goes_along_with_the_order(tab: Tab) -> None:
    tab.opens()
    shows(tab, "£120.00")

    tab.yes.check()
    shows(tab, "£127.89")
    tab.no.check()
    shows(tab, "£120.00")
    tab.yes.check()
    shows(tab, "£127.89")

    pay(tab)
    expect(tab.page.get_by_role("heading")).to_have_text("Thank you")
    assert FRONT.totals == ["127.89 GBP"]


@pytest.mark.parametrize(
    ("base", "premium", "currency", "sent"),
    [
        ("74.61", "7.89", "GBP", "82.50 GBP"),
        ("492", "8", "JPY", "500 JPY"),
        ("1.360", "7.890", "KWD", "9.250 KWD"),
        ("1234.115", "7.89", "GBP", "1242.005 GBP"),
    ],
)
def test_the_total_goes_along_with_its_currencys_decimals(
    tab: Tab, base: str, premium: str, currency: str, sent: str
) -> None:
    tab.opens()
    field = tab.page.locator("input[data-xcover-total]")
    field.evaluate(
        "(field, data) => Object.assign(field.dataset, data)",
        {"xcoverBase": base, "xcoverCurrency": currency},
    )

    def saves(route: Route) -> None:
        answer = {"choice": "accepted", "plan": "", "message": "Saved", "premium": premium}
        route.fulfill(json=answer, headers={"X-XCover": "1"})

    tab.page.route("**/xcover/choose/", saves)
    tab.yes.check()

    expect(field).to_have_value(sent)


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "it", "pt-br", "ja", "ar"])
def test_the_script_writes_the_total_as_the_server_does(tab: Tab, language: str) -> None:
    tab.opens()
    total = tab.page.locator("#total [data-xcover-total]:not(input)")
    total.evaluate(
        "(span, lang) => { span.lang = lang; span.dataset.xcoverBase = '1234.50'; }", language
    )

    tab.yes.check()

    with translation.override(language):
        expect(total).to_have_text(format_amount(Money(Decimal("1242.39"), "GBP")))


def test_a_yes_that_is_carried_over_by_a_new_quote_is_in_the_total(
    tab: Tab, shopper: Shopper
) -> None:
    shopper.sees()
    shopper.says(yes=True)
    FRONT.cart = shopper.cart.but(items=(*shopper.cart.items, ticket(reference="2")))

    tab.opens()

    assert tab.hears("ready")["premium"] == "7.89"
    shows(tab, "£127.89")


def test_the_total_follows_an_offer_that_a_stale_tab_gets_anew(tab: Tab, shopper: Shopper) -> None:
    tab.opens()
    tab.yes.check()
    shows(tab, "£127.89")
    FRONT.cart = shopper.cart.but(items=(ticket(price="80"),))

    tab.no.click()

    expect(tab.page.get_by_role("alert")).to_contain_text("The offer has changed")
    shows(tab, "£120.00")


def test_a_page_out_of_the_browsers_memory_asks_for_the_offer_again(
    tab: Tab, shopper: Shopper
) -> None:
    tab.opens()
    tab.yes.check()
    shows(tab, "£127.89")
    shopper.says(yes=False)

    tab.page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")

    shows(tab, "£120.00")
    expect(tab.no).to_be_checked()


def test_the_first_order_after_a_failed_save_is_held_and_the_second_goes_through(
    tab: Tab,
) -> None:
    fails("/xcover/choose/")
    tab.opens()
    tab.yes.check()
    expect(tab.page.get_by_role("alert")).to_have_text(
        "We couldn't save your answer. Please try again."
    )

    pay(tab)

    expect(tab.page.get_by_role("alert")).to_contain_text("Your order hasn't been placed yet.")
    assert FRONT.orders == []
    pay(tab)
    expect(tab.page.get_by_role("heading")).to_have_text("Thank you")
    assert FRONT.totals == ["120.00 GBP"]


@pytest.mark.parametrize("status", [200, 302, 403, 500])
def test_no_answer_of_another_page_counts_as_saved(tab: Tab, status: int) -> None:
    tab.opens()
    expect(tab.yes).to_be_visible()
    fails("/xcover/choose/", status)

    tab.yes.check()

    expect(tab.page.get_by_role("alert")).to_contain_text("couldn't save your answer")
    assert tab.page.evaluate("xcover.settled()") is False
    assert tab.page.evaluate("xcover.settled()") is True


def test_an_answer_lost_while_offline_holds_the_order(tab: Tab) -> None:
    tab.opens()
    expect(tab.yes).to_be_visible()
    tab.page.context.set_offline(True)
    tab.yes.check()
    expect(tab.page.get_by_role("alert")).to_be_visible()
    tab.page.context.set_offline(False)

    pay(tab)

    expect(tab.page.get_by_role("alert")).to_contain_text("Your order hasn't been placed yet.")
    assert FRONT.orders == []


def test_saving_one_answer_does_not_hide_that_another_is_unsaved(
    tab: Tab, shopper: Shopper
) -> None:
    FRONT.cart = shopper.cart.but(items=(ticket(reference="1"), ticket(reference="2")))
    tab.opens()
    tab.chooses_for_each_item()
    fails("/xcover/choose/")
    tab.items.nth(0).get_by_label("Yes").check()
    expect(tab.page.get_by_role("alert")).to_be_visible()
    FRONT.before = lambda request: None
    tab.items.nth(1).get_by_label("Yes").check()
    expect(tab.status).to_be_visible()

    pay(tab)

    expect(tab.page.get_by_role("alert")).to_contain_text("Your order hasn't been placed yet.")
    assert FRONT.orders == []


def test_an_answer_given_before_the_script_came_is_saved(tab: Tab, shopper: Shopper) -> None:
    shopper.sees()
    script: list[Route] = []

    def keep(route: Route) -> None:
        script.append(route)

    tab.page.route("**/xcover.js", keep)
    tab.page.goto(f"{tab.address}/checkout/", wait_until="commit")
    tab.yes.check()

    script[0].continue_()

    expect(tab.status).to_have_text("Saved: cover is added to your order.")
    shows(tab, "£127.89")


def test_a_page_that_is_not_the_offer_is_never_shown(tab: Tab) -> None:
    fails("/xcover/offer/", status=200)

    tab.opens()

    assert tab.hears("error") == {"status": 200}
    tab.reads_that_there_is_no_offer()


def test_the_script_works_where_trusted_types_are_required(tab: Tab) -> None:
    policy = "require-trusted-types-for 'script'; trusted-types xcover"

    def require(route: Route) -> None:
        answer = route.fetch()
        headers = {**answer.headers, "content-security-policy": policy}
        route.fulfill(response=answer, headers=headers)

    tab.page.route("**/checkout/", require)
    tab.opens()

    tab.yes.check()

    expect(tab.status).to_have_text("Saved: cover is added to your order.")
    assert tab.complaints == []


def test_where_the_script_is_blocked_a_link_leads_to_the_offer(tab: Tab) -> None:
    tab.page.route("**/xcover.js", lambda route: route.abort())

    tab.opens()

    link = tab.page.get_by_role("link", name="See the offer")
    expect(link).to_be_hidden()  # for four seconds, in which a slow script may come
    expect(link).to_be_visible(timeout=8000)
    expect(tab.page.locator(".xcover-waiting")).to_be_hidden()
    link.click()
    expect(tab.page.get_by_role("heading")).to_have_text("Insurance for your order")


def test_answers_to_all_and_to_one_before_the_script_came_are_asked_for_again(
    tab: Tab, shopper: Shopper
) -> None:
    FRONT.cart = shopper.cart = shopper.cart.but(items=(ticket("1"), ticket("2")))
    shopper.sees()
    script: list[Route] = []

    def keep(route: Route) -> None:
        script.append(route)

    tab.page.route("**/xcover.js", keep)
    tab.page.goto(f"{tab.address}/checkout/", wait_until="commit")
    tab.chooses_for_each_item()
    tab.items.first.get_by_label("Yes").check()
    tab.page.locator("#xcover-every").get_by_label("No").check()

    script[0].continue_()

    # In which order they were given is lost: the last one was a no to all.
    expect(tab.page.locator("html[data-heard-ready]")).to_be_attached()
    expect(tab.page.locator("[data-xcover-offer] input:checked")).to_have_count(0)
    tab.page.evaluate("xcover.settled()")
    assert not Decision.objects.exists()
    shows(tab, "£120.00")
