"""Reading a cart through an adapter that somebody else wrote."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpRequest

from django_xcover.cover import current_cover, freeze_cover
from django_xcover.offers.carts import read_cart
from django_xcover.types import PolicyRequest
from tests.conftest import Shopper
from tests.shop import Cart, Shop

RequestFor = Callable[[Cart | None], HttpRequest]
METHODS = ["get_cart", "get_quote_request", "get_account", "get_cart_reference"]


@pytest.fixture(params=METHODS)
def broken(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, shop: Shop) -> None:
    """Let one method of the adapter fail on what a customer typed."""

    def fail(*args: Any) -> None:
        raise ValueError("ana" + "@example.com")

    monkeypatch.setattr(f"tests.shop.Adapter.{request.param}", fail)


@pytest.mark.usefixtures("broken")
def test_an_adapter_that_fails_costs_the_offer_and_not_the_page(
    request_for: RequestFor, caplog: pytest.LogCaptureFixture
) -> None:
    assert read_cart(request_for(Cart())) is None
    assert current_cover(request_for(Cart())).premium is None
    assert "ValueError" in caplog.text
    assert "ana@example.com" not in caplog.text


@pytest.mark.django_db
@pytest.mark.usefixtures("broken")
def test_an_adapter_that_fails_does_not_stop_an_order(request_for: RequestFor) -> None:
    assert freeze_cover(request_for(Cart())).premium is None


@pytest.mark.usefixtures("broken")
def test_while_developing_the_adapters_error_is_shown(
    request_for: RequestFor, settings: Any
) -> None:
    settings.DEBUG = True

    with pytest.raises(ValueError, match="ana"):
        read_cart(request_for(Cart()))


def test_a_setting_that_cannot_be_read_costs_the_offer_and_not_the_page(
    request_for: RequestFor, settings: Any
) -> None:
    settings.XCOVER = {"ADAPTER": "no.such.Adapter"}

    assert read_cart(request_for(Cart())) is None


def test_fields_that_are_no_json_are_found_before_the_page_is_made(
    request_for: RequestFor,
    shop: Shop,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def insure(*args: Any) -> PolicyRequest:
        return PolicyRequest(reference="1", policy_type="x", fields={"who": object()})

    monkeypatch.setattr("tests.shop.Adapter.get_quote_request", insure)

    assert read_cart(request_for(Cart())) is None
    assert "PolicyRequest.fields.who is of type object" in caplog.text


@pytest.mark.django_db
def test_a_yes_lapses_when_the_cart_can_no_longer_be_read(
    shopper: Shopper, request_for: RequestFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    shopper.says(yes=True)
    monkeypatch.setattr("tests.shop.Adapter.get_quote_request", lambda *_: 1 / 0)

    cover = freeze_cover(request_for(shopper.cart))

    assert cover.premium is None
    assert cover.lapsed
