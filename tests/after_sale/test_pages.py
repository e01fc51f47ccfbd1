"""The order's page, the page behind the signed link, and the answers posted to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import pytest
import time_machine
from django.core import signing
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_xcover import payments
from django_xcover.offers import after_sale_links
from django_xcover.sandbox import Sandbox
from tests.after_sale.conftest import DAYS, Late, PayingAdapter, the_row
from tests.checkout.page import Page
from tests.checkout.shopfront import render
from tests.shop import laptop, ticket

pytestmark = pytest.mark.django_db

GOOD_CARD = "4242 4242 4242 4242"


def block(late: Late) -> Page:
    """Return what the tag renders on the page of the order."""
    context: dict[str, object] = {"order": late.order}
    return Page(render("{% xcover_after_sale order %}", context, late.request))


def fields_of(page: Page, **answer: Any) -> dict[str, Any]:
    """Return what the page's form posts."""
    hidden = page.all("input", type="hidden")
    names = ("quote", "shown", "next")
    return {name: [i["value"] for i in hidden if i["name"] == name] for name in names} | answer


def buttons(page: Page) -> list[tuple[str, str]]:
    return [(button["value"], button.text) for button in page.all("button")]


@pytest.mark.parametrize("token", ["nonsense", signing.dumps("ORD-1", salt="another")])
def test_a_forged_link_is_not_found(late: Late, token: str) -> None:
    late.orders()

    response = late.client.get(f"/xcover/after-sale/{token}/")

    assert response.status_code == HTTPStatus.NOT_FOUND
    assert "This link is not complete" in response.content.decode()


def test_a_link_to_an_unknown_order_is_not_found(late: Late) -> None:
    path = after_sale_links.path("ORD-404")

    assert late.client.get(path).status_code == HTTPStatus.NOT_FOUND


def test_a_link_expires_with_the_offer(late: Late) -> None:
    late.orders()
    path = late.path

    with time_machine.travel(timezone.now() + timedelta(days=DAYS, minutes=1)):
        response = late.client.get(path)

    assert response.status_code == HTTPStatus.GONE


def test_the_page_of_an_order_without_an_offer_has_no_place_for_one(late: Late) -> None:
    assert block(late).html.strip() == ""


def test_after_a_no_there_is_no_place(late: Late) -> None:
    late.orders()
    page = late.opens()
    answer = late.posts(**fields_of(page, choice="no", next="/orders/ORD-1/"))

    assert (answer.status_code, answer["Location"]) == (HTTPStatus.SEE_OTHER, "/orders/ORD-1/")
    assert block(late).html.strip() == ""
    assert "no cover is added" in late.opens().html


def test_the_place_has_a_script_and_a_link_and_makes_no_call(late: Late, sandbox: Sandbox) -> None:
    late.orders()
    before = len(sandbox.calls())

    page = block(late)

    assert page.one("a").text == "See the offer"
    assert page.one("script")["data-offer"].endswith("/offer/?next=%2Forders%2FORD-1%2F")
    assert len(sandbox.calls()) == before
    fragment = late.client.get(page.one("script")["data-offer"])
    assert fragment["X-XCover"] == "1"
    assert "no-store" in fragment["Cache-Control"]
    assert "Protect your tickets" in fragment.content.decode()


def test_without_an_offer_the_script_gets_nothing(late: Late, sandbox: Sandbox) -> None:
    late.orders()
    sandbox.faults.add("fast_quote", "reset", times=None)

    assert late.client.get(f"{late.path}offer/").status_code == HTTPStatus.NO_CONTENT
    assert "No insurance is available" in late.opens().html


def test_a_visitor_who_asked_for_too_many_prices_is_asked_to_wait(
    late: Late, settings: Any
) -> None:
    late.orders()
    settings.XCOVER = {**settings.XCOVER, "VISITOR_QUOTES": 0}

    response = late.client.get(f"{late.path}offer/")

    assert response.status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert int(response["Retry-After"]) > 0
    page = late.client.get(late.path)
    assert page.status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert "Too many requests" in page.content.decode()


def test_a_stored_offer_is_on_the_page_without_a_script(late: Late) -> None:
    late.orders()
    late.sees()

    page = block(late)

    assert page.all("script") == []
    assert page.one("legend").text.startswith("Protect your tickets to Harbour Lights Festival")


def test_yes_and_no_are_equal_and_nothing_is_chosen(late: Late) -> None:
    late.orders()
    page = late.opens()

    yes, no = page.all("button")
    assert yes["class"] == no["class"]
    assert buttons(page)[0][1].startswith("Yes, add cover for £")
    assert page.ticked == []
    assert page.all("input", checked="") == []


