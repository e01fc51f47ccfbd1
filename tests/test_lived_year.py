"""A year of cover, lived through: paid in parts, changed, renewed, cancelled.

At every step the mirror, XCover and the shop's ledger agree to the last decimal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from django_xcover import signals
from django_xcover.client.schemas.policies import instalments_from_wire
from django_xcover.clients import factory
from django_xcover.cover import freeze_cover
from django_xcover.models import (
    Cancellation,
    Instalment,
    Modification,
    Operation,
    OperationState,
    Quote,
    Renewal,
)
from django_xcover.offers import choices
from django_xcover.policies import (
    cancellation as cancelling,
)
from django_xcover.policies import (
    instalments,
)
from django_xcover.policies import (
    modification as modifying,
)
from django_xcover.policies import (
    renewal as renewing,
)
from django_xcover.sandbox import Sandbox
from tests import completion
from tests.conftest import ReadCart, Shopper, the_package, work
from tests.shop import Shop, laptop

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]
MONTHLY = "1year-monthly"
START = "2027-03-01T09:00:00+00:00"
SMALLEST = {"GBP": Decimal("0.01"), "JPY": Decimal(1), "KWD": Decimal("0.001")}
VALUES = {"GBP": "1200", "JPY": "180000", "KWD": "450.500"}
HIGHER = {"GBP": "1500", "JPY": "225000", "KWD": "563.125"}


class Year:
    """The shop's ledger, XCover and our mirror, side by side."""

    def __init__(self, sandbox: Sandbox, clock: time_machine.Traveller) -> None:
        self.sandbox = sandbox
        self._clock = clock
        self.ledger: list[Decimal] = []

    def charges(self, amount: Decimal) -> None:
        """Let the shop take money (or, below zero, give it back)."""
        self.ledger.append(amount)

    def goes_on(self, **duration: float) -> None:
        """Let time pass, here and at XCover."""
        self._clock.shift(timedelta(**duration))

    def goes_on_until(self, moment: Any) -> None:
        """Let time pass up to `moment`."""
        self._clock.move_to(moment)

    def works(self) -> None:
        """Let the worker do what is due; nothing may be left over."""
        work()
        left = Operation.objects.exclude(state=OperationState.DONE)
        assert [(operation.kind, operation.error) for operation in left] == []

    def agrees(self) -> None:
        """Compare package and policies with what XCover holds."""
        package = the_package()
        truth = self.sandbox.package(package.package_id)
        assert package.status == truth["status"]
        assert package.attention == ""
        for held in truth["quotes"]:
            quote = package.quotes.get(quote_id=held["id"])
            assert (quote.status, quote.price) == (held["status"], held["price"])

    def schedule(self) -> list[tuple[int, str, Decimal | None]]:
        """Return the instalments as XCover has them."""
        client = factory.client_for("default")
        answer = client.get_instalments(the_package().package_id)
        return [
            (item.number, item.status, item.total_amount)
            for schedule in instalments_from_wire(answer)
            for item in schedule.instalments
        ]


@pytest.fixture
def year(sandbox: Sandbox) -> Iterator[Year]:
    """Begin a year on 1 March 2027."""
    with time_machine.travel(START, tick=True) as clock:
        yield Year(sandbox, clock)


@pytest.mark.parametrize("currency", ["GBP", "JPY", "KWD"])
def test_a_year_of_cover_is_right_to_the_last_decimal(
    *, year: Year, shopper: Shopper, shop: Shop, read: ReadCart, request_for: Any, currency: str
) -> None:
    insured = replace(
        laptop(price=VALUES[currency]), fields={**laptop(price=VALUES[currency]).fields, "term": 12}
    )
    shopper.cart = shopper.cart.but(currency=currency, items=(insured,))

    policy = buy_in_instalments(year, shopper, shop, read, request_for)
    pay_the_year(year, policy)
    raise_the_value(year, policy, Decimal(HIGHER[currency]))
    renewed = renew(year)
    cancel_after_a_quarter(year, renewed, SMALLEST[currency])

    assert all(amount == amount.quantize(SMALLEST[currency]) for amount in year.ledger)
    assert sum(year.ledger) == money_that_should_have_moved()


def buy_in_instalments(
    year: Year, shopper: Shopper, shop: Shop, read: ReadCart, request_for: Callable[..., Any]
) -> Quote:
    """Accept with the monthly plan, pay the first instalment, and have it booked."""
    shown = shopper.sees().quotes[0]
    choices.choose(
        read(shopper.cart),
        quote_id=shown.quote_id,
        accepted=True,
        template_version="test",
        plan=MONTHLY,
    )
    cover = freeze_cover(request_for(shopper.cart))
    assert cover.premium is not None
    assert cover.premium.amount < shown.price.amount
    year.charges(cover.premium.amount)
    completion.complete(shop.order(), shopper.cart, paid=True)
    year.works()
    instalments.mirror(the_package())
    year.agrees()
    return Quote.objects.get()


