"""From a cart to an order."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.test import RequestFactory

from django_xcover import cover
from django_xcover.models import Operation, QuotePackage
from example_shop import orders
from example_shop.cart import Cart
from example_shop.models import Order, OrderLine, Product
from tests.example_shop.conftest import CAMERA, DETAILS, FESTIVAL, Shopper, last_message, product

NOTHING = "Your cart is empty, so there's nothing to order."
CHANGED = "Your cart or a price has changed. Please check the new total before you order."


def test_a_cart_emptied_in_another_tab_is_not_ordered(shopper: Shopper) -> None:
    form = shopper.sees_the_checkout()
    shopper.client.post(f"/cart/{FESTIVAL}/", {"quantity": "0"})

    response = shopper.sends(form)

    assert last_message(response) == NOTHING
    assert not Order.objects.exists()


def test_a_cart_changed_in_another_tab_is_shown_again_before_it_is_ordered(
    shopper: Shopper,
) -> None:
    form = shopper.sees_the_checkout()
    shopper.takes(CAMERA)

    response = shopper.sends(form)

    assert response.status_code == 409
    assert CHANGED in response.content.decode()
    assert b'value="Robin"' in response.content
    assert not Order.objects.exists()


def test_a_price_raised_meanwhile_is_shown_before_it_is_charged(shopper: Shopper) -> None:
    form = shopper.sees_the_checkout()
    Product.objects.filter(slug=FESTIVAL).update(price_gbp=Decimal("75.00"))

    refused = shopper.sends(form)
    order = shopper.orders()

    assert refused.status_code == 409
    assert "£150.00" in refused.content.decode()
    assert order.goods_total == Decimal("150.00")


def test_a_form_without_the_total_it_was_shown_with_orders_nothing(shopper: Shopper) -> None:
    form = shopper.sees_the_checkout()
    del form["seen"]

    assert shopper.sends(form).status_code == 409
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "robin"),
        ("postcode", "12345"),
        ("phone", "0800 FLOWERS"),
        ("first_name", ""),
        ("payment", "favour"),
    ],
)
def test_details_that_cannot_be_right_are_marked_where_they_are(
    shopper: Shopper, field: str, value: str
) -> None:
    form = {**shopper.sees_the_checkout(), field: value}

    response = shopper.sends(form)

    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert not Order.objects.exists()


def test_a_form_sent_twice_leads_to_the_same_order(shopper: Shopper, placed: list[Order]) -> None:
    form = shopper.sees_the_checkout()

    first, second = shopper.sends(form), shopper.sends(form)

    assert first.url == f"/orders/{Order.objects.get().number}/pay/"
    assert second.url == f"/orders/{Order.objects.get().number}/"
    assert len(placed) == 1


def test_a_form_sent_again_with_a_new_cart_does_not_order_that_one(shopper: Shopper) -> None:
    form = shopper.sees_the_checkout()
    shopper.sends(form)
    shopper.takes(CAMERA)

    shopper.sends(form)

    assert Order.objects.count() == 1
    assert shopper.opens("/cart/").context["cart"].count == 1


def test_of_two_simultaneous_clicks_one_makes_the_order_and_both_find_it(
    shopper: Shopper, placed: list[Order], rf: RequestFactory
) -> None:
    one, two = (request_of(shopper, rf) for _ in range(2))  # both read the cart before any order

    orders_made = [orders.place(request, dict(DETAILS)) for request in (one, two)]

    assert orders_made[0] == orders_made[1]
    assert [order.number for order in placed] == [orders_made[0].number]
    assert OrderLine.objects.count() == 1
    assert all(orders.may_view(request, orders_made[0]) for request in (one, two))


def test_someone_elses_cart_reference_in_the_form_leads_nowhere(shopper: Shopper) -> None:
    order = shopper.orders()
    thief = Shopper()
    thief.takes(CAMERA)

    response = thief.sends({**thief.sees_the_checkout(), "cart": order.cart_reference})

    assert order.number not in response.headers.get("Location", "")


def test_when_cover_cannot_be_frozen_there_is_no_order_either(
    shopper: Shopper, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any) -> None:
        raise RuntimeError("the database went away")

    form = shopper.sees_the_checkout()
    monkeypatch.setattr(orders, "freeze_cover", fail)

    with pytest.raises(RuntimeError):
        shopper.sends(form)

    assert not Order.objects.exists()


def test_a_shopper_whose_yes_lapsed_is_told_and_not_charged_for_it(
    insured: Shopper, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = insured.sees_the_checkout()
    monkeypatch.setattr(orders, "freeze_cover", lambda *args: cover.Cover(lapsed=True))

    refused = insured.sends(form)
    monkeypatch.setattr("example_shop.views.checkout.current_cover", lambda *args: cover.Cover())
    response = insured.sends(insured.sees_the_checkout())

    assert refused.status_code == 409
    assert last_message(response) == str(orders.LAPSED)
    assert Order.objects.get().premium is None


def test_a_yes_given_in_another_tab_is_shown_before_it_is_charged(
    xcover_sandbox: Any, shopper: Shopper
) -> None:
    form = shopper.sees_the_checkout()
    shopper.answers("yes")

    refused = shopper.sends(form)
    order = shopper.orders()

    total = product(FESTIVAL).price_gbp * 2 + QuotePackage.objects.get().quotes.get().price
    assert refused.status_code == 409
    assert f"£{total:.2f}" in refused.content.decode()
    assert order.total.amount == total


def test_a_premium_that_came_with_a_requote_is_shown_before_it_is_charged(
    xcover_sandbox: Any, shopper: Shopper
) -> None:
    shopper.answers("yes")
    shopper.takes(CAMERA)
    form = shopper.sees_the_checkout()
    shopper.opens("/xcover/offer/")  # the script's own request, by which the yes is carried over

    refused = shopper.sends(form)

    assert refused.status_code == 409
    assert not Order.objects.exists()
    assert not QuotePackage.objects.exclude(order_reference="").exists()
    assert shopper.orders().premium is not None


@pytest.mark.parametrize("shown", ["", "nonsense", "NaN GBP", "sNaN GBP", "120.00", "120.00 EUR"])
def test_a_form_that_shows_no_total_of_this_order_orders_nothing(
    shopper: Shopper, shown: str
) -> None:
    form = {**shopper.sees_the_checkout(), "xcover_total": shown}

    assert shopper.sends(form).status_code == 409
    assert not Order.objects.exists()


def test_an_order_without_an_offer_is_placed_without_cover(shopper: Shopper) -> None:
    order = shopper.orders()

    assert order.premium is None
    assert order.total == order.goods
    assert not Operation.objects.exists()


def test_a_yes_is_charged_once_beside_the_goods_and_booked_for_the_order(
    insured: Shopper,
) -> None:
    order = insured.orders()

    quote = QuotePackage.objects.get().quotes.get()
    assert order.goods_total == product(FESTIVAL).price_gbp * 2
    assert order.premium == quote.price > 0
    assert order.total.amount == order.goods_total + quote.price
    assert quote.package.order_reference == order.number


def test_a_no_costs_nothing(xcover_sandbox: Any, shopper: Shopper) -> None:
    shopper.answers("no")

    assert shopper.orders().premium is None


def test_the_summary_follows_the_answer(insured: Shopper) -> None:
    premium = QuotePackage.objects.get().quotes.get().price
    total = product(FESTIVAL).price_gbp * 2 + premium

    page = insured.opens("/checkout/summary/").content.decode()

    assert f"£{total:.2f}" in page
    assert f"£{premium:.2f}" in page


def test_the_summary_says_what_all_instalments_come_to(
    xcover_sandbox: Any, shopper: Shopper
) -> None:
    shopper.empties_the_cart_into(CAMERA)
    shopper.answers("yes", plan="1year-monthly")

    page = shopper.opens("/checkout/summary/").content.decode()

    first = QuotePackage.objects.get().quotes.get().payload["instalment_plans"][0]
    part = Decimal(str(first["first_instalment_amount"]))
    assert f"first of 12 payments of £{part:.2f}, £{part * 12:.2f} in total" in page


def test_typed_details_survive_a_change_of_country_and_language_until_the_order(
    shopper: Shopper,
) -> None:
    form = {**shopper.sees_the_checkout(), "payment": "invoice"}
    page = shopper.opens("/checkout/").content.decode()

    shopper.client.post(
        "/preferences/", {**form, "country": "DE", "language": "de", "next": "/checkout/"}
    )

    assert page.count('form="checkout" formaction="/preferences/" formnovalidate') == 1
    again = shopper.opens("/checkout/").content.decode()
    assert 'value="Robin"' in again
    assert 'value="invoice"' in again.partition("checked")[0][-200:]
    shopper.client.post("/preferences/", {"country": "GB", "language": "en"})
    shopper.orders()
    assert "details" not in shopper.client.session


def test_an_order_keeps_what_was_bought_when_the_product_changes(shopper: Shopper) -> None:
    order = shopper.orders()

    Product.objects.filter(slug=FESTIVAL).update(name="Another name", price_gbp=Decimal(1))

    line = order.lines.get()
    assert (line.name, line.quantity, line.unit_price) == (
        "Harbour Lights Festival",
        2,
        Decimal(60),
    )


def test_a_national_phone_number_gets_its_country_code(shopper: Shopper) -> None:
    assert shopper.orders(phone="020 7946 0000").phone == "+442079460000"


@pytest.mark.parametrize(
    "typed",
    ["+44 (0)20 7946 0000", "0044 20 7946 0000", "０２０ ７９４６ ００００", "٠٢٠ ٧٩٤٦ ٠٠٠٠"],
)
def test_a_phone_number_is_taken_as_it_is_typed(shopper: Shopper, typed: str) -> None:
    assert shopper.orders(phone=typed).phone == "+442079460000"


@pytest.mark.parametrize("typed", ["bs14rw", "ＢＳ１　４ＲＷ", " BS1  4RW "])
def test_a_postcode_is_taken_as_it_is_typed(shopper: Shopper, typed: str) -> None:
    assert shopper.orders(postcode=typed).postcode == "BS1 4RW"


def request_of(shopper: Shopper, rf: RequestFactory) -> Any:
    """Return a request that has read the shopper's session, as a worker thread would."""
    request = rf.post("/checkout/", {"xcover_total": shopper.sees_the_checkout()["xcover_total"]})
    request.user = AnonymousUser()
    request.session = SessionStore(shopper.client.session.session_key)
    request.session.load()
    request.cart = Cart(request.session)  # type: ignore[attr-defined]
    assert request.cart.count  # type: ignore[attr-defined]
    return request


def test_without_a_script_an_unanswered_offer_is_pointed_at_once(
    xcover_sandbox: Any, shopper: Shopper
) -> None:
    shopper.opens("/xcover/offer/")
    form = shopper.sees_the_checkout()

    page = shopper.sends({**form, "ask": "yes"})

    assert page.status_code == 200
    assert "Please choose yes or no." in page.content.decode()
    assert 'name="ask"' not in page.content.decode()
    assert not Order.objects.exists()
    assert shopper.sends(form).status_code == 302


def test_nobody_is_asked_where_there_is_no_offer(shopper: Shopper) -> None:
    form = shopper.sees_the_checkout()

    assert shopper.sends({**form, "ask": "yes"}).status_code == 302
