"""From a cart to an offer."""

from __future__ import annotations

import logging
from datetime import timedelta
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest
from django.http import HttpRequest
from django.utils import timezone

from django_xcover.client import DeadlineExceeded, XCoverClient
from django_xcover.clients import factory
from django_xcover.models import Quote, QuotePackage
from django_xcover.offers import counts, quoting
from django_xcover.sandbox import Sandbox
from tests.conftest import ReadCart, Shopper, the_package
from tests.shop import Cart, laptop, ticket

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]


@pytest.mark.parametrize("fault", ["hang", "reset", "garbage", "throttle"])
def test_a_vendor_at_fault_means_no_offer_and_no_error(
    sandbox: Sandbox, read: ReadCart, fault: str
) -> None:
    sandbox.faults.add("create_quote", fault, times=None, seconds=0.05)

    offer = quoting.fresh_offer(read(Cart()))

    assert offer is None
    assert not QuotePackage.objects.exists()


def test_xcover_gets_a_little_less_than_the_shoppers_patience(
    sandbox: Sandbox, read: ReadCart, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.XCOVER = {**settings.XCOVER, "OFFER_DEADLINE": 1.0}
    left: list[float] = []

    def hang(self: XCoverClient, payload: Any, *, deadline: float) -> Any:
        left.append(deadline)
        raise DeadlineExceeded

    monkeypatch.setattr(XCoverClient, "create_quote", hang)

    assert quoting.fresh_offer(read(Cart())) is None
    assert 0 < left[0] <= 0.95


@pytest.mark.parametrize("status", [401, 403, 404, 422, 500, 503])
def test_a_refused_quote_means_no_offer_and_no_error(
    sandbox: Sandbox, read: ReadCart, status: int
) -> None:
    sandbox.faults.add("create_quote", "status", times=None, status=status)

    assert quoting.fresh_offer(read(Cart())) is None


def test_what_the_vendor_said_of_a_fault_is_not_logged_with_personal_data(
    sandbox: Sandbox, read: ReadCart, caplog: pytest.LogCaptureFixture
) -> None:
    body = {"type": "validation_error", "message": "ana@example.com is odd", "errors": {}}
    sandbox.faults.add("create_quote", "status", status=422, body=body)

    with caplog.at_level(logging.DEBUG):
        quoting.fresh_offer(read(Cart()))

    assert "No offer" in caplog.text
    assert "ana@example.com" not in caplog.text
    assert "sandbox-secret" not in caplog.text


def test_a_line_that_cannot_be_insured_is_left_out_of_the_offer(
    sandbox: Sandbox, read: ReadCart
) -> None:
    cart = Cart(items=(laptop(price="90000"), ticket()))

    offer = quoting.fresh_offer(read(cart))

    assert offer is not None
    assert [quote.label for quote in offer.quotes] == ["Harbour Lights Festival"]


def test_a_cart_of_which_nothing_can_be_insured_gets_no_offer(
    sandbox: Sandbox, read: ReadCart
) -> None:
    assert quoting.fresh_offer(read(Cart(items=(laptop(price="90000"),)))) is None


def test_each_line_gets_its_own_quote_in_the_order_of_the_cart(
    sandbox: Sandbox, read: ReadCart
) -> None:
    offer = quoting.fresh_offer(read(Cart(items=(laptop(), ticket()))))

    assert offer is not None
    assert [quote.label for quote in offer.quotes] == ["Aero 14", "Harbour Lights Festival"]
    at_xcover = sandbox.package(offer.package_id)
    by_id = {quote["id"]: quote for quote in _quotes(at_xcover)}
    for shown in offer.quotes:
        assert shown.price.amount == Decimal(str(by_id[shown.quote_id]["price"]))
        assert isinstance(shown.price.amount, Decimal)
        assert shown.choice == ""


def test_the_same_cart_is_quoted_once(sandbox: Sandbox, read: ReadCart) -> None:
    first = quoting.fresh_offer(read(Cart()))
    second = quoting.fresh_offer(read(Cart()))

    assert first == second
    assert len(sandbox.calls("create_quote")) == 1


def test_a_stored_offer_costs_one_query_and_no_call(
    shopper: Shopper, sandbox: Sandbox, read: ReadCart, django_assert_num_queries: Any
) -> None:
    shopper.sees()
    before = len(sandbox.calls())

    with django_assert_num_queries(1):
        offer = quoting.stored_offer(HttpRequest(), read(shopper.cart))

    assert offer is not None
    assert len(sandbox.calls()) == before


def test_a_first_offer_costs_seven_queries_besides_its_count(
    sandbox: Sandbox,
    read: ReadCart,
    django_assert_num_queries: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(counts, "write", lambda: None)

    with django_assert_num_queries(7):
        assert quoting.look(read(Cart(items=(ticket(), laptop())))).offer is not None


@pytest.mark.parametrize(
    "change",
    [{"language": "de"}, {"country": "DE"}, {"currency": "EUR"}],
    ids=["language", "country", "currency"],
)
def test_another_language_country_or_currency_is_quoted_anew(
    shopper: Shopper, sandbox: Sandbox, change: dict[str, str]
) -> None:
    shopper.says(yes=True)
    shopper.cart = shopper.cart.but(**change)

    offer = shopper.sees()

    assert len(sandbox.calls("create_quote")) == 2
    assert offer.quotes[0].choice == ""


def test_another_shopper_gets_a_quote_of_their_own(
    shopper: Shopper, sandbox: Sandbox, read: ReadCart, monkeypatch: pytest.MonkeyPatch
) -> None:
    shopper.says(yes=True)
    monkeypatch.setattr("tests.shop.Adapter.get_shopper_reference", lambda *_: "user:7")

    offer = quoting.fresh_offer(read(shopper.cart))

    assert offer is not None
    assert offer.quotes[0].choice == ""
    assert QuotePackage.objects.count() == 2


def test_an_old_quote_is_not_shown_again(shopper: Shopper, sandbox: Sandbox) -> None:
    shopper.says(yes=True)
    QuotePackage.objects.update(quoted_at=timezone.now() - timedelta(hours=2))

    offer = shopper.sees()

    assert offer.quotes[0].choice == ""
    assert len(sandbox.calls("create_quote")) == 2


def test_a_quote_that_became_an_order_is_never_offered_again(
    shopper: Shopper, sandbox: Sandbox
) -> None:
    shopper.says(yes=True)
    QuotePackage.objects.update(order_reference="ORD-1")

    assert shopper.sees().package_id != QuotePackage.objects.earliest("pk").package_id


def test_the_mirror_keeps_what_is_filtered_and_the_answer_beside_it(
    shopper: Shopper, sandbox: Sandbox
) -> None:
    shopper.sees()

    package, quote = the_package(), Quote.objects.get()
    at_xcover = sandbox.package(package.package_id)
    assert package.status == "RECEIVED"
    assert package.currency == "GBP"
    assert "quotes" not in package.payload
    assert package.payload["pds_url"].endswith(f"/pds/{package.package_id}")
    assert str(package.total_price.normalize()) == str(at_xcover["total_price"].normalize())
    assert quote.line_reference == "ticket"
    assert quote.policy_end_date is not None
    assert quote.policy_end_date.isoformat() == "2030-06-20T19:30:00+00:00"


@pytest.mark.django_db(transaction=True)
def test_a_new_quote_under_an_old_id_costs_the_offer_and_not_the_checkout(
    shopper: Shopper, read: ReadCart, caplog: pytest.LogCaptureFixture
) -> None:
    shopper.sees()
    taken = the_package().package_id
    client = factory.client_for("default")
    create = client.create_quote

    def under_the_old_id(*args: Any, **options: Any) -> Any:
        answer = create(*args, **options)
        answer["id"] = taken
        return answer

    with mock.patch.object(client, "create_quote", under_the_old_id):
        assert quoting.fresh_offer(read(Cart(reference="cart-2"))) is None

    assert QuotePackage.objects.count() == 1
    assert "id of a stored package" in caplog.text


def _quotes(package: dict[str, Any]) -> list[dict[str, Any]]:
    quotes = package["quotes"]
    return list(quotes.values()) if isinstance(quotes, dict) else list(quotes)
