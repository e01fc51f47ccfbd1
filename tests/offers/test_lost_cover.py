"""Accepted cover that can't be offered any more: the shopper reads what is gone and its price."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest

from django_xcover.client import XCoverClient
from django_xcover.cover import current_cover, freeze_cover
from django_xcover.mirror import refresh
from django_xcover.mirror.presentation import Offer
from django_xcover.models import QuotePackage
from django_xcover.offers import quoting
from django_xcover.sandbox import Sandbox
from django_xcover.signals import order_cancelled
from django_xcover.types import Money, PolicyRequest
from tests import completion
from tests.api.conftest import Program, program
from tests.api.conftest import front as api_front
from tests.checkout.conftest import Visitor, front, visitor
from tests.conftest import ReadCart, Shopper, the_package
from tests.shop import Cart, Order, Shop, laptop, ticket

__all__ = ["front", "program", "visitor"]
pytestmark = pytest.mark.django_db
RequestFor = Callable[[Cart | None], HttpRequest]
# The sandbox has no policy for a device above £15,000.
TOO_DEAR = "16000"
TICKET, LAPTOP = "Harbour Lights Festival", "Aero 14"


@pytest.fixture
def insured(shopper: Shopper) -> Money:
    """Return the price of the laptop's cover: the shopper has said yes to both lines."""
    shopper.cart = shopper.cart.but(items=(ticket(), laptop()))
    shopper.says(yes=True, line=0)
    return shopper.says(yes=True, line=1).quotes[1].price


