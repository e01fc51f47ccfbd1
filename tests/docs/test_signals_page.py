"""The page about signals tells what is really sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from django.dispatch import Signal
from django.http import HttpRequest
from django.utils import timezone

from django_xcover import signals
from django_xcover.models import QuotePackage, Withdrawal
from django_xcover.offers import carts, quoting
from django_xcover.policies import instalments, modification, withdrawal
from django_xcover.policies import renewal as renewing
from django_xcover.sandbox import Sandbox
from django_xcover.sync import webhooks
from django_xcover.testing.factories import WebhookDeliveryFactory
from tests import completion
from tests.conftest import Shopper, work
from tests.docs.pages import DOCS, code_in, table
from tests.docs.shop import CUSTOMER, Cart, shown_to
from tests.docs.test_readme import answer
from tests.shop import Cart as ShopCart
from tests.shop import Shop, laptop

pytestmark = pytest.mark.django_db
PAGE = DOCS / "signals.md"
IN = {"order_completed", "payment_completed", "order_cancelled"}
OUT = {
    name: signal
    for name, signal in vars(signals).items()
    if isinstance(signal, Signal) and name not in IN
}
RENEWING = {"renewal_quoted", "policy_renewed", "renewal_opted_out", "instalment_reported"}
Heard = dict[str, set[str]]


@pytest.fixture
def heard() -> Iterator[Heard]:
    """Return the names of the arguments that each signal was sent with."""
    found: Heard = {}

    def listener(name: str) -> Callable[..., None]:
        def hear(**kwargs: Any) -> None:
            found[name] = set(kwargs) - {"signal", "sender"}

        return hear

    listeners = {name: listener(name) for name in OUT}
    for name, signal in OUT.items():
        signal.connect(listeners[name])
    yield found
    for name, signal in OUT.items():
        signal.disconnect(listeners[name])


def documented() -> Heard:
    """Return the arguments that the page names, by signal."""
    headings = re.findall(r"^### `(\w+)`$", PAGE.read_text(), re.MULTILINE)
    tables = (table(PAGE, "| Argument |", number=i + 1) for i in range(len(headings)))
    return {
        name: {code_in(row[0])[0] for row in rows}
        for name, rows in zip(headings, tables, strict=True)
    }


def test_each_signal_has_the_documented_arguments(
    myshop: dict[str, Any],
    xcover_sandbox: Sandbox,
    request_with: Callable[[Cart], HttpRequest],
    heard: Heard,
    django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[object]],
) -> None:
    def sell(*, yes: bool) -> Any:
        cart = Cart()
        answer(request_with(cart), yes=yes)
        order = myshop["place_order"](shown_to(request_with(cart)), cart, CUSTOMER)
        myshop["money_arrived"](order)
        work()
        return order

    def change(order: Any) -> None:
        package = QuotePackage.objects.get(order_reference=order.number)
        changes = {"event_location": "Dover Castle"}
        modification.settle(
            modification.quote_change(
                package, quote=package.quotes.get(), update_fields=changes, origin="staff"
            )
        )
        work()

    def go_through_an_outage() -> None:
        xcover_sandbox.faults.add("create_quote", "status", times=3, status=503)
        for minutes in range(1, 5):
            with time_machine.travel(timezone.now() + timedelta(minutes=minutes)):
                cart = carts.read_cart(request_with(Cart()))
                assert cart is not None
                quoting.fresh_offer(cart)

    with django_capture_on_commit_callbacks(execute=True):
        go_through_an_outage()
        sell(yes=False)
        order = sell(yes=True)
        change(order)
        package = QuotePackage.objects.get(order_reference=order.number)
        withdrawal.withdraw(
            withdrawal.prepare(package, quotes=list(package.quotes.all())),
            channel=Withdrawal.Channel.PAGE,
        )
        signals.order_cancelled.send(sender=type(order), order=order)
        work()
        xcover_sandbox.faults.add("create_booking", "wrong_price")
        sell(yes=True)
        xcover_sandbox.faults.add("create_booking", "status", status=422)
        sell(yes=True)
        webhooks.replay(WebhookDeliveryFactory.create(package=None))

    assert heard == {name: documented()[name] for name in OUT if name not in RENEWING}


def test_each_signal_of_a_renewal_has_the_documented_arguments(
    shopper: Shopper,
    shop: Shop,
    heard: Heard,
    django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[object]],
) -> None:
    def insure(number: int) -> None:
        yearly = replace(laptop(), fields={**laptop().fields, "term": 12})
        shopper.cart = ShopCart(reference=f"cart-{number}", items=(yearly,))
        shopper.says(yes=True, plan="1year-monthly")
        completion.complete(shop.order(f"ORD-{number}"), shopper.cart, paid=True)
        work()
        package = QuotePackage.objects.latest("pk")
        instalments.mirror(package)
        _, second, *_ = package.quotes.get().instalments.all()
        instalments.report(second, paid=True)
        work()

    committed = partial(django_capture_on_commit_callbacks, execute=True)
    with committed():
        insure(1)
        insure(2)
    with time_machine.travel(timezone.now() + timedelta(days=350)):
        with committed():
            one, other = (renewing.quote(renewal) for renewal in renewing.find_due())
        with committed():
            renewing.record_payment(one)
            renewing.opt_out(other)
            work()

    assert {name: heard[name] for name in RENEWING} == {
        name: documented()[name] for name in RENEWING
    }
