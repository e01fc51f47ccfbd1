"""The shopper's answer over HTTP: what is refused, and what a yes or no leads to."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.http import HttpRequest
from django.test import Client

from django_xcover.checkout.presenters import TEMPLATE_VERSION
from django_xcover.cover import hold_cover
from django_xcover.models import Decision, Quote, QuotePackage
from django_xcover.sandbox import Sandbox
from tests.checkout.conftest import AS_SCRIPT, Visitor, calls
from tests.checkout.page import Page
from tests.conftest import ReadCart, Shopper
from tests.shop import Cart, laptop, ticket

pytestmark = pytest.mark.django_db

FORGED = "7b0c1f2e-3f55-4a0e-9a77-0d5a2f1c9e11"
CHANGED = "The offer has changed since you opened this page. Please choose again."


def test_an_answer_without_a_csrf_token_is_refused(visitor: Visitor) -> None:
    quote = visitor.is_offered().quotes[0]
    visitor.client = Client(enforce_csrf_checks=True)

    response = visitor.posts(quote=quote.quote_id, choice="yes")

    assert response.status_code == 403
    assert not Decision.objects.exists()


def test_the_form_of_the_page_carries_the_token_that_is_asked_for(visitor: Visitor) -> None:
    visitor.is_offered()
    visitor.client = Client(enforce_csrf_checks=True)
    page = visitor.opens("/xcover/offer/")
    fields = {field["name"]: field["value"] for field in page.all("input", type="hidden")}

    response = visitor.posts(**fields, choice="yes")

    assert response.status_code == 303
    assert Decision.objects.get().choice == "accepted"


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_an_answer_is_posted_and_nothing_else(visitor: Visitor, method: str) -> None:
    assert getattr(visitor.client, method)("/xcover/choose/").status_code == 405


def test_a_forged_quote_id_is_refused_and_the_offer_shown_again(visitor: Visitor) -> None:
    visitor.is_offered()

    response = visitor.sends(quote=FORGED, choice="yes")

    answer = response.json()
    assert response.status_code == 409
    assert answer["error"] == CHANGED
    page = Page(answer["html"])
    assert page.errors == [CHANGED]
    assert page.ticked == []
    assert len(page.all("form")) == 1
    assert not Decision.objects.exists()


def test_another_shoppers_quote_is_refused_and_left_alone(visitor: Visitor, read: ReadCart) -> None:
    theirs = Shopper(Cart(reference="cart-2"), read).sees().quotes[0].quote_id
    visitor.is_offered()

    response = visitor.posts(quote=theirs, choice="yes")

    assert response.status_code == 409
    assert Quote.objects.get(quote_id=theirs).choice == ""


@pytest.mark.parametrize("choice", ["", "maybe", "YES", "true", "1"])
def test_an_odd_answer_is_asked_again_at_its_own_question(visitor: Visitor, choice: str) -> None:
    quote = visitor.is_offered().quotes[0]

    response = visitor.posts(quote=quote.quote_id, choice=choice)

    page = Page(response.content)
    assert response.status_code == 400
    assert page.errors == ["Please choose yes or no."]
    described_by = page.one("fieldset")["aria-describedby"].split()
    assert page.one("p", role="alert")["id"] in described_by
    assert not Decision.objects.exists()


@pytest.mark.parametrize("quote", ["", "x" * 65, "a\x00b"])
def test_an_unreadable_quote_id_is_a_bad_request(visitor: Visitor, quote: str) -> None:
    visitor.is_offered()

    response = visitor.sends(quote=quote, choice="yes")

    assert response.status_code == 400
    assert response.json()["error"]


def test_an_empty_post_is_answered_with_a_sentence(visitor: Visitor) -> None:
    visitor.is_offered()

    response = visitor.posts()

    assert response.status_code == 400
    assert "answer again" in Page(response.content).errors[0]


def test_an_answer_for_an_emptied_cart_is_refused_with_a_sentence(visitor: Visitor) -> None:
    quote = visitor.is_offered().quotes[0]
    visitor.front.cart = None

    response = visitor.sends(quote=quote.quote_id, choice="yes")

    assert response.status_code == 409
    answer = response.json()
    assert answer["error"] == "There is nothing left in your cart to insure."
    assert answer["error"] in Page(answer["html"]).errors


def test_an_answer_after_the_order_is_refused_and_nothing_is_quoted_again(
    visitor: Visitor, sandbox: Sandbox
) -> None:
    quote = visitor.is_offered().quotes[0]
    QuotePackage.objects.update(order_reference="ORD-1")
    before = calls(sandbox)

    response = visitor.posts(quote=quote.quote_id, choice="no")

    page = Page(response.content)
    assert response.status_code == 409
    assert "already been placed" in page.errors[0]
    assert page.all("form") == []
    assert calls(sandbox) == before


def test_an_answer_to_a_changed_cart_brings_the_new_offer(visitor: Visitor) -> None:
    quote = visitor.is_offered().quotes[0]
    visitor.front.cart = visitor.shopper.cart.but(items=(ticket(price="80"),))

    response = visitor.sends(quote=quote.quote_id, choice="yes")

    page = Page(response.json()["html"])
    assert response.status_code == 409
    assert page.ticked == []
    assert quote.price_formatted not in page.html
    assert not Decision.objects.exists()


def test_a_refusal_while_xcover_is_down_still_says_what_happened(
    visitor: Visitor, sandbox: Sandbox
) -> None:
    quote = visitor.is_offered().quotes[0]
    visitor.front.cart = visitor.shopper.cart.but(items=(ticket(price="80"),))
    sandbox.faults.add("create_quote", "reset", times=None)
    sandbox.faults.add("update_quote", "reset", times=None)

    response = visitor.posts(quote=quote.quote_id, choice="yes", next="/checkout/")

    page = Page(response.content)
    assert response.status_code == 409
    assert page.errors == [CHANGED]
    assert page.all("a", href="/checkout/")


def test_a_yes_to_a_price_that_another_tab_replaced_is_taken_back(visitor: Visitor) -> None:
    visitor.is_offered()
    fields = _hidden_fields(visitor.opens("/xcover/offer/"))
    Quote.objects.update(price=Decimal("99.99"))

    response = visitor.posts(**fields, choice="yes")

    assert response.status_code == 409
    assert Page(response.content).errors == [CHANGED]
    assert not Decision.objects.exists()
    assert Quote.objects.get().choice == ""


def test_an_offer_quoted_for_this_very_page_can_be_answered(visitor: Visitor) -> None:
    fields = _hidden_fields(visitor.opens("/xcover/offer/"))

    response = visitor.sends(**fields, choice="no")

    assert response.status_code == 200


def test_a_price_in_the_post_is_not_looked_at(visitor: Visitor) -> None:
    quote = visitor.is_offered().quotes[0]

    response = visitor.sends(
        quote=quote.quote_id,
        choice="yes",
        price="0.01",
        premium="0.01",
        currency="USD",
    )

    assert Decision.objects.get().price == quote.price.amount
    assert response.json()["premium"] == "7.89"
    assert response.json()["currency"] == "GBP"


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example",
        "http:///evil.example/",
        "javascript:alert(1)",
        "https:evil.example",
        " //evil.example",
        "",
    ],
)
def test_no_answer_leads_to_another_site(visitor: Visitor, address: str) -> None:
    quote = visitor.is_offered().quotes[0]

    response = visitor.posts(quote=quote.quote_id, choice="no", next=address)

    assert response["Location"] == "/xcover/offer/page/#xcover-offer"


def test_the_plain_form_leads_back_to_where_the_shopper_was(visitor: Visitor) -> None:
    quote = visitor.is_offered().quotes[0]

    response = visitor.posts(quote=quote.quote_id, choice="yes", next="/checkout/?step=2#pay")

    assert response.status_code == 303
    assert response["Location"] == "/checkout/?step=2#xcover-offer"
    page = visitor.opens("/checkout/?step=2")
    assert page.ticked == ["yes"]
    assert page.one("p", role="status").text == "Saved: cover is added to your order."


def test_a_refused_plain_form_keeps_the_way_back(visitor: Visitor) -> None:
    visitor.is_offered()

    response = visitor.posts(quote=FORGED, choice="yes", next="/checkout/")

    page = Page(response.content)
    assert page.one("title").text.startswith("Error:")
    assert page.one("input", name="next")["value"] == "/checkout/"
    assert page.all("a", href="/checkout/")


def test_the_script_learns_what_the_order_costs_now(visitor: Visitor) -> None:
    quote = visitor.is_offered().quotes[0]

    response = visitor.sends(quote=quote.quote_id, choice="yes")

    assert response.status_code == 200
    assert response.json() == {
        "quote": quote.quote_id,
        "quotes": [quote.quote_id],
        "choice": "accepted",
        "plan": "",
        "message": "Saved: cover is added to your order.",
        "premium": "7.89",
        "premiumFormatted": quote.price_formatted,
        "currency": "GBP",
        "answered": True,
    }


def test_two_premiums_are_summed_and_written_for_the_reader(visitor: Visitor) -> None:
    visitor.front.cart = visitor.shopper.cart = Cart(items=(ticket(), laptop()))
    first, second = visitor.is_offered().quotes
    visitor.sends(quote=first.quote_id, choice="yes")

    response = visitor.sends(quote=second.quote_id, choice="yes")

    answer = response.json()
    total = first.price.amount + second.price.amount
    assert Decimal(answer["premium"]) == total
    assert answer["premiumFormatted"] == f"£{total:.2f}"


def test_a_change_of_mind_counts(visitor: Visitor) -> None:
    quote = visitor.is_offered().quotes[0]
    visitor.sends(quote=quote.quote_id, choice="yes")

    response = visitor.sends(quote=quote.quote_id, choice="no")

    assert response.json()["choice"] == "declined"
    assert Decimal(response.json()["premium"]) == 0


def test_which_template_showed_the_offer_is_on_record(visitor: Visitor) -> None:
    quote = visitor.is_offered().quotes[0]

    visitor.posts(quote=quote.quote_id, choice="no")

    assert Decision.objects.get().template_version == TEMPLATE_VERSION


def test_no_answer_is_kept_by_a_cache_on_the_way(visitor: Visitor) -> None:
    quote = visitor.is_offered().quotes[0]

    response = visitor.client.post(
        "/xcover/choose/", {"quote": quote.quote_id, "choice": "no"}, headers=AS_SCRIPT
    )

    assert "no-store" in response["Cache-Control"]


def _hidden_fields(page: Page) -> dict[str, str]:
    return {field["name"]: field["value"] for field in page.all("input", type="hidden")}


def test_an_answer_while_the_order_is_being_paid_is_refused_and_the_held_choice_shown(
    visitor: Visitor, request_for: Callable[[Cart], HttpRequest]
) -> None:
    quote = visitor.is_offered().quotes[0]
    visitor.sends(quote=quote.quote_id, choice="yes")
    hold_cover(request_for(visitor.shopper.cart))

    response = visitor.sends(quote=quote.quote_id, choice="no")

    answer = response.json()
    assert response.status_code == 409
    assert answer["error"].startswith("Your order is being paid")
    assert Page(answer["html"]).ticked == ["yes"]
    assert Quote.objects.get().choice == "accepted"