@pytest.fixture
def unsellable(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return what makes XCover's answers to one call leave the laptop out."""

    def leave_out(call: str) -> None:
        honest = getattr(XCoverClient, call)

        def bent(*args: Any, **options: Any) -> Any:
            answer = honest(*args, **options)
            quotes = {
                key: one
                for key, one in answer["quotes"].items()
                if one["policy"]["policy_type"] != "product_insurance"
            }
            return {**answer, "quotes": quotes, "total_price": None, "bundle_price": None}

        monkeypatch.setattr(XCoverClient, call, bent)

    return leave_out


def lost(offer: Offer | None) -> list[tuple[str, Money, bool]]:
    assert offer is not None
    return [(gone.label, gone.was, gone.is_asked) for gone in offer.lost]


def seen(read: ReadCart, cart: Cart) -> Offer | None:
    """Return what the page shows: an offer, or what is said without one."""
    return quoting.look(read(cart)).shown


@pytest.mark.parametrize("currency", ["GBP", "EUR"], ids=["in place", "as another package"])
def test_a_line_that_xcover_leaves_out_of_a_new_quote_is_named_with_what_it_cost(
    shopper: Shopper, insured: Money, unsellable: Callable[[str], None], currency: str
) -> None:
    for call in ("update_quote", "create_quote"):
        unsellable(call)
    items = (ticket(), laptop(price="1900"))
    shopper.cart = shopper.cart.but(items=items, currency=currency)

    offer = shopper.sees()

    assert [quote.label for quote in offer.quotes] == [TICKET]
    assert lost(offer) == [(LAPTOP, insured, True)]
    assert offer.lost[0].message == (
        "Cover for Aero 14 is no longer available. "
        f"Your earlier choice (£{insured.amount.normalize():f}) was removed."
    )
    assert offer.has_lapsed


def test_a_line_that_xcover_drops_from_the_stored_offer_is_named(
    shopper: Shopper, insured: Money, unsellable: Callable[[str], None], read: ReadCart
) -> None:
    unsellable("get_quote")

    refresh.refresh(the_package())

    assert lost(seen(read, shopper.cart)) == [(LAPTOP, insured, True)]


@pytest.mark.parametrize("currency", ["GBP", "EUR"], ids=["in place", "as another package"])
def test_a_line_that_the_shop_no_longer_asks_about_is_named_as_a_change_of_the_order(
    shopper: Shopper, insured: Money, currency: str, request_for: RequestFor
) -> None:
    shopper.cart = shopper.cart.but(items=(ticket(),), currency=currency)

    offer = shopper.sees()

    assert lost(offer) == [(LAPTOP, insured, False)]
    assert offer.lost[0].message.endswith("was removed because your order has changed.")
    shopper.says(yes=True)
    cover = freeze_cover(request_for(shopper.cart))
    assert not cover.lapsed, "the shopper may have taken it out of the cart"
    assert [gone.label for gone in cover.lost] == [LAPTOP]


@pytest.mark.parametrize("changed", [laptop(price="1900"), ticket("laptop")], ids=["price", "type"])
@pytest.mark.parametrize("currency", ["GBP", "EUR"], ids=["in place", "as another package"])
def test_cover_that_the_shopper_has_declined_since_is_not_called_removed(
    shopper: Shopper, insured: Money, currency: str, changed: PolicyRequest
) -> None:
    # A line of another type gets another quote; the accepted one stays stored.
    shopper.cart = shopper.cart.but(items=(ticket(), changed))
    shopper.says(yes=False, line=1)

    shopper.cart = shopper.cart.but(items=(ticket(),), currency=currency)

    assert lost(shopper.sees()) == []


def test_what_is_gone_stays_named_over_several_quotes_until_it_is_offered_again(
    shopper: Shopper, insured: Money
) -> None:
    shopper.cart = shopper.cart.but(items=(ticket(),))
    shopper.sees()
    for currency in ("EUR", "GBP"):
        shopper.cart = shopper.cart.but(currency=currency)
        assert lost(shopper.sees()) == [(LAPTOP, insured, False)]

    shopper.cart = shopper.cart.but(items=(ticket(), laptop()))
    offer = shopper.sees()

    assert lost(offer) == []
    lapse = offer.quotes[1].lapse
    assert lapse is not None
    assert lapse.was == insured
    assert offer.quotes[1].choice == ""


def test_a_line_lost_to_another_package_and_offered_again_there_asks_again(
    shopper: Shopper, insured: Money
) -> None:
    shopper.cart = shopper.cart.but(items=(ticket(),), currency="EUR")
    shopper.sees()
    shopper.cart = shopper.cart.but(items=(ticket(), laptop()))

    offer = shopper.sees()

    assert lost(offer) == []
    lapse = offer.quotes[1].lapse
    assert lapse is not None
    assert (lapse.was, lapse.changed) == (insured, ("currency", "price"))


def test_a_line_without_a_yes_goes_without_a_word(shopper: Shopper) -> None:
    shopper.cart = shopper.cart.but(items=(ticket(), laptop(), laptop("third")))
    shopper.says(yes=False, line=1)
    for currency in ("GBP", "EUR"):
        shopper.cart = shopper.cart.but(items=(ticket(),), currency=currency)
        assert lost(shopper.sees()) == []


def test_the_last_line_of_an_offer_is_named_when_nothing_is_offered_any_more(
    shopper: Shopper, read: ReadCart, request_for: RequestFor
) -> None:
    shopper.cart = shopper.cart.but(items=(laptop(),))
    was = shopper.says(yes=True).quotes[0].price
    changed = shopper.cart.but(items=(laptop(price=TOO_DEAR),))

    for _ in range(2):  # asked, and remembered
        found = quoting.look(read(changed))
        assert found.offer is None
        assert lost(found.shown) == [(LAPTOP, was, True)]

    cover = freeze_cover(request_for(changed))
    assert (cover.premium, cover.lapsed) == (None, True)
    assert [gone.was for gone in cover.lost] == [was]


def test_an_aged_yes_that_still_counts_is_not_called_gone_while_xcover_is_away(
    shopper: Shopper, sandbox: Sandbox, read: ReadCart, request_for: RequestFor
) -> None:
    shopper.says(yes=True)
    QuotePackage.objects.update(quoted_at=the_package().quoted_at - timedelta(days=1))
    sandbox.faults.add("*", "reset", times=None)

    assert seen(read, shopper.cart) is None
    assert current_cover(request_for(shopper.cart)).premium is not None


def test_a_shop_reads_what_is_gone_before_and_with_the_order(
    shopper: Shopper, insured: Money, unsellable: Callable[[str], None], request_for: RequestFor
) -> None:
    unsellable("update_quote")
    shopper.cart = shopper.cart.but(items=(ticket(), laptop(price="1900")))
    shopper.sees()

    for cover in (
        current_cover(request_for(shopper.cart)),
        freeze_cover(request_for(shopper.cart)),
    ):
        assert cover.lapsed
        assert [(gone.label, gone.was) for gone in cover.lost] == [(LAPTOP, insured)]
        assert [line.label for line in cover.lines] == [TICKET]


def test_cover_that_an_order_has_is_not_called_gone_in_the_next_one(
    shopper: Shopper, insured: Money, shop: Shop
) -> None:
    completion.complete(shop.order(), shopper.cart, paid=True)
    shopper.cart = shopper.cart.but(items=(ticket(),))

    assert lost(shopper.sees()) == []


def test_what_a_cancelled_order_had_and_cannot_have_again_is_named(
    shopper: Shopper, insured: Money, shop: Shop, unsellable: Callable[[str], None]
) -> None:
    order = shop.order()
    completion.complete(order, shopper.cart, paid=True)
    order_cancelled.send(sender=Order, order=order)
    unsellable("create_quote")

    assert lost(shopper.sees()) == [(LAPTOP, insured, True)]


def test_another_shopper_reads_nothing_of_it(
    visitor: Visitor, read: ReadCart, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor.shopper.cart = visitor.shopper.cart.but(items=(ticket(), laptop()))
    visitor.shopper.says(yes=True, line=1)
    monkeypatch.setattr("tests.shop.Adapter.get_shopper_reference", lambda *_: "user:7")
    visitor.shopper.cart = visitor.shopper.cart.but(items=(ticket(),))

    assert lost(visitor.shopper.sees()) == []


@pytest.mark.parametrize("path", ["/xcover/offer/", "/xcover/offer/page/", "/checkout/"])
def test_the_pages_say_it_once_above_the_offer(visitor: Visitor, path: str) -> None:
    visitor.shopper.cart = visitor.shopper.cart.but(items=(ticket(), laptop()))
    visitor.shopper.says(yes=True, line=1)
    visitor.front.cart = visitor.shopper.cart.but(items=(ticket(),))
    visitor.opens("/xcover/offer/")

    page = visitor.opens(path)

    (said,) = [p for p in page.all("p") if "Aero 14" in p.text]
    assert said["class"] == "xcover-lapsed"
    assert len(page.all("fieldset")) == 1


def test_a_label_cannot_become_markup(visitor: Visitor) -> None:
    visitor.is_offered()
    entry = {"line": "x", "label": "<b>x", "amount": "7.89", "currency": "GBP", "is_asked": True}
    QuotePackage.objects.update(lost_cover=[entry])

    assert visitor.opens("/xcover/offer/").all("b") == []


def test_without_an_offer_the_pages_say_it_and_that_the_sale_goes_on(visitor: Visitor) -> None:
    visitor.shopper.cart = visitor.shopper.cart.but(items=(laptop(),))
    visitor.shopper.says(yes=True)
    visitor.front.cart = visitor.shopper.cart.but(items=(laptop(price=TOO_DEAR),))

    for path in ("/xcover/offer/", "/xcover/offer/page/"):
        page = visitor.opens(path)

        texts = [p.text for p in page.all("p")]
        assert any(text.startswith("Cover for Aero 14 is no longer available.") for text in texts)
        assert sum("You can continue without it." in text for text in texts) == 1
        assert page.one("div", class_="xcover-offer")["data-premium"] == "0.00"


def test_what_was_lost_before_the_migration_is_named_after_it(
    shopper: Shopper, insured: Money, unsellable: Callable[[str], None]
) -> None:
    unsellable("update_quote")
    shopper.cart = shopper.cart.but(items=(ticket(), laptop(price="1900")))
    shopper.sees()
    QuotePackage.objects.update(lost_cover=[])
    migration = importlib.import_module("django_xcover.migrations.0017_lost_cover")
    state = MigrationLoader(connection).project_state(("xcover", "0017_lost_cover"))

    for _ in range(2):
        migration.note_lost(state.apps, connection.schema_editor())

    assert lost(shopper.sees()) == [(LAPTOP, insured, False)]


class TestApi:
    @pytest.fixture
    def front(self, settings: Any) -> Any:
        yield from api_front.__wrapped__(settings)  # type: ignore[attr-defined]

    def test_the_api_says_it_with_the_amount(self, program: Program) -> None:
        program.shopper.cart = program.shopper.cart.but(items=(ticket(), laptop()))
        was = program.shopper.says(yes=True, line=1).quotes[1].price
        program.front.cart = program.shopper.cart.but(items=(ticket(),))

        offer = program.gets("offer/").json()

        (gone,) = offer["lost"]
        assert Decimal(gone["was"]["amount"]) == was.amount
        assert (gone["label"], gone["is_asked"]) == (LAPTOP, False)
        assert "was removed" in gone["message"]

    def test_without_an_offer_the_api_has_one_without_quotes(self, program: Program) -> None:
        program.shopper.cart = program.shopper.cart.but(items=(laptop(),))
        program.shopper.says(yes=True)
        program.front.cart = program.shopper.cart.but(items=(laptop(price=TOO_DEAR),))

        response = program.gets("offer/")

        assert response.status_code == 200
        offer = response.json()
        assert (offer["quotes"], offer["premium"]["amount"]) == ([], "0.00")
        assert [gone["label"] for gone in offer["lost"]] == [LAPTOP]
