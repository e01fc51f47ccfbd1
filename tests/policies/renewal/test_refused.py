"""A renewal that was paid and that XCover refuses waits for a person."""

from __future__ import annotations

from decimal import Decimal

import pytest

from django_xcover import exceptions
from django_xcover.models import Operation, OperationState, Renewal
from django_xcover.outbox import operations
from django_xcover.policies import renewal as renewing
from django_xcover.sandbox import Sandbox
from tests.conftest import work
from tests.policies.renewal.conftest import renewals_at
from tests.policies.renewal.support import State, the_confirmation

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]


@pytest.fixture
def refused(quoted: Renewal, sandbox: Sandbox) -> Operation:
    """Return the confirmation of a paid renewal that XCover refused."""
    operation = renewing.record_payment(quoted)
    sandbox.faults.add("confirm_renewal", "status", status=422, body={"errors": ["No."]})
    work()
    operation.refresh_from_db()
    return operation


def test_a_refused_renewal_that_is_paid_waits_for_a_person(
    quoted: Renewal, refused: Operation
) -> None:
    quoted.refresh_from_db()

    assert refused.state == OperationState.NEEDS_PERSON
    assert quoted.state == State.PAID


def test_a_persons_retry_asks_for_the_price_again_and_confirms_at_the_same(
    quoted: Renewal, refused: Operation, sandbox: Sandbox
) -> None:
    quotes = len(sandbox.calls("quote_for_renewal"))

    operations.retry(refused)
    work()

    assert len(sandbox.calls("quote_for_renewal")) == quotes + 1
    assert the_confirmation().state == OperationState.DONE
    assert quoted.package.quotes.get(status="CONFIRMED").price == Decimal("46.20")


def test_a_persons_retry_never_confirms_another_price_than_was_paid(
    quoted: Renewal, refused: Operation, sandbox: Sandbox
) -> None:
    sandbox.faults.add("quote_for_renewal", "wrong_price")

    operations.retry(refused)
    work()

    assert the_confirmation().state == OperationState.NEEDS_PERSON
    assert "£46.20 was paid" in the_confirmation().error["message"]
    assert renewals_at(sandbox, quoted.package) == ["CONFIRMED"]


def test_a_persons_retry_says_that_xcover_does_not_renew_the_cover(
    refused: Operation, sandbox: Sandbox
) -> None:
    sandbox.faults.add("quote_for_renewal", "status", status=422)

    operations.retry(refused)
    work()

    assert the_confirmation().state == OperationState.NEEDS_PERSON
    assert the_confirmation().error["message"] == exceptions.NotRenewable.message


def test_a_refused_renewal_can_be_given_up_and_holds_up_nothing(
    quoted: Renewal, refused: Operation
) -> None:
    renewing.abandon(quoted, reason="Refunded.")

    assert quoted.state == State.EXPIRED
    assert the_confirmation().state == OperationState.DISCARDED
    assert not Operation.objects.unfinished().exists()


def test_a_renewal_that_may_still_come_about_is_not_given_up(quoted: Renewal) -> None:
    renewing.record_payment(quoted)

    with pytest.raises(exceptions.RenewalNotStuck, match="not waiting for a person"):
        renewing.abandon(quoted, reason="Impatience.")

    assert the_confirmation().state == OperationState.PENDING