def test_the_card_has_the_documents_of_the_checkout(late: Late) -> None:
    late.orders()
    page = late.opens()

    links = [link.text for link in page.all("a", class_="xcover-link")]
    assert any("Policy wording" in text for text in links)
    assert "Full cover details" in page.html


def test_a_yes_leads_to_the_payment(late: Late) -> None:
    late.orders()
    answer = late.posts(**fields_of(late.opens(), choice="yes"))

    due = payments.of_after_sale(the_row())
    assert due is not None
    assert answer.status_code == HTTPStatus.SEE_OTHER
    assert answer["Location"] == f"/pay/after_sale/{due.reference}/"


def test_a_browser_sets_no_price(late: Late) -> None:
    late.orders()
    free = {"price": "0.01", "premium": "0.01", "amount": "0.01", "currency": "JPY"}
    late.posts(**fields_of(late.opens(), choice="yes"), **free)

    seen = late.sees()
    assert seen is not None
    assert seen.premium == seen.offer.quotes[0].price


def test_a_yes_that_is_not_paid_shows_the_payment_and_a_no(late: Late) -> None:
    late.orders()
    late.accepts()

    page = block(late)

    due = payments.of_after_sale(the_row())
    assert due is not None
    assert page.one("a")["href"] == f"/pay/after_sale/{due.reference}/"
    assert [value for value, _ in buttons(page)] == ["no"]
    assert "We'll book it when you've paid" in page.html.replace("&#x27;", "'")


def test_a_paid_order_shows_its_cover_on_the_page_and_nothing_in_the_place(late: Late) -> None:
    late.orders()
    late.pays(late.accepts())

    assert block(late).html.strip() == ""
    assert "Your cover is booked." in late.opens().html


def test_a_yes_to_an_offer_that_was_replaced_shows_the_new_one(late: Late) -> None:
    late.orders()
    fields = fields_of(late.opens(), choice="yes")
    PayingAdapter.wanted = staticmethod(dearer)
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        answer = late.posts(**fields)

    page = Page(answer.content)
    assert answer.status_code == HTTPStatus.CONFLICT
    assert page.errors == ["The offer has changed since you opened this page. Please choose again."]
    assert fields_of(page)["shown"] != fields["shown"]
    assert the_row().choice == ""


def dearer(quoted: Any) -> Any:
    return replace(quoted, items=(ticket(price="90"),))


def test_a_yes_after_the_order_was_cancelled_says_so(late: Late) -> None:
    late.orders()
    fields = fields_of(late.opens(), choice="yes")
    late.cancels()

    answer = late.posts(**fields)

    assert answer.status_code == HTTPStatus.CONFLICT
    assert Page(answer.content).errors == ["Cover can't be added to this order any more."]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"choice": "yes", "quote": []}, "Please choose yes or no."),
        ({"choice": ""}, "Please choose yes or no."),
        ({"choice": "yes", "shown": [GOOD_CARD]}, "Please never send card numbers here."),
    ],
)
def test_an_unreadable_answer_is_refused_with_the_offer(
    late: Late, answer: dict[str, Any], error: str
) -> None:
    late.orders()
    response = late.posts(**fields_of(late.opens()) | answer)

    page = Page(response.content)
    assert response.status_code == HTTPStatus.BAD_REQUEST
    assert page.errors[0].startswith(error)
    assert page.all("legend")
    assert the_row().choice == ""


def test_a_link_to_another_site_is_not_followed(late: Late) -> None:
    late.orders()
    fields = fields_of(late.opens(), choice="no", next="https://evil.example/")

    assert late.posts(**fields)["Location"] == late.path


def test_several_items_are_one_card_with_a_choice_for_each(late: Late) -> None:
    late.shopper.cart = late.shopper.cart.but(items=(ticket(), laptop()))
    late.shopper.sees()
    late.orders(yes=None)
    page = late.opens()

    boxes = page.all("input", type="checkbox")
    assert [box for box in boxes if "checked" in box] == []
    assert [value for value, _ in buttons(page)] == ["yes", "no", "yes"]
    fields = {"shown": fields_of(page)["shown"][0], "quote": boxes[1]["value"], "choice": "yes"}
    assert late.posts(**fields).status_code == HTTPStatus.SEE_OTHER
    assert the_row().lines == ["laptop"]


def test_the_page_of_an_order_reads_little(late: Late) -> None:
    late.orders()
    late.sees()
    with CaptureQueriesContext(connection) as offered:
        block(late)
    late.accepts()
    with CaptureQueriesContext(connection) as accepted:
        block(late)

    assert (len(offered), len(accepted)) == (3, 5)
