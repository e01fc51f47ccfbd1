"""The customer wants no next period."""

from __future__ import annotations

from typing import Any

import pytest

from django_xcover import exceptions
from django_xcover.clients import factory
from django_xcover.mirror import refresh
from django_xcover.models import Attention, Discrepancy, Operation, OperationState, Quote, Renewal
from django_xcover.policies import renewal as renewing
from django_xcover.sandbox import Sandbox
from django_xcover.sync import reconciliation
from tests.conftest import resolve_flags, the_package, work
from tests.policies.renewal.conftest import Heard, required

pytestmark = pytest.mark.django_db
State = Renewal.State


@pytest.mark.parametrize(
    ("then", "refusal"), [(False, exceptions.RenewalPaid), (True, exceptions.AlreadyRenewed)]
)
def test_what_is_paid_cannot_be_declined(
    quoted: Renewal, sandbox: Sandbox, *, then: bool, refusal: type[Exception]
) -> None:
    renewing.record_payment(quoted)
    if then:
        work()

    with pytest.raises(refusal, match="already"):
        renewing.opt_out(quoted)

    assert not sandbox.calls("opt_out_of_renewal")


def test_what_lapsed_cannot_be_declined(due: Renewal) -> None:
    Renewal.objects.update(state=State.EXPIRED)

    with pytest.raises(exceptions.RenewalLapsed, match="no longer be renewed"):
        renewing.opt_out(due)


def test_declining_what_xcover_would_not_renew_ends_the_renewal(
    due: Renewal, sandbox: Sandbox
) -> None:
    operation = renewing.opt_out(due)
    sandbox.faults.add("opt_out_of_renewal", "status", status=422, body={"errors": ["No."]})

    work()

    due.refresh_from_db()
    operation.refresh_from_db()
    assert due.state == State.EXPIRED
    assert operation.state == OperationState.DISCARDED
    assert not Operation.objects.unfinished().exists()


def test_a_booking_that_cannot_be_read_is_no_answer_about_the_renewal(
    due: Renewal, sandbox: Sandbox
) -> None:
    operation = renewing.opt_out(due)
    sandbox.faults.add("get_booking", "status", status=422, body={"errors": ["No."]})

    work()

    due.refresh_from_db()
    operation.refresh_from_db()
    assert due.state == State.OPTING_OUT
    assert operation.state == OperationState.PENDING
    assert not sandbox.calls("opt_out_of_renewal")


def test_credentials_that_fail_are_no_answer_about_the_renewal(
    due: Renewal, sandbox: Sandbox
) -> None:
    renewing.opt_out(due)
    sandbox.faults.add("opt_out_of_renewal", "status", status=403)

    work()

    due.refresh_from_db()
    assert due.state == State.OPTING_OUT


def xcover_renews(renewal: Renewal) -> None:
    """Let XCover make the renewal by itself, and tell nobody."""
    client = factory.client_for("default")
    client.renewal_confirmation(
        renewal.package.package_id, renewal.renewal_id, required(renewal.payload)
    )


def test_a_renewal_xcover_had_made_by_itself_is_not_declined_but_flagged(
    quoted: Renewal, sandbox: Sandbox, heard: Heard, django_capture_on_commit_callbacks: Any
) -> None:
    xcover_renews(quoted)
    renewing.opt_out(quoted)

    with django_capture_on_commit_callbacks(execute=True):
        work()

    assert not sandbox.calls("opt_out_of_renewal")
    assert heard["renewal_opted_out"] == []
    assert the_package().attention == Attention.RENEWED_ANYWAY
    assert Quote.objects.get(status="CONFIRMED").choice == ""


def test_a_renewal_that_was_seen_to_be_made_before_it_was_declined_is_flagged(
    quoted: Renewal,
) -> None:
    xcover_renews(quoted)
    refresh.refresh(the_package())

    renewing.opt_out(quoted)
    work()

    assert the_package().attention == Attention.RENEWED_ANYWAY


@pytest.mark.parametrize("state", [State.OPTING_OUT, State.OPTED_OUT, State.EXPIRED])
def test_a_period_nobody_wanted_is_nobodys_yes(quoted: Renewal, state: State) -> None:
    Renewal.objects.update(state=state)
    xcover_renews(quoted)

    refresh.refresh(the_package())
    reconciliation.reconcile("default", fix=True)

    unwanted = Quote.objects.get(status="CONFIRMED")
    assert (unwanted.choice, unwanted.chosen_price) == ("", None)
    assert the_package().attention == Attention.RENEWED_ANYWAY
    assert Discrepancy.objects.get().kind == Discrepancy.Kind.NOT_PAID
    quoted.refresh_from_db()
    assert quoted.state == state


def test_what_a_person_has_looked_into_is_not_flagged_again(quoted: Renewal) -> None:
    renewing.opt_out(quoted)
    xcover_renews(quoted)
    refresh.refresh(the_package())
    resolve_flags(the_package(), note="Cancelled at XCover.")

    refresh.refresh(the_package())
    renewing.find_due()

    assert the_package().attention == ""
    assert Quote.objects.get(status="CONFIRMED").choice == ""


def test_declined_twice_is_told_to_xcover_once(due: Renewal, sandbox: Sandbox) -> None:
    first = renewing.opt_out(due)
    again = renewing.opt_out(due)
    work()
    afterwards = renewing.opt_out(due)

    assert first == again == afterwards
    assert len(sandbox.calls("opt_out_of_renewal")) == 1
    due.refresh_from_db()
    assert due.state == State.OPTED_OUT


def test_declined_is_announced_and_the_cover_runs_on(
    quoted: Renewal, heard: Heard, django_capture_on_commit_callbacks: Any
) -> None:
    renewing.opt_out(quoted)
    with django_capture_on_commit_callbacks(execute=True):
        work()

    assert [told["renewal"] for told in heard["renewal_opted_out"]] == [quoted]
    assert quoted.package.quotes.get().status == "CONFIRMED"


def test_a_declined_renewal_is_not_found_again(due: Renewal) -> None:
    renewing.opt_out(due)
    work()

    assert renewing.find_due() == []
    assert Renewal.objects.count() == 1