def pay_the_year(year: Year, policy: Quote) -> None:
    """Pay twelve instalments when they fall due; the fifth fails and is paid two days later."""
    first = policy.instalments.get(number=1)
    assert first.status == Instalment.Status.PAID
    assert year.ledger == [first.total_amount]

    for number in range(2, 13):
        due = instalments.next_due(policy)
        assert due is not None
        assert due.number == number
        year.goes_on_until(due.period_start_date + timedelta(hours=1))
        if number == 5:
            instalments.report(due, paid=False)
            year.works()
            due.refresh_from_db()
            assert (due.status, due.failures) == (Instalment.Status.FAILED, 1)
            assert list(instalments.overdue()) == [due]
            year.goes_on(days=2)
        instalments.report(due, paid=True)
        year.charges(due.total_amount)
        year.works()
        agree_on_the_schedule(year, policy)

    assert instalments.next_due(policy) is None
    sums = instalments.sums(policy)
    assert sums is not None
    assert sums.paid.amount == sum(year.ledger)
    assert sums.due.amount == 0


def agree_on_the_schedule(year: Year, policy: Quote) -> None:
    """Compare each instalment with XCover's."""
    ours = policy.instalments.values_list("number", "status", "total_amount")
    assert list(ours) == year.schedule()


def raise_the_value(year: Year, policy: Quote, value: Decimal) -> None:
    """Insure a dearer laptop: the difference is shown, charged, and only then confirmed."""
    before = Quote.objects.get().price
    modification = modifying.quote_change(
        the_package(), quote=policy, update_fields={"price": value}, origin="shopper"
    )
    assert modification.difference.amount > 0
    assert Quote.objects.get().price == before
    year.agrees()

    year.charges(modification.difference.amount)
    modifying.settle(modification, reference="charge-1")
    year.works()

    modification.refresh_from_db()
    assert modification.state == Modification.State.CONFIRMED
    assert Quote.objects.get().price == before + modification.difference.amount
    year.agrees()


def renew(year: Year) -> Quote:
    """Find it due, tell the customer, collect, and have the new period confirmed."""
    told: list[Renewal] = []

    def hear(sender: type, renewal: Renewal, **kwargs: Any) -> None:
        told.append(renewal)

    earlier = Quote.objects.get()
    assert earlier.policy_end_date is not None
    year.goes_on_until(earlier.policy_end_date - timedelta(days=20))
    (renewal,) = renewing.find_due()
    signals.renewal_quoted.connect(hear)
    try:
        renewing.quote(renewal)
        renewing.notify(renewal)
    finally:
        signals.renewal_quoted.disconnect(hear)
    assert renewal.premium is not None

    year.charges(renewal.premium.amount)
    renewing.record_payment(renewal, reference="renewal-1", amount=renewal.premium)
    year.works()
    year.agrees()

    earlier.refresh_from_db()
    renewal.refresh_from_db()
    assert earlier.status == "RENEWED"
    assert renewal.state == Renewal.State.CONFIRMED
    current = Quote.objects.get(status="CONFIRMED")
    assert current.policy_start_date == earlier.policy_end_date
    assert current.price == renewal.price
    return current


def cancel_after_a_quarter(year: Year, policy: Quote, smallest: Decimal) -> None:
    """Cancel in the new period, well after cooling-off: the rest of the period is refunded."""
    assert policy.policy_start_date is not None
    assert policy.policy_end_date is not None
    year.goes_on_until(policy.policy_start_date + timedelta(days=91))
    now = timezone.now()
    cancellation = cancelling.preview(
        the_package(), quotes=[policy], origin=Cancellation.Origin.SHOPPER, reason="Sold it"
    )
    assert cancellation.refund is not None
    left = (policy.policy_end_date - now) / (policy.policy_end_date - policy.policy_start_date)
    expected = (policy.price * Decimal(left)).quantize(smallest, ROUND_HALF_UP)
    assert abs(cancellation.refund.amount - expected) <= smallest
    assert Quote.objects.get(pk=policy.pk).status == "CONFIRMED"
    year.agrees()

    cancelling.request(cancellation)
    year.works()
    year.charges(-cancellation.refund.amount)
    cancelling.record_refund(cancellation, cancellation.refund, reference="refund-1")

    cancellation.refresh_from_db()
    assert cancellation.state == Cancellation.State.CONFIRMED
    assert cancellation.refunded == cancellation.total_refund
    assert Quote.objects.get(pk=policy.pk).status == "CANCELLED"
    year.agrees()


def money_that_should_have_moved() -> Decimal:
    """Add up what the mirror says was to be charged and refunded."""
    parts = sum(item.total_amount for item in Instalment.objects.all())
    difference = Modification.objects.get().price_diff
    renewal, refund = Renewal.objects.get().price, Cancellation.objects.get().total_refund
    assert renewal is not None
    assert refund is not None
    return parts + difference + renewal - refund
