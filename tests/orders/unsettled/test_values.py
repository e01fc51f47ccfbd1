"""What an adapter may return for an order's number, its policyholder and its payment."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import pytest
from django.utils.translation import gettext_lazy

from django_xcover.cover import order_cover
from django_xcover.models import Operation, OperationKind
from tests.conftest import Shopper, the_operation, the_package, work
from tests.orders.unsettled.support import cancelled, completed, paid
from tests.shop import Adapter, Shop

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]


class Number(Enum):
    FIRST = "ORD-1"


@pytest.mark.parametrize("value", [None, "", "x" * 101, "ORD\0", "ORD\ud800", ["ORD-1"], object()])
def test_an_order_without_a_usable_number_is_named_by_its_type_in_the_log(
    shopper: Shopper,
    shop: Shop,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    value: Any,
) -> None:
    shopper.says(yes=True)
    monkeypatch.setattr(Adapter, "get_order_reference", lambda *_: value)

    paid(shop.order(), shopper.cart)
    cancelled(shop.order())

    assert "An order (Order without a number) was not settled: UnusableValue" in caplog.text
    assert "get_order_reference" in caplog.text
    assert not Operation.objects.exists()
    assert order_cover(shop.order()).state == "none"


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (4711, "4711"),
        (uuid.UUID(int=7), str(uuid.UUID(int=7))),
        (Number.FIRST, "ORD-1"),
        (gettext_lazy("ORD-1"), "ORD-1"),
    ],
)
def test_an_orders_number_may_be_of_any_type_that_has_a_text(
    shopper: Shopper, shop: Shop, monkeypatch: pytest.MonkeyPatch, value: Any, kept: str
) -> None:
    shopper.says(yes=True)
    monkeypatch.setattr(Adapter, "get_order_reference", lambda *_: value)

    paid(shop.order(), shopper.cart)
    work()

    assert (the_package().order_reference, the_package().status) == (kept, "CONFIRMED")
    assert order_cover(shop.order()).state == "booked"


@pytest.mark.parametrize("value", [None, {"first_name": "Ana"}, "Ana", object()])
def test_a_policyholder_of_another_type_is_left_to_a_person_in_words(
    shopper: Shopper, shop: Shop, monkeypatch: pytest.MonkeyPatch, value: Any
) -> None:
    shopper.says(yes=True)
    monkeypatch.setattr(Adapter, "get_policyholder", lambda *_: value)

    paid(shop.order(), shopper.cart)
    work()

    operation = the_operation()
    assert (operation.kind, operation.state) == (OperationKind.BOOK, "needs_person")
    assert operation.error["message"].startswith("get_policyholder returned a ")


@pytest.mark.parametrize("value", [True, 1, datetime(2026, 3, 2, tzinfo=UTC)])
def test_an_order_is_paid_also_where_the_shop_returns_when_it_was(
    shopper: Shopper, shop: Shop, monkeypatch: pytest.MonkeyPatch, value: Any
) -> None:
    shopper.says(yes=True)
    monkeypatch.setattr(Adapter, "is_paid", lambda *_: value, raising=False)

    completed(shop.order(), shopper.cart)
    work()

    assert the_package().status == "CONFIRMED"
