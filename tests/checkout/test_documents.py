"""The way to a policy document: only for those who may see the order, and without a trace."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.contrib.auth.models import Permission

from django_xcover.models import Quote, QuotePackage
from tests import completion
from tests.checkout.conftest import Visitor
from tests.checkout.page import Page
from tests.checkout.shopfront import render
from tests.conftest import work
from tests.shop import Order, Shop

pytestmark = pytest.mark.django_db
AUTHENTICATION = "django.contrib.auth.middleware.AuthenticationMiddleware"


@pytest.fixture
def insured(visitor: Visitor, shop: Shop) -> Order:
    """Return an order of Ana's whose cover is booked."""
    visitor.shopper.says(yes=True)
    order = shop.order()
    completion.complete(order, visitor.shopper.cart, paid=True)
    work()
    return order


def address(kind: str = "certificate") -> str:
    return f"/xcover/documents/{Quote.objects.get().quote_id}/{kind}/"


def test_a_stranger_is_refused(visitor: Visitor, insured: Order) -> None:
    visitor.front.shopper = "bob"

    assert visitor.client.get(address()).status_code == 404


def test_an_unknown_policy_or_document_is_not_found(visitor: Visitor, insured: Order) -> None:
    visitor.front.shopper = "ana"

    assert visitor.client.get(address("invoice")).status_code == 404
    assert visitor.client.get("/xcover/documents/unknown/certificate/").status_code == 404


def test_a_quote_that_is_not_booked_has_no_documents(visitor: Visitor) -> None:
    visitor.shopper.says(yes=True)
    visitor.front.shopper = "ana"

    assert visitor.client.get(address()).status_code == 404


def test_staff_without_the_permission_are_strangers(
    visitor: Visitor, insured: Order, settings: Any, django_user_model: Any
) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, AUTHENTICATION]
    visitor.client.force_login(django_user_model.objects.create(username="s", is_staff=True))

    assert visitor.client.get(address("account")).status_code == 404


def test_staff_with_the_permission_open_what_the_customer_can(
    visitor: Visitor, insured: Order, settings: Any, django_user_model: Any
) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, AUTHENTICATION]
    staff = django_user_model.objects.create(username="s", is_staff=True)
    staff.user_permissions.add(Permission.objects.get(codename="open_links"))
    visitor.client.force_login(staff)

    assert visitor.client.get(address("claim")).status_code == 302


@pytest.mark.parametrize("method", ["post", "head", "delete"])
def test_a_document_is_only_ever_read(visitor: Visitor, insured: Order, method: str) -> None:
    assert getattr(visitor.client, method)(address()).status_code == 405


def test_a_link_with_an_odd_scheme_is_not_followed(visitor: Visitor, insured: Order) -> None:
    visitor.front.shopper = "ana"
    QuotePackage.objects.update(payload={"coi": {"url": "javascript:alert(1)"}})

    assert visitor.client.get(address()).status_code == 404


@pytest.mark.parametrize("kind", ["claim", "cancel", "account"])
def test_the_owner_is_led_to_the_pages_where_something_can_be_done(
    visitor: Visitor, insured: Order, kind: str
) -> None:
    visitor.front.shopper = "ana"

    response = visitor.client.get(address(kind))

    assert response.status_code == 302
    assert response["Location"].startswith("https://")
    assert response["Referrer-Policy"] == "no-referrer"


def test_the_owner_is_led_to_xcover_without_a_trace(
    visitor: Visitor, insured: Order, caplog: pytest.LogCaptureFixture
) -> None:
    visitor.front.shopper = "ana"

    with caplog.at_level(logging.DEBUG):
        response = visitor.client.get(address())

    assert response.status_code == 302
    assert response["Location"] == QuotePackage.objects.get().payload["coi"]["url"]
    assert response["Referrer-Policy"] == "no-referrer"
    assert "no-store" in response["Cache-Control"]
    assert response.content == b""
    assert "security_token" not in caplog.text


def test_the_order_page_links_to_us_and_never_to_the_vendors_token(
    visitor: Visitor, insured: Order
) -> None:
    visitor.front.shopper = "ana"
    request = visitor.client.get("/checkout/").wsgi_request

    page = Page(render("{% xcover_policies order %}", {"order": insured}, request))

    assert [(link["href"], link.text) for link in page.all("a")] == [
        (address("certificate"), "Certificate of insurance"),
        (address("certificate-pdf"), "Certificate of insurance (PDF)"),
        (address("wording"), "Policy wording"),
        (address("claim"), "Make a claim"),
        (f"/xcover/mycover/policies/{Quote.objects.get().quote_id}/#cancel", "Cancel this cover"),
        (address("account"), "Your insurance account"),
    ]
    assert "security_token" not in page.html
    assert page.all("p")[0].text == "Your cover is booked."
