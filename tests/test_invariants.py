"""In whatever order shopper, shop, worker, staff and XCover act, some things always hold."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
import requests
from django.conf import settings as django_settings
from django.db import connection, transaction
from django.http import HttpRequest
from django.test import override_settings
from django.utils import timezone
from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from django_xcover.client import XCoverClient, XCoverError
from django_xcover.models import (
    Cancellation,
    Choice,
    Decision,
    Operation,
    OperationKind,
    OperationState,
    QuotePackage,
    Status,
)
from django_xcover.sandbox import Sandbox
from django_xcover.sandbox.inprocess import mount
from django_xcover.services import (
    cancelling,
    carts,
    choosing,
    gateway,
    operations,
    orders,
    quoting,
    refreshing,
    running,
)
from django_xcover.services.choosing import ChoiceRefused
from django_xcover.services.cover import freeze_cover
from django_xcover.services.refusals import Refused
from django_xcover.signals import order_cancelled
from tests.shop import SHOP, Cart, Order, laptop, ticket

CARTS = ((ticket(),), (ticket(price="80"),), (ticket(), laptop()), (laptop(),))
FAULTS = ("process_then_reset", "reset", "garbage")
CALLS = ("create_booking", "opt_out", "cancel_booking", "confirm_cancellation", "create_quote")
BASE_URL = "http://127.0.0.1:9/x"


class Sale(RuleBasedStateMachine):
    """One cart, one order, and everybody who can act on it."""

    def __init__(self) -> None:
        super().__init__()
        self._savepoint = transaction.atomic()
        self._savepoint.__enter__()
        self._setting = override_settings(
            XCOVER={**django_settings.XCOVER, "ADAPTER": "tests.shop.Adapter"}
        )
        self._setting.enable()
        self.sandbox, self.session = Sandbox(), requests.Session()
        mount(self.session, BASE_URL, self.sandbox)
        client = XCoverClient(
            base_url=BASE_URL,
            partner_code="SHOP1",
            api_key="sandbox-key",
            api_secret="sandbox-secret",
            backoff=0,
            max_attempts=1,
            session=self.session,
        )
        self._gateway = mock.patch.object(gateway, "client_for", return_value=client)
        self._gateway.start()
        self.charged: Any = None
        self.seen: dict[int, list[str]] = {}
        self.order = Order()
        self.placed = self.paid = self.cancelled = self.returned = False
        self.cart = Cart()

    def teardown(self) -> None:
        """Let the storm end and the queue drain, look once more, and undo everything."""
        try:
            self._ends_well()
        finally:
            self._undo()

    def _ends_well(self) -> None:
        """Everybody has done their part: what was paid for is covered, and the rest is not."""
        self.sandbox.faults.clear()
        for _ in range(4):
            if self.placed:
                self.work(later=True)
        for check in (
            self.at_most_one_package_of_the_order_is_booked,
            self.nothing_comes_back_from_a_final_status,
            self.only_what_was_accepted_and_paid_for_is_covered,
            self.what_is_booked_is_what_was_charged,
            self.nothing_is_lost,
        ):
            check()

    def nothing_is_lost(self) -> None:
        """Return when each order's package has the status its story leads to."""
        for package in QuotePackage.objects.exclude(order_reference=""):
            event(f"a package ended as {package.status}")
            wanted = self._expected(package)
            assert package.status in wanted, (package.status, wanted)
            assert self.sandbox.package(package.package_id)["status"] == package.status

    def _expected(self, package: QuotePackage) -> set[Status]:
        stopped = package.operations.filter(state=OperationState.NEEDS_PERSON).exists()
        if self.cancelled or stopped:
            return set(Status)
        if self.returned:
            return set(Status) - {Status.CONFIRMED, Status.PENDING_PAYMENT}
        if self.charged is None:
            return {Status.OPTED_OUT}
        if self.paid:
            return {Status.CONFIRMED}
        return {Status.PENDING_PAYMENT} if self.order.pays_later else {Status.RECEIVED}

    def _undo(self) -> None:
        self._gateway.stop()
        self._setting.disable()
        self.session.close()
        self.sandbox.close()
        SHOP.orders.clear()
        transaction.set_rollback(True)
        self._savepoint.__exit__(None, None, None)

    @initialize(
        pays_later=st.booleans(),
        answer=st.sampled_from([True, True, False, None]),
        goes_on=st.sampled_from(["to pay", "to pay", "to order", "to think"]),
    )
    def come_to_the_checkout(self, pays_later: bool, answer: bool | None, goes_on: str) -> None:
        """Begin where most sales begin, so that few steps lead far."""
        self.order = SHOP.order(pays_later=pays_later)
        if answer is not None:
            self.look_and_answer(yes=answer, line=0)
        if goes_on != "to think":
            self.place_the_order()
        if goes_on == "to pay":
            self.pay()

    # The shopper

    @precondition(lambda self: not self.placed)
    @rule(items=st.sampled_from(CARTS))
    def change_the_cart(self, items: Any) -> None:
        self.cart = self.cart.but(items=items)

    @rule(yes=st.booleans(), line=st.integers(0, 1))
    def look_and_answer(self, yes: bool, line: int) -> None:
        cart = carts.read_cart(HttpRequest(), self.cart)
        assert cart is not None
        offer = None if self.placed else quoting.fresh_offer(cart)
        if offer is None or line >= len(offer.quotes):
            return
        shown = offer.quotes[line]
        self._forgiving(
            lambda: choosing.choose(
                cart, quote_id=shown.quote_id, accepted=yes, template_version="test"
            )
        )

    @rule(data=st.data())
    def answer_an_old_page(self, data: st.DataObject) -> None:
        ids = [quote.quote_id for p in QuotePackage.objects.all() for quote in p.quotes.all()]
        cart = carts.read_cart(HttpRequest(), self.cart)
        assert cart is not None
        if ids:
            quote_id = data.draw(st.sampled_from(ids))
            self._forgiving(
                lambda: choosing.choose(
                    cart, quote_id=quote_id, accepted=True, template_version="test"
                )
            )

    # The shop

    @precondition(lambda self: not self.placed)
    @rule()
    def place_the_order(self) -> None:
        with transaction.atomic():
            cover = freeze_cover(HttpRequest(), self.cart)
            self.charged = cover.premium
            orders.complete(self.order, self.cart, paid=False)
        self.placed = True

    @precondition(lambda self: self.placed)
    @rule()
    def pay(self) -> None:
        orders.complete(self.order, self.cart, paid=True)
        self.paid = True

    @precondition(lambda self: self.placed)
    @rule()
    def cancel_the_order(self) -> None:
        self.returned = True
        order_cancelled.send(sender=Order, order=self.order, reason="returned")

    # The worker, the sweeper, staff

    @precondition(lambda self: self.placed)
    @rule(later=st.booleans())
    def work(self, later: bool) -> None:
        if later:
            past = timezone.now() - timedelta(seconds=1)
            Operation.objects.update(next_attempt_at=past, lease_until=past)
        for pk in Operation.objects.order_by("pk").values_list("pk", flat=True):
            running.run(pk)

    @precondition(lambda self: self.placed)
    @rule()
    def a_worker_dies_with_a_claim(self) -> None:
        for pk in Operation.objects.order_by("pk").values_list("pk", flat=True):
            operations.claim(pk)

    @precondition(lambda self: self.placed)
    @rule()
    def staff_retry(self) -> None:
        for operation in Operation.objects.all():
            operations.retry(operation)

    @precondition(lambda self: self.placed)
    @rule()
    def staff_refresh(self) -> None:
        for package in QuotePackage.objects.all():
            self._forgiving(lambda package=package: refreshing.refresh(package))  # type: ignore[misc]

    @precondition(lambda self: self.placed)
    @rule()
    def staff_cancel(self) -> None:
        for package in QuotePackage.objects.booked():
            self.cancelled = True
            self._forgiving(
                lambda package=package: cancelling.cancel_now(  # type: ignore[misc]
                    package, origin=Cancellation.Origin.STAFF
                )
            )

    # XCover

    @rule(call=st.sampled_from(CALLS), fault=st.sampled_from(FAULTS))
    def something_goes_wrong(self, call: str, fault: str) -> None:
        self.sandbox.faults.add(call, fault, times=1, seconds=0)

    @precondition(lambda self: self.placed)
    @rule()
    def somebody_cancels_by_phone(self) -> None:
        client = gateway.client_for("default")
        for package in QuotePackage.objects.booked():
            self.cancelled = True
            self._forgiving(
                lambda package=package: client.cancel_booking(  # type: ignore[misc]
                    package.package_id, idempotency_key=f"phone-{timezone.now().timestamp()}"
                )
            )

    # What always holds

    @invariant()
    def at_most_one_package_of_the_order_is_booked(self) -> None:
        booked = [p for p in self.sandbox.packages() if p["status"] in {"CONFIRMED", "CANCELLED"}]
        assert len(booked) <= 1
        assert Operation.objects.filter(kind=OperationKind.BOOK).count() <= 1

    @invariant()
    def nothing_comes_back_from_a_final_status(self) -> None:
        final = {Status.CANCELLED, Status.OPTED_OUT}
        for package in QuotePackage.objects.all():
            history = self.seen.setdefault(package.pk, [])
            if not history or history[-1] != package.status:
                history.append(package.status)
            assert not final.intersection(history[:-1]), history

    @invariant()
    def only_what_was_accepted_and_paid_for_is_covered(self) -> None:
        for package in self.sandbox.packages():
            if package["status"] == "CONFIRMED":
                assert self.paid
                ours = QuotePackage.objects.get(package_id=package["id"])
                for quote in package["quotes"]:
                    choices = Decision.objects.filter(
                        package=ours, quote__quote_id=quote["id"], choice=Choice.ACCEPTED
                    )
                    assert choices.exists() or quote["status"] != "CONFIRMED"

    @invariant()
    def what_is_booked_is_what_was_charged(self) -> None:
        for package in self.sandbox.packages():
            if package["status"] == "CONFIRMED":
                booked = [q["price"] for q in package["quotes"] if q["status"] == "CONFIRMED"]
                assert self.charged is not None
                assert sum(booked) <= self.charged.amount

    def _forgiving(self, act: Callable[[], object]) -> None:
        """Do what may be refused: a refusal is a fine answer."""
        with suppress(ChoiceRefused, Refused, XCoverError):
            act()


@pytest.mark.django_db
def test_no_order_of_events_breaks_a_sale() -> None:
    assert connection.in_atomic_block
    run_state_machine_as_test(
        Sale,
        settings=settings(
            max_examples=60,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
