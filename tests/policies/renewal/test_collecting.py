"""A renewal that was paid is confirmed at XCover once, and mirrored."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from django_xcover import exceptions
from django_xcover.clients import factory
from django_xcover.exceptions import ActionRefused
from django_xcover.models import Operation, OperationState, Renewal
from django_xcover.policies import renewal as renewing
from django_xcover.sandbox import Sandbox
from django_xcover.types import Money
from tests.conftest import work
from tests.policies.renewal.conftest import ENDS, Buy, Heard, renewals_at, required, yearly
from tests.policies.renewal.support import (
    State,
    cancelled,
    let_time_pass,
    renewed_by_itself,
    the_confirmation,
)

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]


def declined(renewal: Renewal, sandbox: Sandbox) -> None:
    renewing.opt_out(renewal)


def unpaid_for_too_long(renewal: Renewal, sandbox: Sandbox) -> None:
    Renewal.objects.update(due_on=timezone.now() - timedelta(days=61))
    renewing.find_due()


@pytest.mark.parametrize(
    ("meanwhile", "refusal", "sentence"),
    [
        (
            declined,
            exceptions.RenewalDeclined,
            "This renewal has been declined. The cover ends with its present period.",
        ),
        (unpaid_for_too_long, exceptions.RenewalLapsed, "This cover can no longer be renewed."),
        (cancelled, exceptions.RenewalLapsed, "This cover can no longer be renewed."),
        (
            renewed_by_itself,
            exceptions.AlreadyRenewed,
            "XCover has renewed this cover already, so there is no payment to record.",
        ),
    ],
)
def test_what_is_over_cannot_be_paid(
    quoted: Renewal,
    sandbox: Sandbox,
    meanwhile: Callable[[Renewal, Sandbox], None],
    refusal: type[ActionRefused],
    sentence: str,
) -> None:
    meanwhile(quoted, sandbox)

    with pytest.raises(refusal) as refused:
        renewing.record_payment(quoted)

    assert str(refused.value) == sentence
    assert not Operation.objects.filter(kind="renew").exists()


def test_what_has_no_price_cannot_be_paid(due: Renewal) -> None:
    with pytest.raises(exceptions.RenewalNotQuoted, match="not known yet"):
        renewing.record_payment(due)


@pytest.mark.parametrize("paid", [Money(Decimal("46.19"), "GBP"), Money(Decimal("46.20"), "EUR")])
def test_another_amount_than_the_premium_is_refused(quoted: Renewal, paid: Money) -> None:
    with pytest.raises(exceptions.RenewalPriceChanged) as refused:
        renewing.record_payment(quoted, amount=paid)

    assert "£46.20" in str(refused.value)
    quoted.refresh_from_db()
    assert quoted.state == State.QUOTED


def test_a_payment_reported_again_and_again_is_confirmed_once(
    quoted: Renewal, sandbox: Sandbox
) -> None:
    first = renewing.record_payment(quoted, reference="PAY-1")
    again = renewing.record_payment(quoted, reference="PAY-1")
    work()
    afterwards = renewing.record_payment(quoted, reference="PAY-1")

    assert first == again == afterwards
    assert len(sandbox.calls("confirm_renewal")) == 1
    quoted.refresh_from_db()
    assert (quoted.state, quoted.payment_reference) == (State.CONFIRMED, "PAY-1")


@pytest.mark.parametrize("fault", ["process_then_reset", "process_then_status"])
def test_an_answer_that_is_lost_is_found_and_not_confirmed_twice(
    quoted: Renewal, sandbox: Sandbox, fault: str
) -> None:
    renewing.record_payment(quoted)
    sandbox.faults.add("confirm_renewal", fault, times=5, status=500)
    work()
    posts = len(sandbox.calls("confirm_renewal"))
    let_time_pass()
    work()

    assert the_confirmation().state == OperationState.DONE
    assert len(sandbox.calls("confirm_renewal")) == posts
    assert renewals_at(sandbox, quoted.package) == ["RENEWED", "CONFIRMED"]


def test_a_busy_vendor_is_asked_again_with_the_same_key_and_body(
    quoted: Renewal, sandbox: Sandbox
) -> None:
    key = renewing.record_payment(quoted).idempotency_key
    sandbox.faults.add("confirm_renewal", "status", status=503, times=5)
    work()
    quoted.refresh_from_db()
    assert quoted.state == State.PAID
    let_time_pass()
    work()

    assert {call.idempotency_key for call in sandbox.calls("confirm_renewal")} == {key}
    quoted.refresh_from_db()
    assert quoted.state == State.CONFIRMED


def test_a_confirmation_that_does_not_show_in_the_booking_is_not_taken_for_done(
    quoted: Renewal, sandbox: Sandbox
) -> None:
    renewing.record_payment(quoted)
    sandbox.faults.add("confirm_renewal", "status", status=202)

    work()

    assert the_confirmation().state == OperationState.PENDING
    assert not the_confirmation().outcome_known
    quoted.refresh_from_db()
    assert quoted.state == State.PAID


def test_a_payment_for_what_xcover_renewed_meanwhile_confirms_nothing_again(
    quoted: Renewal, sandbox: Sandbox
) -> None:
    renewing.record_payment(quoted)
    client = factory.client_for("default")
    client.renewal_confirmation(
        quoted.package.package_id, quoted.renewal_id, required(quoted.payload)
    )
    confirmations = len(sandbox.calls("confirm_renewal"))

    work()

    assert the_confirmation().state == OperationState.DONE
    assert len(sandbox.calls("confirm_renewal")) == confirmations


@pytest.mark.parametrize(
    ("price", "where"),
    [
        ("230000", {"currency": "JPY", "country": "JP"}),
        ("471.250", {"currency": "KWD", "country": "KW"}),
    ],
)
def test_the_premium_is_exact_with_no_and_with_three_decimals(
    buy: Buy, clock: Any, sandbox: Sandbox, price: str, where: dict[str, str]
) -> None:
    package = buy(yearly(price=price), **where)
    clock.move_to(ENDS - timedelta(days=20))
    [renewal] = renewing.find_due()
    premium = renewing.quote(renewal).premium
    assert premium is not None
    renewing.record_payment(renewal, amount=premium)
    work()

    truth = sandbox.package(package.package_id)
    package.refresh_from_db()
    assert premium == Money(truth["total_price"], where["currency"])
    assert package.total_price == truth["total_price"]
    assert package.attention == ""


def test_renewed_is_announced_once_after_the_commit(
    quoted: Renewal, heard: Heard, django_capture_on_commit_callbacks: Any
) -> None:
    renewing.record_payment(quoted)
    with django_capture_on_commit_callbacks(execute=True):
        work()
        assert heard["policy_renewed"] == []
    work()

    [told] = heard["policy_renewed"]
    assert told["renewal"] == quoted
    assert told["package"] == quoted.package


def test_a_second_year_follows_the_first(quoted: Renewal, clock: Any, sandbox: Sandbox) -> None:
    renewing.record_payment(quoted)
    work()
    quoted.package.quotes.filter(status="CONFIRMED").update(label="Aero 14, engraved")
    clock.move_to(ENDS.replace(year=2028) - timedelta(days=20))
    [second] = renewing.find_due()
    renewing.record_payment(renewing.quote(second))
    work()

    assert renewals_at(sandbox, quoted.package) == ["RENEWED", "RENEWED", "CONFIRMED"]
    labels = quoted.package.quotes.order_by("position").values_list("label", flat=True)
    assert list(labels) == ["Aero 14", "Aero 14, engraved", "Aero 14, engraved"]


def test_the_clock_of_these_tests_is_the_sandboxes_too(
    clock: time_machine.Traveller, sandbox: Sandbox
) -> None:
    assert sandbox.clock.now() == timezone.now()


def test_a_second_payment_is_not_taken_for_the_first(quoted: Renewal) -> None:
    renewing.record_payment(quoted, reference="PAY-1")

    with pytest.raises(exceptions.RenewalPaid):
        renewing.record_payment(quoted, reference="PAY-2")
    work()
    with pytest.raises(exceptions.AlreadyRenewed):
        renewing.record_payment(quoted, reference="PAY-2")

    quoted.refresh_from_db()
    assert quoted.payment_reference == "PAY-1"


def test_a_payment_for_what_was_given_up_is_refused(quoted: Renewal, sandbox: Sandbox) -> None:
    sandbox.faults.add("confirm_renewal", "status", status=422)
    renewing.record_payment(quoted, reference="PAY-1")
    work()
    renewing.abandon(quoted, reason="Given back.")

    with pytest.raises(exceptions.RenewalLapsed):
        renewing.record_payment(quoted, reference="PAY-2")
