"""Lines of a cancelled order that are not known here: never silent."""

from __future__ import annotations

from typing import Any

import pytest

from django_xcover.models import Quote
from django_xcover.sandbox import Sandbox
from django_xcover.signals import order_cancelled
from tests import completion
from tests.conftest import Shopper, the_package, work
from tests.shop import Order, Shop, laptop, ticket

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]


@pytest.fixture
def booked(shopper: Shopper, shop: Shop, sandbox: Sandbox) -> Order:
    """Return a paid order with two policies, whose lines are "7" and "laptop"."""
    shopper.cart = shopper.cart.but(items=(ticket("7"), laptop()))
    shopper.says(yes=True, line=0)
    shopper.says(yes=True, line=1)
    order = shop.order()
    completion.complete(order, shopper.cart, paid=True)
    work()
    return order


def cancels(order: Order, lines: Any) -> None:
    order_cancelled.send(sender=Order, order=order, lines=lines)
    work()


def in_force() -> set[str]:
    return set(Quote.objects.filter(status="CONFIRMED").values_list("line_reference", flat=True))


@pytest.mark.parametrize(
    "lines", [["socks"], "socks", [99], 99, [None], [{"id": 7}], b"7", {"7": 1}]
)
def test_lines_none_of_which_is_known_alert_a_person(
    booked: Order, caplog: pytest.LogCaptureFixture, lines: Any
) -> None:
    cancels(booked, lines)

    assert in_force() == {"7", "laptop"}
    assert the_package().attention == "line_unknown"
    assert "of order ORD-1 was cancelled, and no cover is known for it" in caplog.text


def test_a_line_that_was_never_insured_is_logged_beside_one_that_was(
    booked: Order, caplog: pytest.LogCaptureFixture
) -> None:
    cancels(booked, ["socks", "laptop"])

    assert in_force() == {"7"}
    assert "Line 'socks' of order ORD-1" in caplog.text
    assert the_package().attention == ""


@pytest.mark.parametrize("lines", ["7", 7, ["7"], [7], (7,), {7}, map])
def test_a_line_may_be_named_by_a_number_or_alone(booked: Order, lines: Any) -> None:
    # An iterator is made here, because it can be read only once and tests may be repeated.
    cancels(booked, map(int, ["7"]) if lines is map else lines)

    assert in_force() == {"laptop"}
    assert the_package().attention == ""


def test_a_line_that_is_cancelled_already_is_known(
    booked: Order, caplog: pytest.LogCaptureFixture
) -> None:
    cancels(booked, ["laptop"])
    cancels(booked, ["laptop"])

    assert in_force() == {"7"}
    assert the_package().attention == ""
    assert "no cover is known" not in caplog.text


def test_no_line_at_all_is_logged(booked: Order, caplog: pytest.LogCaptureFixture) -> None:
    cancels(booked, [])

    assert in_force() == {"7", "laptop"}
    assert "Order ORD-1 was cancelled without naming a line" in caplog.text


def test_a_line_of_an_order_without_cover_is_logged(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    cancels(shop.order(), ["socks"])

    assert "Line 'socks' of order ORD-1" in caplog.text
