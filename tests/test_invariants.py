"""In whatever order shopper, shop, worker, staff and XCover act, some things always hold."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, transaction
from django.http import HttpRequest
from django.utils import timezone
from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from django_xcover.clients import factory
from django_xcover.cover import freeze_cover
from django_xcover.models import (
    BOOKED,
    Choice,
    Decision,
    Discrepancy,
    Operation,
    OperationKind,
    OperationState,
    QuotePackage,
    Status,
    WebhookDelivery,
)
from django_xcover.offers import carts, quoting
from django_xcover.offers import choices as choosing
from django_xcover.signals import order_cancelled
from tests import completion
from tests.examples import examples
from tests.machines import FAULTS, Shopfloor
from tests.shop import SHOP, Cart, Order, laptop, ticket

pytestmark = pytest.mark.every_engine

CARTS = ((ticket(),), (ticket(price="80"),), (ticket(), laptop()), (laptop(),))
CALLS = (
    "create_booking",
    "confirm_booking",
    "opt_out",
    "cancel_booking",
    "confirm_cancellation",
    "create_quote",
    "get_quote",
    "get_booking",
    "list_bookings",
)
BASE_URL = "http://127.0.0.1:9/x"
KEY, SECRET = "hook-key", "the secret of the hook"


class Sale(Shopfloor):
    """One cart, one order, and everybody who can act on it."""

    def __init__(self) -> None:
        super().__init__()
        self.charged: Any = None
        self.seen: dict[int, list[str]] = {}
        self.order = Order()
        self.placed = self.paid = self.returned = self.phoned = False
        self.left_out = False
        self.taken_back: set[str] = set()
        self.cart = Cart()

    def _ends_well(self) -> None:
        """Everybody has done their part: what was paid for is covered, and the rest is not."""
        self.sandbox.faults.clear()
        for _ in range(4):
            self.sweep()
        self.reconcile(fix=True)
        for check in (
            self.at_most_one_package_of_the_order_is_booked,
            self.nothing_comes_back_from_a_final_status,
            self.only_what_was_accepted_and_paid_for_is_covered,
            self.what_is_booked_is_what_was_charged,
            self.nothing_is_lost,
            self.nothing_taken_back_is_in_force,
            self.nothing_waits,
            self.the_sums_are_equal,
        ):
            check()

    def nothing_is_lost(self) -> None:
        """Return when each order's package has the status its story leads to."""
        for package in QuotePackage.objects.exclude(order_reference=""):
            event(f"a package ended as {package.status}")
            wanted = self._expected(package)
            assert package.status in wanted, (package.status, wanted)
            assert self.sandbox.package(package.package_id)["status"] == package.status

    def nothing_taken_back_is_in_force(self) -> None:
        """Return when XCover covers nothing that came back, or a person knows."""
        for package in QuotePackage.objects.exclude(order_reference=""):
            theirs = {q["id"]: q for q in self.sandbox.package(package.package_id)["quotes"]}
            told = package.attention or self._somebody_looks()
            for quote in package.quotes.filter(choice=Choice.WITHDRAWN):
                assert told or theirs[quote.quote_id]["status"] != "CONFIRMED"

    def nothing_waits(self) -> None:
        """Return when each webhook was looked into: XCover answers again."""
        states = set(WebhookDelivery.objects.values_list("state", flat=True))
        assert states <= {WebhookDelivery.State.PROCESSED, WebhookDelivery.State.UNKNOWN}, states

    def the_sums_are_equal(self) -> None:
        """Return when both sides hold the same money, and refunds are what XCover says."""
        for package in QuotePackage.objects.booked():
            theirs = {q["id"]: q for q in self.sandbox.package(package.package_id)["quotes"]}
            booked = [quote for quote in package.quotes.all() if quote.status in BOOKED]
            assert booked or self.left_out  # a booking without its only policy
            for quote in booked:
                told = theirs[quote.quote_id]
                assert (quote.status, quote.price) == (told["status"], told["price"])
            for cancellation in package.cancellations.filter(state="confirmed"):
                # All within the cooling-off period: the whole price comes back. Of what was
                # cancelled by telephone XCover tells no refund.
                whole = sum(quote.price for quote in cancellation.quotes.all())
                untold = self.phoned and cancellation.total_refund is None
                assert untold or cancellation.total_refund == whole
        money = ("not_covered", "price_differs", "unknown")
        is_settled = self.cancelled or self.returned or self.taken_back or self.left_out
        if not (is_settled or self._somebody_looks()):
            assert not Discrepancy.objects.open().filter(kind__in=money).exists()

    def _somebody_looks(self) -> bool:
        return Operation.objects.needing_person().exists()

    def _expected(self, package: QuotePackage) -> set[Status]:
        stopped = package.operations.filter(state=OperationState.NEEDS_PERSON).exists()
        # What XCover has left out is a person's, who may have looked into it by now.
        if self.cancelled or stopped or self.left_out:
            return set(Status)
        chosen = package.quotes.filter(choice__in=(Choice.ACCEPTED, Choice.WITHDRAWN))
        kept = chosen.exclude(line_reference__in=self.taken_back)
        if self.returned or (self.taken_back and not kept.exists()):
            # XCover keeps a booking that was never paid as PENDING_PAYMENT, which is no cover.
            pending = set() if self.order.pays_later else {Status.PENDING_PAYMENT}
            return set(Status) - {Status.CONFIRMED} - pending
        if self.charged is None:
            return {Status.OPTED_OUT}
        if self.paid:
            return {Status.CONFIRMED}
        return {Status.PENDING_PAYMENT} if self.order.pays_later else {Status.RECEIVED}

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
            completion.complete(self.order, self.cart, paid=False)
        self.placed = True

    @precondition(lambda self: self.placed)
    @rule()
    def pay(self) -> None:
        completion.complete(self.order, self.cart, paid=True)
        self.paid = True

    @precondition(lambda self: self.placed)
    @rule()
    def cancel_the_order(self) -> None:
        self.returned = True
        order_cancelled.send(sender=Order, order=self.order, reason="returned")

    @precondition(lambda self: self.placed)
    @rule(line=st.sampled_from(["ticket", "laptop"]))
    def take_a_line_back(self, line: str) -> None:
        self.taken_back.add(line)
        order_cancelled.send(sender=Order, order=self.order, lines=[line])

    # XCover

    @rule(call=st.sampled_from(CALLS), fault=st.sampled_from(FAULTS))
    def something_goes_wrong(self, call: str, fault: str) -> None:
        self.sandbox.faults.add(call, fault, times=1, seconds=0)

    @rule(how=st.sampled_from(["null", "absent"]))
    def xcover_leaves_a_policy_out(self, how: str) -> None:
        self.left_out = True
        self.sandbox.faults.add("create_booking", "missing_policy", how=how)

    @precondition(lambda self: self.placed)
    @rule()
    def somebody_cancels_by_phone(self) -> None:
        client = factory.client_for("default")
        for package in QuotePackage.objects.booked():
            self.cancelled = self.phoned = True
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


@pytest.mark.django_db
def test_no_order_of_events_breaks_a_sale() -> None:
    assert connection.in_atomic_block
    run_state_machine_as_test(
        Sale,
        settings=settings(
            max_examples=examples(60),
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
