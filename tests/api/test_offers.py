"""The offer and the answer to it, as JSON."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.core import serializers
from django.db import connection
from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.test import APIClient

from django_xcover.api import offers
from django_xcover.cover import hold_cover
from django_xcover.models import Decision, Quote, QuotePackage
from django_xcover.offers import quoting
from django_xcover.offers.carts import read_cart
from django_xcover.sandbox import Sandbox
from tests.api.conftest import ROOT, Program
from tests.checkout.conftest import vendor_says
from tests.checkout.test_plans import MONTHLY
from tests.shop import Cart, ticket
from tests.test_card_numbers import CARDS

pytestmark = pytest.mark.django_db


class TokenOfApp(BaseAuthentication):
    """A shop's own way to know its app."""

    def authenticate(self, request: Request) -> tuple[Any, str] | None:
        if request.headers.get("Authorization") != "Bearer app":
            return None
        from django.contrib.auth.models import User

        return User(username="app"), "app"


def answers(program: Program, **body: Any) -> Any:
    return program.posts("choice/", **({"quote": Quote.objects.get().quote_id} | body))


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize("field", ["quote", "choice", "plan", "shown", "template_version", "cvc"])
def test_a_card_number_in_any_field_is_refused_and_neither_stored_nor_logged(
    program: Program, card: str, field: str, caplog: pytest.LogCaptureFixture
) -> None:
    program.shopper.sees()
    with caplog.at_level(logging.DEBUG):
        response = answers(program, **({"choice": "yes"} | {field: card}))

    assert response.status_code == 400
    assert response.json()["code"] == "card_number_sent"
    assert response.json()["detail"].startswith("Please never send card numbers here.")
    assert field in response.json()["errors"]
    rows = [*QuotePackage.objects.all(), *Quote.objects.all(), *Decision.objects.all()]
    assert Quote.objects.get().choice == ""
    assert card not in serializers.serialize("json", rows) + caplog.text + response.content.decode()


def test_a_card_number_is_found_deep_inside_as_a_number_and_in_the_address(
    program: Program,
) -> None:
    deep = program.posts("choice/", details={"cards": [{"pan": 4242424242424242}]})
    address = program.gets("offer/?card=4242424242424242")

    assert deep.json()["errors"] == {"details.cards.pan": [deep.json()["detail"]]}
    assert (deep.status_code, address.status_code) == (400, 400)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{", "parse_error"),
        (b"[]", "parse_error"),
        (b'{"quote": NaN}', "parse_error"),
        (b'{"quote": "' + b"x" * 70_000 + b'"}', "parse_error"),
        (b"{}", "invalid"),
        (b'{"quote": {"a": 1}, "choice": "perhaps"}', "invalid"),
    ],
)
def test_a_request_that_is_not_as_documented_is_400(
    program: Program, body: bytes, kind: str
) -> None:
    response = program.client.post(ROOT + "choice/", body, content_type="application/json")

    assert response.status_code == 400
    assert response.json()["code"] == kind
    assert set(response.json()) == {"type", "title", "status", "detail", "code", "errors"}


def test_each_field_is_told_what_is_wrong_with_it(program: Program) -> None:
    errors = program.posts("choice/", choice="perhaps").json()["errors"]

    assert errors == {
        "quote": ["This field is required."],
        "choice": ['"perhaps" is not a valid choice.'],
    }


def test_other_media_and_methods_are_refused_in_the_same_words(program: Program) -> None:
    form = program.client.post(ROOT + "choice/", {"quote": "x"}, format="multipart")
    method = program.client.delete(ROOT + "offer/")

    assert (form.status_code, form.json()["code"]) == (415, "unsupported_media_type")
    assert (method.status_code, method.json()["code"]) == (405, "method_not_allowed")


def test_another_site_cannot_say_yes_for_a_guest(program: Program) -> None:
    program.shopper.sees()
    program.client = APIClient(enforce_csrf_checks=True)

    response = answers(program, choice="yes")

    assert response.status_code == 403
    assert response.json()["code"] == "csrf_failed"
    assert Quote.objects.get().choice == ""


