"""Whose order is whose."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core import signing
from django.test import Client
from django.utils import timezone

from django_xcover.sandbox import Sandbox
from example_shop import guests
from example_shop.demo import data
from example_shop.models import Order
from tests.conftest import work
from tests.example_shop.conftest import CAMERA, DETAILS, Shopper, last_message

PATHS = ("", "pay/")


@pytest.mark.parametrize("path", PATHS)
def test_a_stranger_learns_nothing_of_an_order(shopper: Shopper, path: str) -> None:
    order = shopper.orders()

    theirs = Client().get(f"/orders/{order.number}/{path}")
    nobodys = Client().get(f"/orders/EN-NONE/{path}")

    assert theirs.status_code == nobodys.status_code == 404
    assert what_it_says(theirs) == what_it_says(nobodys).replace("EN-NONE", order.number)


@pytest.mark.parametrize("path", ["pay/", "transfer/"])
def test_a_stranger_pays_no_order(shopper: Shopper, path: str) -> None:
    order = shopper.orders(payment="invoice")

    assert Client().post(f"/orders/{order.number}/{path}").status_code == 404
    order.refresh_from_db()
    assert not order.is_paid


def test_a_logged_in_stranger_is_a_stranger(shopper: Shopper) -> None:
    order = shopper.orders()
    stranger = Client()
    stranger.login(username=data.SHOPPER.username, password=data.SHOPPER.password)

    assert stranger.get(f"/orders/{order.number}/").status_code == 404
    assert order.number not in stranger.get("/orders/").content.decode()


def test_a_guest_sees_the_order_in_the_browser_that_placed_it(shopper: Shopper) -> None:
    order = shopper.orders()

    assert shopper.opens(f"/orders/{order.number}/").status_code == 200


GONE = "This link is no longer valid. Please contact us, and we'll send you a new one."


@pytest.mark.parametrize("harm", ["changed", "made with another salt", "expired", "adopted"])
def test_a_link_that_is_not_good_shows_a_guests_order_to_nobody(
    shopper: Shopper, harm: str
) -> None:
    order = shopper.orders()
    link = guests.link(order)
    if harm == "changed":
        link = link[:-2] + ("A/" if link[-2] != "A" else "B/")
    elif harm == "made with another salt":
        link = f"/orders/open/{signing.dumps(order.number)}/"
    elif harm == "adopted":
        Order.objects.update(user=User.objects.get(username=data.SHOPPER.username))

    stranger = Client()
    with time_machine.travel(timezone.now() + timedelta(days=91 if harm == "expired" else 0)):
        assert last_message(stranger.get(link)) == GONE
        assert stranger.get(f"/orders/{order.number}/").status_code == 404


def test_a_guest_finds_order_and_cover_again_by_the_link_in_another_browser(
    insured: Shopper,
) -> None:
    order = insured.orders()
    insured.pays(order)
    work()
    other = Client()

    response = other.get(guests.link(order))

    assert response["Location"] == "/xcover/mycover/"
    assert "no-store" in response["Cache-Control"]
    assert "Harbour Lights Festival" in other.get(response["Location"]).content.decode()
    assert other.get(f"/orders/{order.number}/").status_code == 200


def test_the_link_of_one_order_opens_no_other(shopper: Shopper) -> None:
    first = shopper.orders()
    shopper.takes(CAMERA)
    second = shopper.orders()
    other = Client()

    other.get(guests.link(first))

    assert other.get(f"/orders/{first.number}/").status_code == 200
    assert other.get(f"/orders/{second.number}/").status_code == 404


def test_a_guest_is_asked_to_log_in_for_the_list(shopper: Shopper) -> None:
    response = shopper.client.get("/orders/")

    assert response.headers["Location"].startswith("/accounts/login/")


def test_a_shopper_finds_the_order_again_in_another_browser(robin: Shopper) -> None:
    order = robin.orders()
    elsewhere = Client()
    elsewhere.login(username=data.SHOPPER.username, password=data.SHOPPER.password)

    assert elsewhere.get(f"/orders/{order.number}/").status_code == 200
    assert order.number in elsewhere.get("/orders/").content.decode()


def test_after_logging_out_the_browser_no_longer_shows_the_order(robin: Shopper) -> None:
    order = robin.orders()

    robin.client.logout()

    assert robin.opens(f"/orders/{order.number}/").status_code == 404


def test_staff_may_look_at_any_order(shopper: Shopper) -> None:
    order = shopper.orders()
    staff = Client()
    staff.login(username=data.STAFF.username, password=data.STAFF.password)

    assert staff.get(f"/orders/{order.number}/").status_code == 200


def test_a_stranger_gets_no_document_of_the_order(insured: Shopper) -> None:
    order = insured.orders()
    insured.pays(order)
    work()
    policy = insured.opens(f"/orders/{order.number}/").context["cover"].policies[0]

    for kind in policy.documents:
        path = f"/xcover/documents/{policy.quote_id}/{kind}/"
        assert Client().get(path).status_code == 404
        assert insured.opens(path).status_code == 302
    assert "certificate" in policy.documents


def test_the_cart_survives_logging_in(shopper: Shopper) -> None:
    shopper.takes(CAMERA)
    login = {"username": data.SHOPPER.username, "password": data.SHOPPER.password}

    shopper.client.post("/accounts/login/", login)

    assert shopper.opens("/cart/").context["cart"].count == 3


def what_it_says(response: Any) -> str:
    """Return the page without its random token."""
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", response.content.decode())


# The guest's link to withdraw


def link_on(page: Any) -> str:
    """Return the path behind the link to withdraw, "" where there is none."""
    found = re.search(r'href="(/xcover/mycover/withdraw/[^"]+)"', page.content.decode())
    return found[1] if found else ""


@pytest.mark.parametrize("booked", [False, True])
def test_a_guest_finds_the_link_to_withdraw_on_the_order_and_it_opens_anywhere(
    insured: Shopper, booked: bool
) -> None:
    order = insured.orders()
    insured.pays(order)
    if booked:
        work()

    path = link_on(insured.opens(f"/orders/{order.number}/"))
    page = Client().get(path).content.decode()

    assert "Harbour Lights Festival" in page
    assert "Withdraw from contract here" in page
    assert DETAILS["email"] not in page


def test_an_order_without_cover_has_no_link_to_withdraw(shopper: Shopper) -> None:
    order = shopper.orders()

    assert link_on(shopper.opens(f"/orders/{order.number}/")) == ""


def test_an_account_withdraws_in_my_cover(xcover_sandbox: Sandbox, robin: Shopper) -> None:
    robin.answers("yes")
    order = robin.orders()
    robin.pays(order)
    work()

    assert link_on(robin.opens(f"/orders/{order.number}/")) == ""
