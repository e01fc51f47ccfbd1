"""In whatever order a renewal is found, priced, paid, declined and confirmed, it is made once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.http import HttpRequest
from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule, run_state_machine_as_test

from django_xcover.clients import factory
from django_xcover.models import Operation, OperationKind, QuotePackage, Renewal
from django_xcover.offers import carts, choices, quoting
from django_xcover.policies import renewal as renewing
from tests import completion
from tests.examples import examples
from tests.machines import FAULTS, Shopfloor
from tests.policies.renewal.conftest import BOUGHT, ENDS, required, yearly
from tests.shop import SHOP, Cart

pytestmark = pytest.mark.every_engine

CALLS = ("quote_for_renewal", "confirm_renewal", "opt_out_of_renewal", "get_booking")
State = Renewal.State
FINAL = {State.CONFIRMED, State.OPTED_OUT}


class Year(Shopfloor):
    """A laptop's cover, booked for a year that ends soon, and everybody who can act on it."""

    def __init__(self) -> None:
        super().__init__()
        self._travel = time_machine.travel(BOUGHT, tick=False)
        self.clock = self._travel.start()
        self.paid: dict[int, Decimal] = {}
        self.refunded: set[int] = set()
        self.by_itself = False
        self.seen: dict[int, list[str]] = {}

    def _undo(self) -> None:
        self._travel.stop()
        super()._undo()

    def _ends_well(self) -> None:
        self.sandbox.faults.clear()
        for _ in range(4):
            self.sweep()
        self.reconcile(fix=True)
        self.what_is_paid_is_covered_at_that_price()

    @initialize(came_to=st.sampled_from(["nothing", "a price", "a payment", "a payment"]))
    def buy_cover_for_a_year(self, came_to: str) -> None:
        """Begin where most renewals begin, so that few steps lead far."""
        cart = Cart(items=(yearly(),))
        to_insure = carts.read_cart(HttpRequest(), cart)
        assert to_insure is not None
        offer = quoting.fresh_offer(to_insure)
        assert offer is not None
        quote_id = offer.quotes[0].quote_id
        choices.choose(to_insure, quote_id=quote_id, accepted=True, template_version="test")
        completion.complete(SHOP.order(), cart, paid=True)
        self.work(later=False)
        assert QuotePackage.objects.get().status == "CONFIRMED"
        self.clock.move_to(ENDS - timedelta(days=20))
        if came_to != "nothing":
            self.beat_looks_ahead()
        if came_to == "a payment":
            self.the_premium_is_collected("PAY-1")

    # The shop, its customer, and time

    @rule()
    def beat_looks_ahead(self) -> None:
        for renewal in renewing.find_due():
            renewing.prepare(renewal.pk)

    @rule()
    def the_price_is_asked_for(self) -> None:
        for renewal in Renewal.objects.all():
            self._forgiving(lambda renewal=renewal: renewing.quote(renewal))  # type: ignore[misc]

    @rule(reference=st.sampled_from(["PAY-1", "PAY-1", "PAY-2"]))
    def the_premium_is_collected(self, reference: str) -> None:
        for renewal in Renewal.objects.all():
            self._forgiving(lambda renewal=renewal: self._pay(renewal, reference))  # type: ignore[misc]

    def _pay(self, renewal: Renewal, reference: str) -> None:
        premium = renewal.premium
        renewing.record_payment(renewal, reference=reference, amount=premium)
        assert premium is not None
        self.paid.setdefault(renewal.pk, premium.amount)

    @rule()
    def the_customer_declines(self) -> None:
        for renewal in Renewal.objects.all():
            self._forgiving(lambda renewal=renewal: renewing.opt_out(renewal))  # type: ignore[misc]

    @rule(days=st.sampled_from([1, 15, 40]))
    def time_passes(self, days: int) -> None:
        self.clock.shift(timedelta(days=days))

    # Staff

    @rule()
    def staff_give_the_money_back(self) -> None:
        for renewal in Renewal.objects.all():
            self._forgiving(lambda renewal=renewal: self._give_up(renewal))  # type: ignore[misc]

    def _give_up(self, renewal: Renewal) -> None:
        renewing.abandon(renewal, reason="refunded")
        self.refunded.add(renewal.pk)

    # XCover

    @rule(call=st.sampled_from(CALLS), fault=st.sampled_from(FAULTS))
    def something_goes_wrong(self, call: str, fault: str) -> None:
        self.sandbox.faults.add(call, fault, times=1, seconds=0)

    @rule()
    def xcover_renews_by_itself(self) -> None:
        client = factory.client_for("default")
        for renewal in Renewal.objects.exclude(renewal_id=""):
            self.by_itself = True
            self._forgiving(
                lambda renewal=renewal: client.renewal_confirmation(  # type: ignore[misc]
                    renewal.package.package_id, renewal.renewal_id, required(renewal.payload)
                )
            )

    # What always holds

    @invariant()
    def a_renewal_is_confirmed_once(self) -> None:
        # By key, which XCover carries out once. A garbled answer is a 200 too, and asked for again.
        calls = self.sandbox.calls("confirm_renewal")
        made = {call.idempotency_key for call in calls if call.status == 200}
        written = Operation.objects.filter(kind=OperationKind.RENEW)
        subjects = list(written.values_list("subject", flat=True))
        assert len(subjects) == len(set(subjects))
        assert self.by_itself or len(made) <= len(self.paid)

    @invariant()
    def nothing_is_renewed_that_nobody_paid(self) -> None:
        for package in self.sandbox.packages():
            statuses = [quote["status"] for quote in package["quotes"]]
            assert "RENEWED" not in statuses or self.paid or self.by_itself

    @invariant()
    def nothing_comes_back_from_a_final_state(self) -> None:
        for renewal in Renewal.objects.all():
            history = self.seen.setdefault(renewal.pk, [])
            if not history or history[-1] != renewal.state:
                history.append(renewal.state)
            assert not FINAL.intersection(history[:-1]), history
        statuses = QuotePackage.objects.values_list("status", flat=True)
        assert set(statuses) <= ({"CONFIRMED", "CANCELLED"} if self.cancelled else {"CONFIRMED"})

    def what_is_paid_is_covered_at_that_price(self) -> None:
        """Return when each premium has its period at XCover, or a person has it."""
        for renewal in Renewal.objects.filter(pk__in=self.paid):
            event(f"a paid renewal ended as {renewal.state}")
            if renewal.pk in self.refunded or self.cancelled or self._waits_for_a_person(renewal):
                continue
            assert renewal.state == State.CONFIRMED, renewal.state
            (package,) = self.sandbox.packages()
            in_force = [q["price"] for q in package["quotes"] if q["status"] == "CONFIRMED"]
            mirrored = [q.price for q in renewal.package.quotes.filter(status="CONFIRMED")]
            assert sum(in_force) == sum(mirrored) == self.paid[renewal.pk]

    def _waits_for_a_person(self, renewal: Renewal) -> bool:
        return Operation.objects.needing_person().filter(package=renewal.package).exists()


@pytest.mark.django_db
def test_no_order_of_events_renews_twice_or_for_nothing() -> None:
    assert connection.in_atomic_block
    run_state_machine_as_test(
        Year,
        settings=settings(
            max_examples=examples(30),
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
