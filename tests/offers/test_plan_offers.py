"""Instalment plans are offered by shops that collect the later payments, and by no others."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.http import HttpRequest

from django_xcover import exceptions
from django_xcover.checkout.tags import policies_block
from django_xcover.client import XCoverClient
from django_xcover.cover import current_cover, order_cover
from django_xcover.models import Quote
from django_xcover.offers import choices
from django_xcover.signals import payment_completed
from django_xcover.types import Money
from tests.conftest import ReadCart, Shopper, work
from tests.shop import Cart, Order, Shop

pytestmark = pytest.mark.django_db
PLAN = {
    "name": "1year-monthly",
    "label": "1Year-Monthly",
    "amount": Decimal("7.89"),
    "first_instalment_amount": Decimal("0.66"),
}


def gbp(amount: str) -> Money:
    return Money(Decimal(amount), "GBP")


@pytest.fixture
def planned(shopper: Shopper, monkeypatch: pytest.MonkeyPatch) -> Shopper:
    """Return a shopper whose offers have a plan at XCover."""
    honest = XCoverClient.create_quote

    def with_plan(*args: Any, **options: Any) -> Any:
        answer = honest(*args, **options)
        answer["quotes"]["0"]["instalment_plans"] = [PLAN]
        return answer

    monkeypatch.setattr(XCoverClient, "create_quote", with_plan)
    return shopper


def test_a_shop_that_cannot_collect_instalments_offers_none(
    planned: Shopper, read: ReadCart, settings: Any
) -> None:
    settings.XCOVER = {k: v for k, v in settings.XCOVER.items() if k != "OFFER_INSTALMENTS"}

    quote = planned.sees().quotes[0]

    assert quote.plans == ()
    with pytest.raises(exceptions.PlanGone):
        choices.choose(
            read(planned.cart),
            quote_id=quote.quote_id,
            accepted=True,
            template_version="1",
            plan="1year-monthly",
        )


def test_a_shop_that_collects_them_offers_them(planned: Shopper) -> None:
    assert [plan.name for plan in planned.sees().quotes[0].plans] == [PLAN["name"]]


def test_the_order_summary_says_in_how_many_parts_the_cover_is_paid(
    planned: Shopper, request_for: Callable[[Cart], HttpRequest]
) -> None:
    planned.says(yes=True, plan="1year-monthly")

    [line] = current_cover(request_for(planned.cart)).lines

    assert (line.plan, line.parts) == ("Every month for one year", 12)
    assert (line.price, line.total) == (gbp("0.66"), gbp("7.92"))


def test_the_order_page_says_how_the_cover_is_paid(planned: Shopper, shop: Shop) -> None:
    planned.says(yes=True)
    order = shop.order()
    payment_completed.send(sender=Order, order=order, cart=planned.cart)
    work()
    Quote.objects.update(instalment_plan=PLAN["name"])

    assert order_cover(order).policies[0].plan == "Every month for one year"
    assert "Every month for one year" in policies_block(HttpRequest(), order)
