"""Cover that ends soon is found, priced and told to the customer, once."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from django_xcover import exceptions, tasks
from django_xcover.client import XCoverError
from django_xcover.clients import factory
from django_xcover.exceptions import ActionRefused
from django_xcover.mirror import refresh
from django_xcover.models import Quote, QuotePackage, Renewal
from django_xcover.policies import renewal as renewing
from django_xcover.sandbox import Sandbox
from django_xcover.types import Money
from tests.conftest import Shopper, work
from tests.policies.renewal.conftest import ENDS, Buy, Heard, required, yearly
from tests.shop import ANA, Order, ticket

pytestmark = pytest.mark.django_db
State = Renewal.State


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Money | None]]:
    """Return what the shop has written to its customers: order and price."""
    written: list[tuple[str, Money | None]] = []

    def send(self: object, order: Order, renewal: Renewal) -> None:
        written.append((order.reference, renewal.premium))

    monkeypatch.setattr("tests.shop.Adapter.send_renewal_notice", send)
    return written


def test_cover_that_is_not_renewable_is_not_found(buy: Buy, clock: Any) -> None:
    package = buy(ticket())
    ends = package.quotes.get().policy_end_date
    assert ends is not None
    clock.move_to(ends - timedelta(days=3))

    assert renewing.find_due() == []


def test_cover_that_ends_later_is_not_found_yet(buy: Buy, clock: Any) -> None:
    buy()
    clock.move_to(ENDS - timedelta(days=31))
    assert renewing.find_due() == []

    clock.move_to(ENDS - timedelta(days=30))
    assert len(renewing.find_due()) == 1


def test_a_cancelled_policy_is_not_found(booked: QuotePackage) -> None:
    factory.client_for("default").cancel_booking(booked.package_id, idempotency_key="x")
    refresh.refresh(booked)

    assert renewing.find_due() == []


def test_a_renewal_whose_cover_was_cancelled_ends(due: Renewal) -> None:
    factory.client_for("default").cancel_booking(due.package.package_id, idempotency_key="x")
    refresh.refresh(due.package)

    assert renewing.find_due() == []
    due.refresh_from_db()
    assert due.state == State.EXPIRED


def test_a_renewal_nobody_paid_ends_well_after_the_period(quoted: Renewal, clock: Any) -> None:
    clock.move_to(ENDS + timedelta(days=59))
    renewing.find_due()
    quoted.refresh_from_db()
    assert quoted.state == State.QUOTED

    clock.move_to(ENDS + timedelta(days=61))
    renewing.find_due()
    quoted.refresh_from_db()
    assert quoted.state == State.EXPIRED


def test_a_renewal_xcover_made_by_itself_is_noticed_after_a_refresh(
    due: Renewal, heard: Heard, django_capture_on_commit_callbacks: Any
) -> None:
    client = factory.client_for("default")
    package_id = due.package.package_id
    quoted = client.quote_for_renewal(package_id)
    client.renewal_confirmation(package_id, quoted["renewal_id"], required(quoted))
    refresh.refresh(due.package)

    with django_capture_on_commit_callbacks(execute=True):
        assert renewing.find_due() == []

    due.refresh_from_db()
    assert due.state == State.CONFIRMED
    assert len(heard["policy_renewed"]) == 1
    assert set(due.package.quotes.values_list("label", flat=True)) == {"Aero 14"}


def test_a_paid_renewal_never_ends_by_itself(quoted: Renewal, clock: Any) -> None:
    renewing.record_payment(quoted)
    clock.move_to(ENDS + timedelta(days=61))

    renewing.find_due()

    quoted.refresh_from_db()
    assert quoted.state == State.PAID


def test_looking_again_finds_the_same_renewal(booked: QuotePackage) -> None:
    first, second = renewing.find_due(), renewing.find_due()

    assert first == second
    assert Renewal.objects.count() == 1
    assert first[0].due_on == ENDS


def test_a_booking_has_one_renewal_at_a_time_and_the_next_when_that_is_over(
    buy: Buy, clock: Any
) -> None:
    buy(yearly("one"), yearly("two", months=13))
    clock.move_to(ENDS - timedelta(days=20))
    soon = timedelta(days=60)
    [first] = renewing.find_due(soon)
    assert renewing.find_due(soon) == [first]

    renewing.opt_out(first)
    assert renewing.find_due(soon) == []
    work()
    [second] = renewing.find_due(soon)

    assert first.due_on == ENDS
    assert second.due_on == ENDS + timedelta(days=31)


def test_looking_costs_the_same_however_much_is_booked(
    due: Renewal, django_assert_num_queries: Any
) -> None:
    # What was renewed, what expires, what ends soon, what is to be done, and whose turn it was.
    with django_assert_num_queries(5):
        renewing.find_due()


def test_a_vendor_that_is_away_leaves_the_renewal_for_the_next_look(
    due: Renewal, sandbox: Sandbox
) -> None:
    sandbox.faults.add("quote_for_renewal", "status", status=503, times=None)
    with pytest.raises(XCoverError):
        renewing.quote(due)
    renewing.prepare(due.pk)

    assert renewing.find_due() == [due]
    sandbox.faults.clear()
    renewing.prepare(due.pk)
    due.refresh_from_db()
    assert due.state == State.QUOTED


def test_what_xcover_does_not_renew_says_so(due: Renewal, sandbox: Sandbox) -> None:
    sandbox.faults.add("quote_for_renewal", "status", status=422, body={"errors": ["Too late."]})

    with pytest.raises(exceptions.NotRenewable) as refused:
        renewing.quote(due)

    sentence = "XCover does not renew this cover. It ends with its present period."
    assert str(refused.value) == sentence


def test_a_price_of_nothing_at_all_is_no_price(due: Renewal, sandbox: Sandbox) -> None:
    body = {"renewal_id": "aB3dE-fGh4J-k5LmN-UPD", "currency": "GBP", "quotes": []}
    sandbox.faults.add("quote_for_renewal", "status", status=200, body=body)

    with pytest.raises(XCoverError):
        renewing.quote(due)

    due.refresh_from_db()
    assert (due.state, due.price) == (State.DUE, None)


@pytest.mark.parametrize("state", [State.PAID, State.CONFIRMED, State.OPTED_OUT, State.EXPIRED])
def test_what_is_settled_is_not_quoted_again(due: Renewal, sandbox: Sandbox, state: State) -> None:
    due.state = state
    due.save()

    with pytest.raises(ActionRefused):
        renewing.quote(due)

    assert not sandbox.calls("quote_for_renewal")


def test_a_shop_that_fails_to_write_writes_at_the_next_look(
    due: Renewal,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    heard: Heard,
    django_capture_on_commit_callbacks: Any,
) -> None:
    def fail(*args: Any) -> None:
        raise OSError(ANA.email)

    with monkeypatch.context() as patched:
        patched.setattr("tests.shop.Adapter.send_renewal_notice", fail)
        with django_capture_on_commit_callbacks(execute=True):
            renewing.quote(due)
    assert heard["renewal_quoted"] == []
    assert "was not sent" in caplog.text
    assert ANA.email not in caplog.text

    assert renewing.find_due() == [due]
    renewing.prepare(due.pk)

    assert [told["renewal"] for told in heard["renewal_quoted"]] == [due]
    assert renewing.find_due() == []


class Killed(BaseException):
    """The process is gone."""


def test_a_letter_that_a_process_died_in_is_written_at_a_later_look(
    due: Renewal, monkeypatch: pytest.MonkeyPatch, clock: Any, request: pytest.FixtureRequest
) -> None:
    def die(*args: Any) -> None:
        raise Killed

    renewing.quote(due)
    monkeypatch.setattr("tests.shop.Adapter.send_renewal_notice", die)
    with pytest.raises(Killed):
        renewing.notify(due)
    letters = request.getfixturevalue("letters")
    renewing.prepare(due.pk)
    assert letters == []  # it may be alive, and writing

    clock.shift(timedelta(hours=1))
    for renewal in renewing.find_due():
        renewing.prepare(renewal.pk)

    assert letters == [("ORD-1", Money(Decimal("46.20"), "GBP"))]
    assert renewing.find_due() == []


def test_a_price_that_changes_while_the_customer_is_told_of_another_is_told_too(
    due: Renewal, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox
) -> None:
    prices: list[Money | None] = []

    def quote_again(self: object, order: Order, renewal: Renewal) -> None:
        prices.append(renewal.premium)
        if len(prices) == 1:
            sandbox.faults.add("quote_for_renewal", "wrong_price")
            renewing.quote(Renewal.objects.get())

    monkeypatch.setattr("tests.shop.Adapter.send_renewal_notice", quote_again)
    renewing.quote(due)

    renewing.notify(due)
    renewing.prepare(due.pk)

    assert len(set(prices)) == len(prices) == 2
    assert renewing.find_due() == []


def test_a_customer_whose_cover_was_cancelled_is_told_nothing(
    quoted: Renewal, letters: list[tuple[str, Money | None]]
) -> None:
    Renewal.objects.update(notified_at=None)
    Quote.objects.update(status="CANCELLED")

    renewing.prepare(quoted.pk)

    assert letters == []
    assert Renewal.objects.get().notified_at is None


def test_the_customer_is_told_once_and_after_the_commit(
    due: Renewal,
    letters: list[tuple[str, Money | None]],
    heard: Heard,
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        renewing.quote(due)
        assert letters == []
    with django_capture_on_commit_callbacks(execute=True):
        renewing.quote(due)
    renewing.prepare(due.pk)

    assert letters == [("ORD-1", Money(Decimal("46.20"), "GBP"))]
    assert len(heard["renewal_quoted"]) == 1


def test_another_price_is_told_again(
    due: Renewal,
    sandbox: Sandbox,
    letters: list[tuple[str, Money | None]],
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        renewing.quote(due)
    sandbox.faults.add("quote_for_renewal", "wrong_price")
    with django_capture_on_commit_callbacks(execute=True):
        renewing.quote(due)

    first, second = (price for _, price in letters)
    assert first != second == due.premium


def test_beat_prepares_what_it_finds(booked: QuotePackage, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    monkeypatch.setattr(
        tasks.prepare_renewal, "apply_async", lambda args, **options: sent.append(*args)
    )

    tasks.find_due_renewals()
    tasks.prepare_renewal(sent[0])

    assert Renewal.objects.get(pk=sent[0]).state == State.QUOTED


def test_a_price_holds_the_next_period(quoted: Renewal, shopper: Shopper) -> None:
    assert quoted.premium == Money(Decimal("46.20"), "GBP")
    assert (quoted.starts_at, quoted.ends_at) == (ENDS, ENDS.replace(year=2028))
    assert quoted.package.quotes.get().status == "CONFIRMED"


def test_of_a_price_nothing_is_kept_that_names_the_customer_or_lets_one_act_for_them(
    quoted: Renewal,
) -> None:
    kept = json.dumps(quoted.payload, default=str)

    assert set(quoted.payload) == {"renewal_id", "quotes"}
    assert ANA.email not in kept
    assert "token" not in kept
    assert not {"insured", "coi", "pds_url"} & set(quoted.payload["quotes"][0])
