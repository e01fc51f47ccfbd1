"""A cart that changes after it was quoted."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpRequest

from django_xcover.client import XCoverClient
from django_xcover.client.connections import Deadline
from django_xcover.clients import factory
from django_xcover.models import Choice, Decision, Quote, QuotePackage
from django_xcover.offers import quote_storage, quoting
from django_xcover.sandbox import Sandbox
from tests.conftest import ReadCart, Shopper, the_package
from tests.shop import laptop, ticket

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]


def test_a_change_that_xcover_loses_leaves_a_package_nobody_trusts(
    shopper: Shopper, sandbox: Sandbox, read: ReadCart
) -> None:
    shopper.says(yes=True)
    shopper.cart = shopper.cart.but(items=(ticket(price="80"),))
    sandbox.faults.add("update_quote", "process_then_reset")

    assert quoting.fresh_offer(read(shopper.cart)) is None
    assert quoting.stored_offer(HttpRequest(), read(shopper.cart)) is None

    offer = shopper.sees()
    assert len(sandbox.calls("create_quote")) == 2
    assert offer.quotes[0].choice == ""


def test_a_change_that_xcover_refuses_is_quoted_anew(shopper: Shopper, sandbox: Sandbox) -> None:
    shopper.says(yes=True)
    shopper.cart = shopper.cart.but(items=(ticket(price="80"),))
    sandbox.faults.add("update_quote", "status", status=422)

    offer = shopper.sees()

    assert offer.quotes[0].choice == ""
    assert len(sandbox.calls("create_quote")) == 2


def test_a_change_of_price_unmakes_the_yes_and_is_on_record(
    shopper: Shopper, sandbox: Sandbox
) -> None:
    before = shopper.says(yes=True).quotes[0]
    shopper.cart = shopper.cart.but(items=(ticket(price="80"),))

    after = shopper.sees().quotes[0]

    assert after.quote_id == before.quote_id
    assert after.price.amount > before.price.amount
    assert after.choice == ""
    assert Decision.objects.latest("pk").choice == Choice.LAPSED
    assert len(sandbox.calls("create_quote")) == 1
    assert len(sandbox.calls("update_quote")) == 1


def test_a_change_of_price_keeps_a_no(shopper: Shopper) -> None:
    shopper.says(yes=False)
    shopper.cart = shopper.cart.but(items=(ticket(price="80"),))

    assert shopper.sees().quotes[0].choice == Choice.DECLINED


def test_a_new_line_is_added_and_the_old_yes_stands(shopper: Shopper, sandbox: Sandbox) -> None:
    before = shopper.says(yes=True).quotes[0]
    shopper.cart = shopper.cart.but(items=(laptop(), ticket()))

    offer = shopper.sees()

    assert [quote.label for quote in offer.quotes] == ["Aero 14", "Harbour Lights Festival"]
    assert [quote.choice for quote in offer.quotes] == ["", Choice.ACCEPTED]
    assert offer.quotes[1].quote_id == before.quote_id
    assert offer.package_id == the_package().package_id
    assert len(sandbox.calls("add_quotes")) == 1


def test_two_new_lines_are_told_apart_although_the_keys_renumber(
    shopper: Shopper, sandbox: Sandbox
) -> None:
    shopper.sees()
    items = (ticket(), laptop(price="500"), laptop("dear", price="5000"))
    shopper.cart = shopper.cart.but(items=items)

    prices = [quote.price.amount for quote in shopper.sees().quotes]

    assert prices[2] > 5 * prices[1]


def test_a_line_that_cannot_be_quoted_with_its_change_takes_its_quote_along(
    shopper: Shopper, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    shopper.cart = shopper.cart.but(items=(ticket(), laptop()))
    shopper.says(yes=True, line=0)
    shopper.says(yes=True, line=1)
    honest = XCoverClient.update_quote

    def loses_the_laptop(self: XCoverClient, *args: Any, **options: Any) -> Any:
        answer = honest(self, *args, **options)
        lost = Quote.objects.get(line_reference="laptop").quote_id
        quotes = {key: None if one["id"] == lost else one for key, one in answer["quotes"].items()}
        return {**answer, "quotes": quotes, "total_price": None, "bundle_price": None}

    monkeypatch.setattr(XCoverClient, "update_quote", loses_the_laptop)
    shopper.cart = shopper.cart.but(items=(ticket(), laptop(price="1900")))

    offer = shopper.sees()

    assert [quote.label for quote in offer.quotes] == [ticket().label]
    assert set(Quote.objects.accepted().values_list("line_reference", flat=True)) == {"ticket"}


def test_a_removed_line_takes_its_quote_along(shopper: Shopper, sandbox: Sandbox) -> None:
    shopper.cart = shopper.cart.but(items=(ticket(), laptop()))
    shopper.says(yes=True, line=1)
    shopper.cart = shopper.cart.but(items=(ticket(),))

    offer = shopper.sees()

    assert [quote.label for quote in offer.quotes] == ["Harbour Lights Festival"]
    gone = Quote.objects.get(line_reference="laptop")
    assert (gone.status, gone.choice) == ("DELETED", "")
    assert len(sandbox.package(offer.package_id)["quotes"]) == 1


def test_a_cart_with_nothing_in_common_is_quoted_anew(shopper: Shopper, sandbox: Sandbox) -> None:
    shopper.sees()
    shopper.cart = shopper.cart.but(items=(laptop(),))

    shopper.sees()

    assert len(sandbox.calls("create_quote")) == 2
    assert not sandbox.calls("add_quotes")


def test_of_two_pages_changing_one_package_only_one_asks_xcover(
    shopper: Shopper, sandbox: Sandbox, read: ReadCart
) -> None:
    shopper.sees()
    changed = read(shopper.cart.but(items=(ticket(price="80"),)))
    stale = quoting.latest_quotes(changed)
    shopper.cart = shopper.cart.but(items=(ticket(price="80"),))
    shopper.sees()

    calls = len(sandbox.calls())
    client = factory.client_for("default")
    assert quote_storage.update_package(client, changed, stale, until=Deadline.after(10)) == []
    assert len(sandbox.calls()) == calls


def test_an_order_placed_meanwhile_keeps_the_prices_it_was_placed_with(
    shopper: Shopper, sandbox: Sandbox, read: ReadCart, monkeypatch: pytest.MonkeyPatch
) -> None:
    agreed = shopper.says(yes=True).quotes[0].price
    carry_out = quote_storage._carry_out

    def order_comes_in_between(*args: object) -> object:
        answer = carry_out(*args)  # type: ignore[arg-type]
        QuotePackage.objects.update(order_reference="ORD-1")
        return answer

    monkeypatch.setattr(quote_storage, "_carry_out", order_comes_in_between)
    shopper.cart = shopper.cart.but(items=(ticket(price="80"),))
    shopper.sees()

    ordered = Quote.objects.get(package__order_reference="ORD-1")
    assert ordered.price == agreed.amount
    assert ordered.choice == Choice.ACCEPTED
