"""The package that XCover's element quotes in the browser is never believed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import Client

from django_xcover.mirror.presentation import Offer
from django_xcover.models import QuotePackage
from django_xcover.offers import elements
from django_xcover.offers.carts import CartToInsure
from django_xcover.sandbox import Sandbox
from tests.conftest import ReadCart, Shopper
from tests.shop import laptop, ticket

pytestmark = pytest.mark.django_db
Quoted = Callable[..., str]


@pytest.fixture
def cart(shopper: Shopper, read: ReadCart) -> CartToInsure:
    """Return Ana's cart, for which the server has its own offer."""
    shopper.sees()
    return read(shopper.cart)


@pytest.fixture
def quoted(sandbox: Sandbox, cart: CartToInsure) -> Quoted:
    """Return what quotes in the browser: the element's request, changed or not; returns the id."""

    def quote(partner: str = "SHOP1", **changes: Any) -> str:
        request = json.loads(elements.quote_request(cart))
        request["request"][0] |= changes.pop("item", {})
        response = Client(sandbox.wsgi_app).post(
            f"/xce/quotes?partner={partner}", data=json.dumps({**request, **changes})
        )
        assert response.status_code == 201, response.text
        package_id: str = response.get_json()["id"]
        return package_id

    return quote


def the_packages() -> list[str]:
    return list(QuotePackage.objects.order_by("pk").values_list("package_id", flat=True))


def adopted(cart: CartToInsure, package_id: str) -> Offer | None:
    """Return what is adopted; nothing else may change if nothing is."""
    before = the_packages()
    offer = elements.adopt(cart, package_id)
    assert the_packages() == (before if offer is None else [*before, package_id])
    return offer


@pytest.mark.parametrize(
    "changes",
    [
        {"item": {"tickets": [{"price": 1}, {"price": 1}]}},
        {"item": {"tickets": [{"price": 60}], "number_of_tickets": 1}},
        {"item": {"event_datetime": "2031-06-20T19:30:00Z"}},
        {"item": {"partner_price": 0.5}},
        {"customer_country": "JP"},
        {"currency": "JPY"},
        {"customer_language": "de"},
    ],
    ids=str,
)
def test_a_request_that_was_changed_in_the_browser_is_not_adopted(
    cart: CartToInsure, quoted: Quoted, changes: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert adopted(cart, quoted(**changes)) is None


def test_a_package_with_more_or_fewer_lines_is_not_adopted(
    cart: CartToInsure, quoted: Quoted
) -> None:
    request = json.loads(elements.quote_request(cart))["request"]

    assert adopted(cart, quoted(request=[*request, *request])) is None


@pytest.mark.parametrize("odd", ["", "AAAAA-AAAAA-INS", "a b", "x" * 65, "../quotes", "\0", "%2e"])
def test_an_id_that_is_no_package_is_not_adopted(cart: CartToInsure, odd: str) -> None:
    assert adopted(cart, odd) is None


def test_the_package_of_another_partner_is_not_adopted(
    cart: CartToInsure, quoted: Quoted, sandbox: Sandbox
) -> None:
    assert adopted(cart, quoted("OTHER")) is None


def test_the_package_of_another_shopper_is_not_adopted(
    cart: CartToInsure, quoted: Quoted, shopper: Shopper, read: ReadCart
) -> None:
    package_id = quoted()
    assert adopted(cart, package_id)
    shopper.cart = shopper.cart.but(reference="cart-2")
    shopper.sees()

    assert adopted(read(shopper.cart), package_id) is None


@pytest.mark.parametrize("fault", ["reset", "status", "garbage", "hang"])
def test_a_package_that_cannot_be_read_is_not_adopted(
    cart: CartToInsure, quoted: Quoted, sandbox: Sandbox, fault: str
) -> None:
    package_id = quoted()
    sandbox.faults.add("get_quote", fault, times=9)

    assert adopted(cart, package_id) is None


def test_an_answer_that_is_stored_is_kept(
    cart: CartToInsure, quoted: Quoted, shopper: Shopper
) -> None:
    shopper.says(yes=True)

    assert adopted(cart, quoted()) is None


def test_a_cart_that_has_changed_meanwhile_gets_its_own_offer(
    cart: CartToInsure, quoted: Quoted, shopper: Shopper, read: ReadCart
) -> None:
    package_id = quoted()
    changed = read(shopper.cart.but(items=(ticket(count=3),)))

    assert adopted(changed, package_id) is None


def test_a_visitor_adopts_no_more_packages_than_they_may_quote(
    cart: CartToInsure, quoted: Quoted, settings: Any
) -> None:
    settings.XCOVER = {**settings.XCOVER, "VISITOR_QUOTES": 1}

    assert adopted(cart, quoted()) is None


def test_what_offers_the_same_is_answered_and_booked(
    cart: CartToInsure, quoted: Quoted, shopper: Shopper
) -> None:
    package_id = quoted()

    offer = adopted(cart, package_id)

    assert offer is not None
    assert offer.package_id == package_id
    assert shopper.sees().package_id == package_id


def test_to_adopt_it_twice_changes_nothing(cart: CartToInsure, quoted: Quoted) -> None:
    package_id = quoted()
    first = elements.adopt(cart, package_id)

    assert elements.adopt(cart, package_id) == first
    assert the_packages()[1:] == [package_id]


def test_a_package_from_a_browser_is_never_changed_in_place(
    cart: CartToInsure, quoted: Quoted, shopper: Shopper, sandbox: Sandbox
) -> None:
    elements.adopt(cart, quoted())

    shopper.cart = shopper.cart.but(items=(ticket(), laptop()))
    shopper.sees()

    assert len(sandbox.calls("create_quote")) == 2
    assert sandbox.calls("add_quotes") == []
