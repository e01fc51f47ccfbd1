"""Reconciling again: what is known is not found twice, and what vanished is closed."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import timezone

from django_xcover import worker
from django_xcover.models import (
    Discrepancy,
    Operation,
    OperationState,
    Quote,
    QuotePackage,
    Reconciliation,
)
from django_xcover.sandbox import Sandbox
from django_xcover.sync import reconciliation
from tests.sync.reconciliation.conftest import (
    Buy,
    cancel_at_xcover,
    forget,
    found,
    go,
    lose_at_xcover,
    one,
)

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]
Kind, State = Discrepancy.Kind, Discrepancy.State
PRICE = Decimal("7.89")


def test_what_vanished_is_closed(buy: Buy, sandbox: Sandbox) -> None:
    sandbox.faults.add("create_booking", "status", status=422)
    buy()
    go()
    Operation.objects.update(state=OperationState.PENDING, next_attempt_at=timezone.now())
    worker.run(Operation.objects.get().pk)

    report = go()

    assert one().state == State.GONE
    assert (report.opened, report.closed) == (0, 1)


def test_an_unknown_booking_that_is_known_now_is_closed(buy: Buy) -> None:
    package = buy()
    real = package.package_id
    QuotePackage.objects.update(package_id="OTHER-AAAAA-INS")
    go()
    QuotePackage.objects.update(package_id=real)

    go()

    assert found() == []
    assert Discrepancy.objects.filter(state=State.GONE).count() == 2


def test_what_a_person_looked_into_stays_so_until_it_changes(buy: Buy, sandbox: Sandbox) -> None:
    sandbox.faults.add("create_booking", "wrong_price")
    buy()
    go()
    assert reconciliation.resolve(one(), by="7", note="Refunded")

    go()
    assert (one().state, one().note, one().resolved_by) == (State.RESOLVED, "Refunded", "7")

    Quote.objects.update(chosen_price=Decimal("1.00"))
    go()
    assert (one().state, one().note) == (State.OPEN, "")


def test_a_person_who_saw_other_amounts_resolves_nothing(buy: Buy, sandbox: Sandbox) -> None:
    sandbox.faults.add("create_booking", "wrong_price")
    buy()
    go()
    seen = one()
    Discrepancy.objects.update(theirs=Decimal(9))

    assert not reconciliation.resolve(seen, by="7", note="Refunded")
    assert one().state == State.OPEN


def test_a_dry_run_reports_the_same_and_writes_nothing(buy: Buy, sandbox: Sandbox) -> None:
    sandbox.faults.add("create_booking", "wrong_price")
    buy(1)
    cancel_at_xcover(buy(2))
    lose_at_xcover(buy(3))
    before = list(QuotePackage.objects.order_by("pk").values())

    rehearsed = go(dry_run=True)

    assert list(QuotePackage.objects.order_by("pk").values()) == before
    assert not Discrepancy.objects.exists()
    assert not Reconciliation.objects.exists()
    assert rehearsed.lines == go(fix=False).lines
    assert len(rehearsed.lines) == 4


def test_money_is_summed_for_each_currency(buy: Buy, sandbox: Sandbox) -> None:
    for number in (1, 2):
        forget(buy(number))

    [line] = go().lines

    assert (line.kind, line.count) == (Kind.UNKNOWN, 2)
    assert (line.at_stake.amount, line.at_stake.currency) == (PRICE * 2, "GBP")
