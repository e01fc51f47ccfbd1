"""`RENEWAL_*` webhooks: hints, in any order, twice, late or lost."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from django.utils import timezone

from django_xcover import worker
from django_xcover.client import XCoverError
from django_xcover.clients import factory
from django_xcover.models import Quote, QuotePackage, Renewal
from django_xcover.outbox import operations
from django_xcover.policies import renewal as renewing
from django_xcover.policies.renewal import confirmation, quoting
from django_xcover.sandbox import Sandbox
from tests.conftest import Shopper, the_package, work
from tests.policies.renewal.conftest import ENDS, Buy, Heard, required
from tests.shop import ticket

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]
State = Renewal.State
NOTICES = ("RENEWAL_CREATED", "RENEWAL_NOTIFICATION", "RENEWAL_DUE")


def comes(event: str, renewal_id: str = "") -> Renewal | None:
    return renewing.on_event(event, the_package().package_id, "default", renewal_id)


@pytest.mark.parametrize("event", ["BOOKING_UPDATED", "renewal_due", ""])
def test_another_event_is_ignored(booked: QuotePackage, sandbox: Sandbox, event: str) -> None:
    calls = len(sandbox.calls())

    assert comes(event) is None
    assert len(sandbox.calls()) == calls


def test_a_package_that_is_not_ours_is_ignored(booked: QuotePackage, sandbox: Sandbox) -> None:
    calls = len(sandbox.calls())

    assert renewing.on_event("RENEWAL_DUE", "ABCDE-FGHJK-INS", "default") is None
    assert renewing.on_event("RENEWAL_DUE", booked.package_id, "another") is None
    assert len(sandbox.calls()) == calls


def test_a_quote_that_was_never_booked_is_not_renewed(shopper: Shopper) -> None:
    shopper.sees()

    assert comes("RENEWAL_DUE") is None
    assert not Renewal.objects.exists()


def test_cover_that_cannot_be_renewed_is_not_renewed(buy: Buy, sandbox: Sandbox) -> None:
    buy(ticket())

    assert comes("RENEWAL_DUE") is None
    assert not sandbox.calls("quote_for_renewal")


def test_when_xcover_cannot_be_asked_nothing_changes_and_the_event_is_to_come_again(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    sandbox.faults.add("get_quote", "status", status=503, times=None)

    with pytest.raises(XCoverError):
        comes("RENEWAL_DUE")

    assert not Renewal.objects.exists()


def cancelled_at_xcover() -> None:
    """Let the booking be cancelled, and tell nobody."""
    client = factory.client_for("default")
    client.cancel_booking(the_package().package_id, idempotency_key="x")


@pytest.mark.parametrize("event", renewing.EVENTS)
@pytest.mark.parametrize("known", ["due", "quoted", "quoted and not told"])
def test_a_late_event_about_cancelled_cover_ends_its_renewal_and_tells_nobody(
    due: Renewal, monkeypatch: pytest.MonkeyPatch, known: str, event: str
) -> None:
    if known != "due":
        renewing.quote(due)
    told: list[Renewal] = []
    monkeypatch.setattr(
        "tests.shop.Adapter.send_renewal_notice", lambda self, order, renewal: told.append(renewal)
    )
    if known == "quoted and not told":
        Renewal.objects.update(notified_at=None)
    cancelled_at_xcover()

    assert comes(event) is None

    assert Renewal.objects.get().state == State.EXPIRED
    assert told == []


def test_an_event_that_a_decline_overtakes_changes_nothing(
    due: Renewal, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = quoting.ask

    def decline_in_between(package: QuotePackage) -> Any:
        renewing.opt_out(Renewal.objects.get())
        return ask(package)

    monkeypatch.setattr(quoting, "ask", decline_in_between)

    comes("RENEWAL_DUE")

    assert Renewal.objects.get().state == State.OPTING_OUT


def test_an_expiry_that_xcover_does_not_stand_by_ends_nothing(
    quoted: Renewal, caplog: pytest.LogCaptureFixture
) -> None:
    comes("RENEWAL_EXPIRED")

    quoted.refresh_from_db()
    assert quoted.state == State.QUOTED
    assert "still quotes it" in caplog.text


@pytest.mark.parametrize("order", list(permutations(("RENEWAL_DUE", "RENEWAL_EXPIRED"))))
def test_a_renewal_xcover_no_longer_quotes_expires_in_whatever_order_that_is_told(
    quoted: Renewal, clock: Any, order: tuple[str, ...]
) -> None:
    clock.move_to(ENDS + timedelta(days=61))
    for event in order:
        comes(event)

    quoted.refresh_from_db()
    assert quoted.state == State.EXPIRED


def test_an_early_notice_that_xcover_does_not_stand_by_quotes_nothing(
    buy: Buy, sandbox: Sandbox
) -> None:
    buy()  # a year before the end

    renewal = comes("RENEWAL_NOTIFICATION")

    assert renewal is not None
    assert (renewal.state, renewal.price) == (State.DUE, None)


@pytest.mark.parametrize("order", list(permutations(NOTICES)))
def test_notices_in_any_order_and_twice_quote_once_and_tell_once(
    booked: QuotePackage,
    sandbox: Sandbox,
    heard: Heard,
    django_capture_on_commit_callbacks: Any,
    order: tuple[str, ...],
) -> None:
    for event in (*order, *order):
        with django_capture_on_commit_callbacks(execute=True):
            comes(event, "Abcde-fGhjk-REN")

    renewal = Renewal.objects.get()
    assert (renewal.state, renewal.announced_id) == (State.QUOTED, "Abcde-fGhjk-REN")
    assert len(sandbox.calls("quote_for_renewal")) == 1
    assert len(heard["renewal_quoted"]) == 1


def test_that_a_renewal_was_created_alone_quotes_nothing_yet(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    renewal = comes("RENEWAL_CREATED", "Abcde-fGhjk-REN")

    assert renewal is not None
    assert (renewal.state, renewal.announced_id) == (State.DUE, "Abcde-fGhjk-REN")
    assert not sandbox.calls("quote_for_renewal")


def test_a_later_announcement_replaces_an_earlier_one(due: Renewal) -> None:
    comes("RENEWAL_CREATED", "forge-forge-REN")  # nobody signs what a body says

    comes("RENEWAL_CREATED", "Abcde-fGhjk-REN")

    assert Renewal.objects.get().announced_id == "Abcde-fGhjk-REN"


def test_a_notice_and_beat_mean_the_same_renewal(booked: QuotePackage) -> None:
    comes("RENEWAL_CREATED")

    [found] = renewing.find_due()

    assert Renewal.objects.get() == found


@pytest.mark.parametrize("event", renewing.EVENTS)
@pytest.mark.parametrize("days", [-20, 1])
def test_a_late_event_about_the_last_period_starts_no_renewal_of_the_next(
    quoted: Renewal, sandbox: Sandbox, event: str, days: int, clock: Any
) -> None:
    renewing.on_event("RENEWAL_CREATED", the_package().package_id, "default", "Abcde-fGhjk-REN")
    renewing.record_payment(quoted)
    work()
    quotes = len(sandbox.calls("quote_for_renewal"))
    clock.move_to(ENDS + timedelta(days=days))

    found = comes(event, "Abcde-fGhjk-REN")

    assert found == quoted
    assert Renewal.objects.get().state == State.CONFIRMED
    assert len(sandbox.calls("quote_for_renewal")) == quotes


def test_a_late_event_without_an_id_finds_no_period_that_has_begun(
    quoted: Renewal, sandbox: Sandbox
) -> None:
    renewing.record_payment(quoted)
    work()

    assert comes("RENEWAL_DUE") is None
    assert Renewal.objects.count() == 1


def test_a_declined_renewal_stays_declined(due: Renewal) -> None:
    renewing.opt_out(due)
    work()
    for event in renewing.EVENTS:
        comes(event)

    assert Renewal.objects.get().state == State.OPTED_OUT


def renewed_at_xcover() -> None:
    """Let XCover renew by itself, as it does for some partners."""
    client = factory.client_for("default")
    package_id = the_package().package_id
    quoted = client.quote_for_renewal(package_id)
    client.renewal_confirmation(package_id, quoted["renewal_id"], required(quoted))


@pytest.mark.parametrize("known", ["unknown here", "due", "quoted"])
def test_a_renewal_xcover_made_by_itself_is_mirrored(
    booked: QuotePackage, heard: Heard, known: str, django_capture_on_commit_callbacks: Any
) -> None:
    for renewal in [] if known == "unknown here" else renewing.find_due():
        if known == "quoted":
            renewing.quote(renewal)
    renewed_at_xcover()

    with django_capture_on_commit_callbacks(execute=True):
        comes("RENEWAL_DUE")
        comes("RENEWAL_DUE")

    earlier, later = Quote.objects.order_by("position")
    assert (earlier.status, later.status) == ("RENEWED", "CONFIRMED")
    assert (later.label, later.choice) == ("Aero 14", "accepted")
    states = list(Renewal.objects.values_list("state", flat=True))
    assert states == ([] if known == "unknown here" else [State.CONFIRMED])
    assert len(heard["policy_renewed"]) == len(states)


def test_an_event_that_overtakes_the_worker_settles_the_renewal_once(
    quoted: Renewal,
    heard: Heard,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    operation = renewing.record_payment(quoted)
    is_renewed = confirmation.is_renewed

    def event_comes_in_between(renewal: Renewal, policies: Any) -> bool:
        found = is_renewed(renewal, policies)
        if found:
            monkeypatch.setattr(confirmation, "is_renewed", is_renewed)
            comes("RENEWAL_DUE")
        return found

    monkeypatch.setattr(confirmation, "is_renewed", event_comes_in_between)
    with django_capture_on_commit_callbacks(execute=True):
        worker.run(operation.pk)

    operation.refresh_from_db()
    assert operation.state == "done"
    assert Renewal.objects.get().state == State.CONFIRMED
    assert len(heard["policy_renewed"]) == 1
    assert Quote.objects.count() == 2


def test_events_while_the_payment_is_being_confirmed_change_nothing(
    quoted: Renewal, sandbox: Sandbox
) -> None:
    renewing.record_payment(quoted)
    for event in renewing.EVENTS:
        comes(event)

    quoted.refresh_from_db()
    assert quoted.state == State.PAID
    assert operations.sweep() == [quoted.package.operations.get(kind="renew").pk]
    assert timezone.now() < ENDS
