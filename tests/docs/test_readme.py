"""The README's five steps, carried out."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.management import load_command_class
from django.http import HttpRequest
from django.test import Client
from django.urls import resolve, reverse

from django_xcover.checkout.tags import policies_block
from django_xcover.checks import check_settings
from django_xcover.cover import order_cover
from django_xcover.offers import carts, choices, quoting
from django_xcover.overview.policies import policies
from django_xcover.sandbox import Sandbox
from tests.conftest import work
from tests.docs.pages import README
from tests.docs.shop import CUSTOMER, Cart, Line, Lines, Order, Product, shown_to

pytestmark = pytest.mark.django_db
RequestWith = Callable[[Cart], HttpRequest]


def answer(request: HttpRequest, *, yes: bool) -> Decimal:
    """Look at the offer, answer it and return its price."""
    cart = carts.read_cart(request)
    assert cart is not None
    offer = quoting.fresh_offer(cart)
    assert offer is not None
    [quote] = offer.quotes
    choices.choose(cart, quote_id=quote.quote_id, accepted=yes, template_version="docs")
    return quote.price.amount


def test_a_yes_is_charged_and_booked_when_the_money_arrives(
    myshop: dict[str, Any], xcover_sandbox: Sandbox, request_with: RequestWith
) -> None:
    cart = Cart()
    request = request_with(cart)
    premium = answer(request, yes=True)

    order = myshop["place_order"](shown_to(request), cart, CUSTOMER)
    myshop["money_arrived"](order)
    work()

    assert order.total == cart.total + premium
    assert order_cover(order).state == "booked"
    [booking] = xcover_sandbox.packages()
    assert booking["status"] == "CONFIRMED"
    assert booking["partner_transaction_id"] == order.number


def test_a_no_is_not_charged_and_told_to_xcover(
    myshop: dict[str, Any], xcover_sandbox: Sandbox, request_with: RequestWith
) -> None:
    cart = Cart()
    request = request_with(cart)
    answer(request, yes=False)

    order = myshop["place_order"](shown_to(request), cart, CUSTOMER)
    work()

    assert order.total == cart.total
    assert xcover_sandbox.packages()[0]["status"] == "OPTED_OUT"


def test_the_one_line_that_forwards_a_signal_books_as_well(
    myshop: dict[str, Any], xcover_sandbox: Sandbox, request_with: RequestWith
) -> None:
    cart = Cart()
    request = request_with(cart)
    answer(request, yes=True)
    order = myshop["place_order"](shown_to(request), cart, CUSTOMER)

    myshop["order_paid"].send(sender=Order, instance=order)
    work()

    assert order_cover(order).state == "booked"


def test_the_adapter_offers_nothing_for_a_cart_without_tickets(
    myshop: dict[str, Any], request_with: RequestWith
) -> None:
    cart = Cart(lines=Lines(Line(product=Product(is_ticket=False))))

    assert carts.read_cart(request_with(cart)) is None


def test_the_adapter_shows_documents_to_the_owner_of_the_order_only(
    myshop: dict[str, Any], request_with: RequestWith, django_user_model: Any
) -> None:
    adapter = myshop["MyShopAdapter"]()
    owner = django_user_model(pk=7)
    order = Order.objects.create(cart=Cart(), total=Decimal(1), user=owner)
    request = request_with(order.cart)

    for pk, may in ((7, True), (8, False)):
        request.user = django_user_model(pk=pk)
        assert adapter.can_view_order(request, order) is may


def test_my_cover_lists_what_the_shopper_has_bought(
    myshop: dict[str, Any],
    xcover_sandbox: Sandbox,
    request_with: RequestWith,
    django_user_model: Any,
) -> None:
    cart = Cart()
    request = request_with(cart)
    request.user = django_user_model(pk=7)
    answer(request, yes=True)
    order = myshop["place_order"](shown_to(request), cart, CUSTOMER)
    myshop["money_arrived"](order)
    work()

    mine = policies(request).policies
    request.user = AnonymousUser()

    assert [policy.order_reference for policy in mine] == [order.number]
    assert policies(request).policies == ()


def test_a_guest_sees_cover_on_the_order_page_and_no_documents_or_list(
    myshop: dict[str, Any], xcover_sandbox: Sandbox, request_with: RequestWith, client: Client
) -> None:
    cart = Cart()
    request = request_with(cart)
    answer(request, yes=True)
    order = myshop["place_order"](shown_to(request), cart, CUSTOMER)
    myshop["money_arrived"](order)
    work()

    [policy] = order_cover(order).policies
    shown = policies_block(request, order)

    assert "Your cover is booked." in shown
    assert policy.documents
    for kind in policy.documents:
        address = reverse("xcover:document", args=(policy.quote_id, kind))
        assert address in shown or kind == "cancel"
        assert client.get(address).status_code == HTTPStatus.NOT_FOUND
    assert policies(request).policies == ()


def test_the_account_without_an_account_is_the_local_xcovers(myshop: dict[str, Any]) -> None:
    parser = load_command_class("django_xcover.sandbox", "xcover_sandbox").create_parser("", "")
    started = parser.parse_args([])

    assert myshop["LOCAL_XCOVER"] == {
        "BASE_URL": f"http://{started.host}:{started.port}/x",
        "PARTNER_CODE": started.partner_code,
        "API_KEY": started.api_key,
        "API_SECRET": started.api_secret,
    }


def test_the_settings_pass_the_checks(myshop: dict[str, Any]) -> None:
    assert check_settings() == []
    assert myshop["INSTALLED_APPS"] == ["django_xcover"]


def test_the_urls_are_the_packages(myshop: dict[str, Any]) -> None:
    [mounted] = myshop["urlpatterns"]

    assert mounted.app_name == "xcover"
    assert resolve(f"/{mounted.pattern}offer/").view_name == "xcover:offer"


def test_the_beat_schedule_names_a_task_that_exists(myshop: dict[str, Any]) -> None:
    from celery import current_app

    assert myshop["CELERY_BEAT_SCHEDULE"]["xcover"]["task"] in current_app.tasks


def test_migrate_comes_after_the_adapter_that_its_checks_want() -> None:
    page = README.read_text()

    assert page.index("manage.py migrate") > page.index("class MyShopAdapter")
    assert page.index("Python 3.11") < page.index("pip install")
