"""The customer wants no next period."""

from __future__ import annotations

from typing import Any

import pytest

from django_xcover.models import Operation, OperationState, Renewal
from django_xcover.sandbox import Sandbox
from django_xcover.services import renewing
from django_xcover.services.renewing import refusals
from tests.conftest import work
from tests.services.renewing.conftest import Heard

pytestmark = pytest.mark.django_db
State = Renewal.State


@pytest.mark.parametrize(
    ("then", "refusal"), [(False, refusals.AlreadyPaid), (True, refusals.AlreadyRenewed)]
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

    with pytest.raises(refusals.Lapsed, match="no longer be renewed"):
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


def test_credentials_that_fail_are_no_answer_about_the_renewal(
    due: Renewal, sandbox: Sandbox
) -> None:
    renewing.opt_out(due)
    sandbox.faults.add("opt_out_of_renewal", "status", status=403)

    work()

    due.refresh_from_db()
    assert due.state == State.OPTING_OUT


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
