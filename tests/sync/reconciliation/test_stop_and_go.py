"""A walk that is stopped again and again comes to its end all the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from django_xcover import tasks
from django_xcover.client import HeldBack
from django_xcover.exceptions import ReconciliationUnderWay
from django_xcover.mirror import refresh
from django_xcover.models import (
    Discrepancy,
    Operation,
    OperationKind,
    OperationState,
    Quote,
    QuotePackage,
    Reconciliation,
)
from django_xcover.sandbox import Sandbox
from django_xcover.sync import reconciliation
from django_xcover.sync.reconciliation import Report
from tests import completion
from tests.conftest import work
from tests.shop import SHOP
from tests.sync.reconciliation.conftest import Buy, forget, found, go

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]
Kind = Discrepancy.Kind


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every third reading find the rate used up by others."""
    read, calls = refresh.read, list[str]()

    def turn(client: Any, package_id: str) -> Any:
        calls.append(package_id)
        if len(calls) % 3 == 0:
            raise HeldBack("the rate limit is used up", retry_after=0.1)
        return read(client, package_id)

    monkeypatch.setattr(refresh, "read", turn)


def walked(times: int) -> list[Report]:
    """Walk so often, or until a pass is done."""
    reports = []
    for _time in range(times):
        reports.append(go())
        if reports[-1].is_finished:
            break
    return reports


def lose(package: QuotePackage, number: int) -> None:
    """Let the booking be one that XCover does not know."""
    package_id = f"LOST{number}-9PJTC-INS"
    QuotePackage.objects.filter(pk=package.pk).update(status="RECEIVED", package_id=package_id)
    Quote.objects.filter(package=package).update(status="RECEIVED")


@pytest.mark.usefixtures("busy")
def test_ours_are_looked_at_however_often_there_is_no_turn(buy: Buy) -> None:
    for number in range(1, 6):
        lose(buy(number), number)

    reports = walked(4)

    assert reports[-1].is_finished
    assert [kind for kind, _id in found()].count(Kind.NOT_COVERED) == 5


@pytest.mark.usefixtures("busy")
def test_theirs_are_looked_at_however_often_there_is_no_turn(buy: Buy) -> None:
    for number in range(1, 6):
        # A status that the booking cannot follow from: nothing is mended.
        Quote.objects.filter(package=buy(number)).update(status="CANCELLED")
    QuotePackage.objects.update(status="CANCELLED")

    reports = walked(4)

    assert reports[-1].is_finished
    assert len({package_id for _kind, package_id in found()}) == 5


@pytest.mark.usefixtures("busy")
def test_what_was_open_is_looked_at_however_often_there_is_no_turn(
    buy: Buy, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 6):
        package_id = forget(buy(number))
        Discrepancy.objects.create(
            account="default", kind=Kind.UNKNOWN, package_id=package_id, currency="GBP", at_stake=1
        )
    monkeypatch.setattr("django_xcover.client.XCoverClient.list_bookings", lambda *a, **k: iter(()))

    reports = walked(4)

    assert reports[-1].is_finished
    assert len(found()) == 5


def test_time_that_is_up_is_noticed_between_two_of_ours(buy: Buy) -> None:
    for number in range(1, 4):
        lose(buy(number), number)
    go(seconds=0)
    go(seconds=0)

    report = go(seconds=0)

    assert (report.looked_at, report.is_finished) == (1, False)


def test_a_booking_whose_answer_was_lost_is_listed_when_no_worker_waits_for_it(buy: Buy) -> None:
    package = buy()
    QuotePackage.objects.update(status="RECEIVED", package_id="instant-7")
    Quote.objects.update(status="RECEIVED")
    stopped = {"kind": OperationKind.INSTANT_BOOK, "state": OperationState.NEEDS_PERSON}
    Operation.objects.update(**stopped, outcome_known=False)

    go()

    assert (Kind.UNKNOWN, package.package_id) in found()


def test_a_booking_whose_answer_is_awaited_is_not_unknown(buy: Buy) -> None:
    buy()
    QuotePackage.objects.update(status="RECEIVED", package_id="instant-7")
    Operation.objects.update(kind=OperationKind.INSTANT_BOOK, state=OperationState.PENDING)

    go()

    assert found() == []


@pytest.fixture
def two_accounts(settings: Any) -> None:
    accounts = settings.XCOVER["ACCOUNTS"]
    both = {"default": accounts["default"], "eu": accounts["default"]}
    settings.XCOVER = {**settings.XCOVER, "ACCOUNTS": both}


def raising(error: BaseException) -> Callable[..., Report]:
    reconcile = reconciliation.reconcile

    def walk(account: str, **options: Any) -> Report:
        if account == "default":
            raise error
        return reconcile(account, **options)

    return walk


@pytest.mark.usefixtures("sandbox", "two_accounts")
def test_an_account_that_fails_keeps_no_other_from_being_walked(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(reconciliation, "reconcile", raising(KeyError("ORD-1 of Ana")))

    tasks.reconcile()

    assert Reconciliation.objects.get().account == "eu"
    assert "KeyError" in caplog.text
    assert "Ana" not in caplog.text


@pytest.mark.usefixtures("sandbox", "two_accounts")
def test_the_command_walks_what_nobody_else_is_walking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciliation, "reconcile", raising(ReconciliationUnderWay("default")))
    out = StringIO()

    with pytest.raises(CommandError, match="'default' is being reconciled"):
        call_command("xcover_reconcile", stdout=out)

    assert "eu: finished" in out.getvalue()


def test_a_payment_since_then_is_a_change_since_then(buy: Buy, sandbox: Sandbox) -> None:
    package = buy(pays_later=True)
    sandbox.faults.add("confirm_booking", "status", status=422, times=None)
    completion.complete(SHOP.orders["ORD-1"], paid=True)
    work()
    month_ago = timezone.now() - timedelta(days=30)
    QuotePackage.objects.update(updated_at=month_ago)

    go(since=timezone.now() - timedelta(days=1))

    assert found() == [(Kind.NOT_COVERED, package.package_id)]
