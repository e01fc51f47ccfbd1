"""What a payment's callback reads: the premium that was held, whatever has happened since."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.http import HttpRequest
from django.utils import timezone

from django_xcover.cover import freeze_cover, held_cover, release_cover
from django_xcover.models import Choice, Hold, Quote
from tests import completion
from tests.conftest import Shopper
from tests.shop import Adapter, Cart, Shop, laptop, ticket

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]
RequestFor = Callable[[Cart | None], HttpRequest]


def test_nothing_is_held_for_a_cart_that_was_never_frozen(shopper: Shopper) -> None:
    shopper.says(yes=True)

    assert held_cover(shopper.cart) is None


def test_nothing_is_held_any_more_once_it_is_released(
    shopper: Shopper, request_for: RequestFor
) -> None:
    shopper.says(yes=True)
    release_cover(freeze_cover(request_for(shopper.cart)).hold)

    assert held_cover(shopper.cart) is None


def test_nothing_is_held_any_more_once_an_order_has_it(
    shopper: Shopper, request_for: RequestFor, shop: Shop
) -> None:
    shopper.says(yes=True)
    freeze_cover(request_for(shopper.cart))
    completion.complete(shop.order(), shopper.cart, paid=False)

    assert held_cover(shopper.cart) is None


def test_a_cart_that_the_shop_cannot_name_holds_nothing(
    shopper: Shopper, request_for: RequestFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    shopper.says(yes=True)
    freeze_cover(request_for(shopper.cart))

    def fail(*_args: Any) -> str:
        raise ValueError("a mistake of the shop")

    monkeypatch.setattr(Adapter, "get_cart_reference", fail)

    assert held_cover(shopper.cart) is None


def test_the_price_and_the_answers_stay_those_that_were_held(
    shopper: Shopper, request_for: RequestFor
) -> None:
    shopper.cart = shopper.cart.but(items=(ticket(), laptop()))
    shopper.says(yes=True, line=0)
    frozen = freeze_cover(request_for(shopper.cart))
    Hold.objects.update(expires_at=timezone.now())
    Quote.objects.update(price=Decimal("999.00"), choice=Choice.DECLINED)

    held = held_cover(shopper.cart.but(items=()))

    assert held is not None
    assert held.premium == frozen.premium
    assert [(line.label, line.price) for line in held.lines] == [
        (line.label, line.price) for line in frozen.lines
    ]
    assert held.hold == frozen.hold
    assert not held.is_answered


def test_a_cart_without_cover_is_held_without_a_premium(
    shopper: Shopper, request_for: RequestFor
) -> None:
    shopper.says(yes=False)
    frozen = freeze_cover(request_for(shopper.cart))

    held = held_cover(shopper.cart)

    assert held is not None
    assert (held.premium, held.lines, held.is_answered) == (None, (), True)
    assert held.hold == frozen.hold


def test_of_two_payments_the_newer_one_is_held(shopper: Shopper, request_for: RequestFor) -> None:
    shopper.says(yes=True)
    freeze_cover(request_for(shopper.cart))
    again = freeze_cover(request_for(shopper.cart))

    held = held_cover(shopper.cart)

    assert held is not None
    assert held.hold == again.hold
