"""The cart and what a shopper can do to it."""

from __future__ import annotations

from typing import Any

import pytest

import example_shop.settings
from example_shop.cart import MOST_OF_ONE
from tests.example_shop.conftest import CAMERA, FESTIVAL, Shopper, last_message, product

REFUSAL = f"Please choose a quantity from 1 to {MOST_OF_ONE}."


@pytest.mark.parametrize("quantity", ["-1", "9", "1000000", "two", "1.5", ""])
def test_a_forged_quantity_changes_nothing_and_says_what_to_do(
    shopper: Shopper, quantity: str
) -> None:
    response = shopper.client.post(f"/cart/{FESTIVAL}/", {"quantity": quantity})

    assert last_message(response) == REFUSAL
    assert shopper.opens("/cart/").context["cart"].count == 2


def test_adding_again_stops_at_the_most_one_may_buy(shopper: Shopper) -> None:
    shopper.takes(FESTIVAL, MOST_OF_ONE)

    assert shopper.opens("/cart/").context["cart"].count == MOST_OF_ONE


def test_a_price_in_the_form_is_ignored(shopper: Shopper) -> None:
    forged = {"quantity": 1, "price": "0.01", "unit_price": "0.01"}

    shopper.client.post(f"/cart/{CAMERA}/add/", forged)

    total = shopper.opens("/cart/").context["cart"].total
    assert total.amount == product(FESTIVAL).price_gbp * 2 + product(CAMERA).price_gbp


def test_an_event_that_has_passed_cannot_be_bought(shopper: Shopper) -> None:
    product(FESTIVAL).__class__.objects.filter(slug=FESTIVAL).update(
        starts_at="2020-01-01T20:00:00Z"
    )

    assert shopper.opens(f"/products/{FESTIVAL}/").status_code == 404
    assert shopper.client.post(f"/cart/{FESTIVAL}/add/", {"quantity": 1}).status_code == 404
    assert shopper.opens("/cart/").context["cart"].is_empty


def test_a_cart_is_not_changed_by_a_link(shopper: Shopper) -> None:
    assert shopper.opens(f"/cart/{CAMERA}/add/").status_code == 405


def test_removing_the_last_line_empties_the_cart(shopper: Shopper) -> None:
    shopper.client.post(f"/cart/{FESTIVAL}/", {"quantity": "0"})

    assert b"It's empty." in shopper.opens("/cart/").content


def test_each_cart_has_a_reference_of_its_own_that_stays_while_it_changes(
    shopper: Shopper,
) -> None:
    other = Shopper()
    other.takes(FESTIVAL)
    first = shopper.opens("/cart/").context["cart"].reference

    shopper.takes(CAMERA)

    assert shopper.opens("/cart/").context["cart"].reference == first
    assert other.opens("/cart/").context["cart"].reference != first


def test_the_next_cart_after_an_order_has_a_new_reference(shopper: Shopper) -> None:
    order = shopper.orders()

    shopper.takes(CAMERA)

    assert shopper.opens("/cart/").context["cart"].reference not in {"", order.cart_reference}


def test_another_country_means_another_currency_for_the_same_cart(shopper: Shopper) -> None:
    shopper.client.post("/preferences/", {"country": "JP", "next": "/cart/"})

    total = shopper.opens("/cart/").context["cart"].total
    assert (total.amount, total.currency) == (product(FESTIVAL).price_jpy * 2, "JPY")


def test_an_unknown_country_and_a_foreign_way_back_are_ignored(shopper: Shopper) -> None:
    forged = {"country": "XX", "language": "xx", "next": "https://evil.example/"}

    response = shopper.client.post("/preferences/", forged)

    assert response.headers["Location"] == "/"
    assert shopper.opens("/cart/").context["cart"].total.currency == "GBP"


def test_the_page_speaks_the_chosen_language(shopper: Shopper) -> None:
    shopper.client.post("/preferences/", {"language": "de", "next": "/"})

    assert b'<html lang="de" dir="ltr">' in shopper.opens("/").content


def test_arabic_is_read_from_right_to_left(shopper: Shopper, settings: Any) -> None:
    settings.LANGUAGES = example_shop.settings.LANGUAGES
    shopper.client.post("/preferences/", {"language": "ar", "next": "/"})

    assert b'<html lang="ar" dir="rtl">' in shopper.opens("/").content
