"""One purchase in a real browser, by a guest and by a customer with an account."""

from __future__ import annotations

import os
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from conftest import stock
from oscar.core.loading import get_model
from oscar.test.factories import create_voucher
from playwright.sync_api import Page, expect, sync_playwright

from django_xcover.models import Hold, QuotePackage, Status
from django_xcover.sandbox import Sandbox
from journeys.customer import ADDRESS
from tests.requirements import need_browser
from tests.serving import serving

pytestmark = pytest.mark.browser
Order = get_model("order", "Order")
Product = get_model("catalogue", "Product")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    path = need_browser()
    expect.set_options(timeout=30_000)
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright keeps an event loop in this thread, which Django takes for async code.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture
def page(
    chromium: Any, transactional_db: None, xcover_sandbox: Sandbox, django_user_model: Any
) -> Iterator[Page]:
    stock()
    create_voucher(code="TENNER")
    django_user_model.objects.create_user("ana", "ana@example.com", "secret")
    django_user_model.objects.create_superuser("boss", "boss@example.com", "secret")
    with serving() as address:
        context = chromium.new_context(base_url=address)
        context.set_default_timeout(15_000)
        yield context.new_page()
        context.close()


def logs_in(page: Page, email: str) -> None:
    page.goto("/accounts/login/")
    page.locator("#id_login-username").fill(email)
    page.locator("#id_login-password").fill("secret")
    presses(page, "button[name=login_submit]")


def presses(page: Page, button: str) -> None:
    """Press a button of a form, and wait for the page that it leads to."""
    with page.expect_navigation():
        page.locator(button).click()


def takes(page: Page, title: str) -> None:
    product = Product.objects.get(title=title)
    page.goto(product.get_absolute_url())
    presses(page, "#add_to_basket_form button")


def fills_in_address(page: Page) -> None:
    for name, value in ADDRESS.items():
        field = page.locator(f"#id_{name}")
        field.select_option(value) if name == "country" else field.fill(value)
    presses(page, "button:has-text('Continue')")


def answers_all(page: Page) -> None:
    page.locator("[data-xcover-quote]").first.wait_for()
    page.get_by_label("Yes, add cover").first.check()
    expect(page.get_by_role("status").first).to_contain_text("Saved")


def shown_total(page: Page) -> str:
    return page.locator("p.lead span[data-xcover-total]").inner_text()


def cancels(page: Page, line: Any) -> None:
    """Change the status of a line in the dashboard, as staff do."""
    page.context.clear_cookies()
    logs_in(page, "boss@example.com")
    page.goto(f"/dashboard/orders/{line.order.number}/")
    page.locator(f"input[name=selected_line][value='{line.pk}']").check()
    page.locator("input[name=line_action][value=change_line_statuses]").check()
    page.locator("#new_status_select").select_option("Cancelled")
    presses(page, "#order_lines_form button:has-text('Go!')")


@pytest.mark.parametrize("who", ["guest", "account"])
def test_two_lines_a_voucher_a_failed_payment_its_retry_and_a_cancelled_line(
    page: Page, who: str, work: Any
) -> None:
    if who == "account":
        logs_in(page, "ana@example.com")
    takes(page, "Aero 14")
    takes(page, "Pocket 6")
    page.goto("/basket/")
    page.locator("#voucher_form_link a").click()
    page.locator("#id_code").fill("TENNER")
    presses(page, "#voucher_form_container button[type=submit]")
    page.goto("/checkout/")
    if who == "guest":
        page.locator("#id_username").fill("gus@example.com")
        presses(page, "button:has-text('Continue')")
    fills_in_address(page)
    page.goto("/checkout/preview/")

    answers_all(page)
    # Oscar's table follows the answer, and agrees with the total at the button.
    expect(page.locator("#basket_totals")).to_contain_text("Insurance")
    total = shown_total(page)
    expect(page.locator("#basket_totals .price_color")).to_have_text(total)
    look(page, f"{who}-preview")
    page.get_by_role("button", name="Place order").click()
    expect(page.get_by_role("heading")).to_have_text(f"Pay {total}".replace(",", ""))

    page.get_by_role("button", name="Decline").click()
    expect(page.get_by_text("Your payment failed.")).to_be_visible()
    assert shown_total(page) == total
    page.get_by_role("button", name="Place order").click()
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_text("Your order has been placed")).to_be_visible()
    work()
    page.reload()

    order, package = Order.objects.get(), QuotePackage.objects.get()
    assert f"£{order.total_incl_tax:,.2f}" == total
    assert package.status == Status.CONFIRMED
    assert [hold.state for hold in Hold.objects.order_by("pk")] == ["released", "taken"]
    expect(page.locator(".xcover-policies")).to_contain_text("Aero 14")
    look(page, f"{who}-thank-you")
    page.goto("/xcover/mycover/")
    expect(page.locator("header.header")).to_be_visible()  # the shop's own
    page.get_by_role("link", name="Aero 14").click()
    expect(page.locator("h1")).to_contain_text("Aero 14")
    look(page, f"{who}-my-cover")

    cancels(page, order.lines.get(title="Pocket 6"))
    work()

    states = dict(package.quotes.values_list("label", "status"))
    assert states == {"Aero 14": Status.CONFIRMED, "Pocket 6": Status.CANCELLED}
    page.goto(f"/dashboard/orders/{order.number}/")
    assert Decimal(package.cancellations.get().total_refund) > 0
    expect(page.locator("#notes")).to_contain_text("is due to the customer")
    look(page, f"{who}-dashboard")
    page.get_by_role("link", name=f"Insurance of order {order.number}").click()
    expect(page.get_by_role("link", name="See this order in the shop")).to_be_visible()


def look(page: Page, name: str) -> None:
    """Keep a picture, if one is asked for by the variable LOOK."""
    if os.environ.get("LOOK"):
        page.screenshot(path=f"{os.environ['LOOK']}/{name}.png", full_page=True)