def test_with_djangos_csrf_token_a_guest_can(program: Program) -> None:
    program.shopper.sees()
    token = "a" * 32
    program.client = APIClient(enforce_csrf_checks=True)
    program.client.cookies["csrftoken"] = token
    program.client.credentials(HTTP_X_CSRFTOKEN=token)

    assert answers(program, choice="yes").status_code == 200


def test_an_app_with_a_token_of_the_shops_needs_no_csrf_token(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    program.shopper.sees()
    seen: list[str] = []

    def note(request: Any) -> Any:
        seen.append(request.user.username)
        return read_cart(request)

    monkeypatch.setattr(offers, "read_cart", note)
    monkeypatch.setattr(offers.ChoiceView, "authentication_classes", [TokenOfApp])
    program.client = APIClient(enforce_csrf_checks=True)
    program.client.credentials(HTTP_AUTHORIZATION="Bearer app")

    assert answers(program, choice="no").status_code == 409  # another shopper's offer
    assert seen == ["app"]


def test_a_forged_quote_is_409_with_a_sentence(program: Program) -> None:
    program.shopper.sees()

    response = answers(program, quote="7b0c1f2e-3f55-4a0e-9a77-0d5a2f1c9e11", choice="yes")

    assert (response.status_code, response.json()["code"]) == (409, "offer_changed")
    assert "The offer has changed" in response.json()["detail"]


def test_an_older_offer_is_409(program: Program) -> None:
    program.shopper.sees()
    mark = program.gets("offer/").json()["quotes"][0]["shown"]
    vendor_says(price_formatted="£9.99")

    assert answers(program, choice="yes", shown=mark).status_code == 409


def test_an_emptied_cart_has_nothing_to_answer(program: Program) -> None:
    program.shopper.sees()
    program.front.cart = None

    assert answers(program, choice="yes").json()["code"] == "nothing_to_insure"


@pytest.mark.parametrize("fault", ["status", "reset"])
def test_without_an_offer_there_is_no_content_and_the_sale_goes_on(
    program: Program, sandbox: Sandbox, fault: str
) -> None:
    sandbox.faults.add("create_quote", fault, times=9)

    assert program.gets("offer/").status_code == 204

    program.front.cart = None
    assert program.gets("offer/").status_code == 204


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_xcover_is_asked(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside: list[bool] = []
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)

    def look(cart: object, *, again: bool) -> quoting.Look:
        inside.append(connection.in_atomic_block)
        return quoting.NOTHING

    monkeypatch.setattr(quoting, "look", look)

    program.gets("offer/")

    assert inside == [False]


@pytest.mark.parametrize(
    ("found", "address"),
    [
        (quoting.BEGUN, f"{ROOT}offer/?again=1"),
        (quoting.NOT_YET, f"{ROOT}offer/"),
    ],
    ids=["begun", "not begun"],
)
def test_an_offer_that_is_on_its_way_is_202_and_says_where_to_ask_again(
    program: Program, monkeypatch: pytest.MonkeyPatch, found: quoting.Look, address: str
) -> None:
    monkeypatch.setattr(quoting, "look", lambda cart, *, again: found)

    response = program.gets("offer/")

    assert response.status_code == 202
    assert response.headers["Retry-After"] == "1"
    assert response.headers["Location"] == address


def test_too_many_quotes_for_one_visitor_are_429_with_a_wait(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = quoting.Look(is_limited=True)
    monkeypatch.setattr(quoting, "look", lambda cart, *, again: found)

    response = program.gets("offer/")

    assert response.status_code == 429
    assert 0 < int(response.headers["Retry-After"]) <= 600


def test_the_offer_is_quoted_and_told_exactly(program: Program) -> None:
    response = program.gets("offer/")

    offer = response.json()
    quote = offer["quotes"][0]
    assert "no-store" in response["Cache-Control"]
    assert offer["is_answered"] is False
    assert offer["premium"]["amount"] == "0.00"
    assert quote["price"] == {
        "amount": "7.89",
        "minor_units": 789,
        "currency": "GBP",
        "formatted": "£7.89",
    }
    assert (quote["choice"], quote["plan"], quote["label"]) == ("", "", "Harbour Lights Festival")
    assert quote["benefits"][0]["limit"] == "£120.00"
    assert "security_token" not in response.content.decode()


def test_a_stored_offer_takes_one_query(program: Program, django_assert_num_queries: Any) -> None:
    program.shopper.sees()

    with django_assert_num_queries(1):
        program.gets("offer/")


def test_a_yes_that_is_sent_again_without_a_plan_keeps_it(program: Program) -> None:
    program.shopper.sees()
    vendor_says(instalment_plans=[{**MONTHLY, "amount": "7.89", "first_instalment_amount": "0.66"}])
    quote = Quote.objects.get().quote_id
    program.posts("choice/", quote=quote, choice="yes", plan="1year-monthly")

    again = program.posts("choice/", quote=quote, choice="yes")
    at_once = program.posts("choice/", quote=quote, choice="yes", plan="")

    assert again.json()["quotes"][0]["plan"] == "1year-monthly"
    assert at_once.json()["quotes"][0]["plan"] == ""


def test_a_yes_with_a_plan_is_on_record(program: Program) -> None:
    program.shopper.sees()
    vendor_says(instalment_plans=[{**MONTHLY, "amount": "7.89", "first_instalment_amount": "0.66"}])
    quote = program.gets("offer/").json()["quotes"][0]

    response = answers(
        program,
        choice="yes",
        plan="1year-monthly",
        shown=quote["shown"],
        template_version="app 4.2",
    )

    assert response.status_code == 200
    assert response.json()["premium"]["amount"] == "0.66"
    plan = response.json()["quotes"][0]["plans"][0]
    assert (plan["first"]["amount"], plan["parts"], plan["total"]["amount"]) == ("0.66", 12, "7.92")
    assert response.json()["quotes"][0]["due_today"]["amount"] == "0.66"
    decision = Decision.objects.get()
    assert (decision.instalment_plan, decision.template_version) == ("1year-monthly", "app 4.2")


@pytest.mark.parametrize(("currency", "decimals"), [("JPY", 0), ("KWD", 3)])
def test_money_is_exact_text_in_every_currency(
    program: Program, currency: str, decimals: int
) -> None:
    program.front.cart = program.shopper.cart.but(currency=currency, items=(ticket(price="133"),))

    price = program.gets("offer/").json()["quotes"][0]["price"]

    assert price["currency"] == currency
    assert len(price["amount"].partition(".")[2]) <= decimals
    assert price["amount"] == f"{Quote.objects.get().price.normalize():f}"


def test_an_answer_while_the_order_is_being_paid_is_refused_and_the_held_choice_shown(
    program: Program, request_for: Callable[[Cart], HttpRequest]
) -> None:
    program.shopper.says(yes=True)
    hold_cover(request_for(program.shopper.cart))

    response = answers(program, choice="no")

    assert response.status_code == 409
    assert response.json()["code"] == "being_paid"
    assert program.gets("offer/").json()["quotes"][0]["choice"] == "accepted"


def several(program: Program, *choices: str, shown: str = "") -> Any:
    quotes = program.gets("offer/").json()["quotes"]
    given = [
        {"quote": quote["quote_id"], "choice": choice, "shown": shown or quote["shown"]}
        for quote, choice in zip(quotes, choices, strict=True)
    ]
    return program.posts("choice/", answers=given)


@pytest.fixture
def two_items(program: Program) -> Program:
    """Return a program whose shopper has two items that were quoted."""
    items = (ticket("a"), ticket("b", price="90"))
    program.front.cart = program.shopper.cart = Cart(items=items)
    program.shopper.sees()
    return program


def test_several_answers_are_stored_all_or_none(two_items: Program) -> None:
    response = several(two_items, "yes", "no", shown="another")

    assert (response.status_code, response.json()["code"]) == (409, "offer_changed")
    assert not Decision.objects.exists()


def test_each_of_several_answers_is_checked(two_items: Program) -> None:
    errors = several(two_items, "yes", "perhaps").json()["errors"]

    assert any("choice" in name for name in errors), errors
    assert two_items.posts("choice/", answers=[]).status_code == 400


def test_one_post_answers_every_quote_of_an_offer(two_items: Program) -> None:
    offer = several(two_items, "yes", "no").json()

    assert [quote["choice"] for quote in offer["quotes"]] == ["accepted", "declined"]
    assert offer["is_answered"] is True
    assert offer["premium"] == offer["quotes"][0]["price"]
