"""Several items on one card: one line each, one answer to all or an answer to each."""

from __future__ import annotations

from typing import Any

import pytest

from django_xcover.models import Decision, Quote
from tests.checkout.conftest import Visitor
from tests.checkout.page import Page
from tests.conftest import Shopper
from tests.shop import Cart, laptop, named, ticket

pytestmark = pytest.mark.django_db

ITEMS = ("Harbour Lights Festival", "Jazz on the Quay", "Opera Night", "City Marathon", "Book Fair")


def fragment(visitor: Visitor) -> Page:
    return visitor.opens("/xcover/offer/")


@pytest.fixture
def shopper(shopper: Shopper) -> Shopper:
    """Put five items into the cart."""
    shopper.cart = Cart(items=tuple(named(str(n), name) for n, name in enumerate(ITEMS)))
    return shopper


def all_of(page: Page) -> dict[str, Any]:
    """Return what the form that answers all sends, without the answer."""
    (form,) = [form for form in page.all("form") if "data-xcover-every" in form]
    hidden = [e for e in page.all("input", type="hidden") if form in e.inside]
    return {name: [e["value"] for e in hidden if e["name"] == name] for name in ("quote", "shown")}


def test_an_offer_that_changed_meanwhile_keeps_every_answer_out(visitor: Visitor) -> None:
    visitor.is_offered()
    sent = all_of(fragment(visitor))
    sent["shown"][3] = "of another price"

    answer = visitor.sends(choice="yes", **sent)

    assert answer.status_code == 409
    assert "has changed" in answer.json()["error"]
    assert not Decision.objects.exists()


def test_more_hashes_than_quotes_are_not_guessed_at(visitor: Visitor) -> None:
    visitor.is_offered()
    sent = all_of(fragment(visitor))

    answer = visitor.sends(choice="yes", quote=sent["quote"][:2], shown=sent["shown"])

    assert answer.status_code == 400
    assert not Decision.objects.exists()


def test_each_item_is_one_line_with_its_price_and_its_wording(visitor: Visitor) -> None:
    visitor.is_offered()
    page = fragment(visitor)

    (lines,) = [ul for ul in page.all("ul") if ul.attributes.get("class") == "xcover-lines"]
    items = [li.text for li in page.all("li") if lines in li.inside]
    assert len(items) == len(ITEMS)
    for name, item in zip(ITEMS, items, strict=True):
        assert item.startswith(name)
        assert "£" in item
        assert "wording" in item


def test_nothing_is_ticked_before_an_answer(visitor: Visitor) -> None:
    visitor.is_offered()
    assert fragment(visitor).ticked == []


@pytest.mark.parametrize(("choice", "stored"), [("yes", "accepted"), ("no", "declined")])
def test_one_answer_counts_for_all(visitor: Visitor, choice: str, stored: str) -> None:
    visitor.is_offered()

    answer = visitor.sends(choice=choice, **all_of(fragment(visitor))).json()

    assert {quote.choice for quote in Quote.objects.all()} == {stored}
    assert len(answer["quotes"]) == len(ITEMS)
    assert answer["answered"] is True
    assert Page(answer["html"]).ticked.count(choice) == len(ITEMS) + 1


def test_the_price_in_the_headline_is_what_a_yes_to_all_costs(visitor: Visitor) -> None:
    offer = visitor.is_offered()
    page = fragment(visitor)
    total = sum(quote.price.amount for quote in offer.quotes)

    assert f"Protect these 5 items for £{total:.2f}" in [e.text for e in page.all("legend")]
    answer = visitor.sends(choice="yes", **all_of(page)).json()
    assert answer["premiumFormatted"] == f"£{total:.2f}"


def test_answers_that_differ_are_shown_with_each_item(visitor: Visitor) -> None:
    offer = visitor.is_offered()
    visitor.sends(choice="yes", **all_of(fragment(visitor)))

    visitor.shopper.posts(offer.quotes[1].quote_id, yes=False)

    page = fragment(visitor)
    assert page.ticked == ["yes", "no", "yes", "yes", "yes"]
    assert "open" in page.one("details", id="xcover-each")


def test_without_a_script_one_answer_to_all_leads_back_to_the_checkout(visitor: Visitor) -> None:
    visitor.is_offered()
    sent = all_of(fragment(visitor))

    answer = visitor.posts(choice="no", next="/checkout/", **sent)

    assert answer.status_code == 303
    assert {quote.choice for quote in Quote.objects.all()} == {"declined"}


@pytest.mark.parametrize("shown", [[], [0], [0, 0, 1, 2, 3]])
def test_several_answers_each_need_the_hash_of_their_own_offer(
    visitor: Visitor, shown: list[int]
) -> None:
    visitor.is_offered()
    sent = all_of(fragment(visitor))

    answer = visitor.sends(
        choice="yes", quote=sent["quote"], shown=[sent["shown"][index] for index in shown]
    )

    assert answer.status_code in {400, 409}
    assert not Decision.objects.exists()


def test_two_answers_to_one_quote_are_not_guessed_at(visitor: Visitor) -> None:
    visitor.is_offered()
    sent = all_of(fragment(visitor))
    twice: dict[str, Any] = {name: [values[0], values[0]] for name, values in sent.items()}

    assert visitor.sends(choice="yes", **twice).status_code == 400


def test_a_yes_to_all_keeps_the_plan_that_was_chosen_for_one(
    visitor: Visitor, settings: Any
) -> None:
    settings.XCOVER = {**settings.XCOVER, "OFFER_INSTALMENTS": True}
    visitor.front.cart = visitor.shopper.cart = Cart(items=(laptop(), ticket()))
    offer = visitor.is_offered()
    plan = offer.quotes[0].plans[0].name
    visitor.shopper.posts(offer.quotes[0].quote_id, yes=True, plan=plan)

    visitor.sends(choice="yes", **all_of(fragment(visitor)))

    assert [(q.choice, q.instalment_plan) for q in Quote.objects.order_by("pk")] == [
        ("accepted", plan),
        ("accepted", ""),
    ]


def test_a_refund_is_promised_only_where_it_holds_for_every_item(
    visitor: Visitor, settings: Any
) -> None:
    words = {"": {"refund_days": 14}, "product_insurance": {"refund_days": 0}}
    settings.XCOVER = {**settings.XCOVER, "OFFER_WORDS": words}
    visitor.front.cart = visitor.shopper.cart = Cart(items=(laptop(), ticket()))
    visitor.is_offered()

    page = fragment(visitor)

    assert "Full refund" not in page.one("p", id="xcover-every-about").text
    assert "Full refund within 14 days." in page.html
