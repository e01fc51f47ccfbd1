"""The shopper's cover in the shop: the way there, how often the database is asked, paying later."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

import example_shop.settings
from django_xcover.models import Instalment, Operation, OperationKind, Quote
from django_xcover.sandbox import Sandbox
from django_xcover.testing.factories import InstalmentFactory
from example_shop.card import DECLINED_CARD
from example_shop.models import Order
from tests.conftest import the_package, work
from tests.example_shop.conftest import CARD, Shopper, last_message

LIST = "/xcover/mycover/"


@pytest.fixture
def covered(xcover_sandbox: Sandbox, robin: Shopper) -> Shopper:
    """Return the logged-in shopper, with tickets that are insured."""
    robin.answers("yes")
    robin.pays(robin.orders())
    work()
    return robin


@pytest.fixture
def owed(covered: Shopper) -> Instalment:
    """Return a payment that is due for the cover."""
    return InstalmentFactory.create(
        quote=Quote.objects.get(), number=2, overdue=True, total_amount=5
    )


def address(owed: Instalment) -> str:
    return f"/cover/pay/instalment/{owed.pk}/"


def reports() -> int:
    return Operation.objects.filter(kind=OperationKind.REPORT_INSTALMENT).count()


def test_a_guest_is_led_to_the_login(db: None) -> None:
    assert "/accounts/login/?next=/xcover/mycover/" in Client().get(LIST).content.decode()


def test_a_guest_finds_the_cover_in_the_browser_that_bought_it(insured: Shopper) -> None:
    insured.pays(insured.orders())
    work()

    assert "Harbour Lights Festival" in insured.opens(LIST).content.decode()
    assert "Harbour Lights Festival" not in Client().get(LIST).content.decode()


def test_the_header_and_the_order_lead_to_it(covered: Shopper) -> None:
    order = Order.objects.get()

    for path in ("/", f"/orders/{order.number}/"):
        assert f'href="{LIST}"' in covered.opens(path).content.decode()


def test_fifty_policies_take_five_queries_at_most(
    covered: Shopper, django_assert_max_num_queries: Any
) -> None:
    package, quote, order = the_package(), Quote.objects.get(), Order.objects.get()
    for number in range(49):
        order.pk, order.number, order.cart_reference = None, f"EN-{number}", f"cart-{number}"
        order.save()
        package.pk, package.package_id = None, f"INS-{number}"
        package.order_reference = order.number
        package.save()
        quote.pk, quote.quote_id, quote.package = None, f"quote-{number}", package
        quote.save()

    with django_assert_max_num_queries(4):  # session, user, orders, policies
        page = covered.opens(LIST)

    assert page.content.decode().count("<article") == 50


def test_days_of_cover_are_written_as_the_british_do(covered: Shopper, settings: Any) -> None:
    settings.LANGUAGES = example_shop.settings.LANGUAGES
    settings.LANGUAGE_CODE = example_shop.settings.LANGUAGE_CODE

    for language in ("en", "en-US,en;q=0.9", ""):
        page = covered.client.get(LIST, headers={"accept-language": language}).content.decode()
        assert re.search(r"\b\d{1,2} \w{3} \d{4} to \d{1,2} \w{3} \d{4}", page)
        assert '<html lang="en-gb" dir="ltr">' in page


def test_a_stranger_learns_nothing_of_what_is_due(owed: Instalment) -> None:
    assert Client().get(address(owed)).status_code == 404
    assert Client().post(address(owed), CARD).status_code == 404
    assert reports() == 0


def test_a_declined_card_pays_nothing(covered: Shopper, owed: Instalment) -> None:
    response = covered.client.post(address(owed), {**CARD, "number": DECLINED_CARD})

    assert response.status_code == 422
    assert reports() == 0


def test_what_is_paid_is_told_and_not_paid_twice(covered: Shopper, owed: Instalment) -> None:
    first = last_message(covered.client.post(address(owed), CARD))
    second = last_message(covered.client.post(address(owed), CARD))

    assert first == "Thank you. Your payment has arrived."
    assert second == "There is nothing to pay here any more."
    assert reports() == 1


def test_after_a_payment_the_shopper_sees_what_becomes_of_it(
    covered: Shopper, owed: Instalment
) -> None:
    response = covered.client.post(address(owed), CARD)

    assert response["Location"] == f"{LIST}policies/{owed.quote.quote_id}/"


def test_money_for_what_came_to_nothing_is_given_back(
    covered: Shopper, owed: Instalment, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_back: list[str] = []

    def charge_slowly(number: str, *, order_number: str) -> None:
        Instalment.objects.update(total_amount=6)

    monkeypatch.setattr("example_shop.card.charge", charge_slowly)
    monkeypatch.setattr(
        "example_shop.card.give_back", lambda *, order_number: given_back.append(order_number)
    )

    response = covered.client.post(address(owed), CARD)

    assert given_back == [f"instalment-{owed.pk}"]
    assert last_message(response).endswith("You weren't charged.")
    assert reports() == 0
