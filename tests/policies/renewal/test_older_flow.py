"""The older flow confirms a renewal by its announced id alone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from django_xcover import exceptions
from django_xcover.clients import factory
from django_xcover.models import OperationState, Renewal
from django_xcover.policies import renewal as renewing
from django_xcover.sandbox import Sandbox
from tests.conftest import work
from tests.policies.renewal.conftest import renewals_at
from tests.policies.renewal.support import State, let_time_pass, the_confirmation

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]


def test_without_an_id_there_is_nothing_to_confirm_in_the_older_flow(due: Renewal) -> None:
    with pytest.raises(exceptions.RenewalNotAnnounced, match="no id yet"):
        renewing.confirm_legacy(due)


@pytest.fixture
def announced(due: Renewal, sandbox: Sandbox) -> Renewal:
    """Return a renewal that XCover has announced by webhook, in the older flow."""
    client = factory.client_for("default")
    answer = client.quote_for_renewal(due.package.package_id)
    package_id = due.package.package_id
    found = renewing.on_event("RENEWAL_CREATED", package_id, "default", answer["renewal_id"])
    assert found == due
    return due


def test_the_older_flow_confirms_by_the_announced_id_alone(
    announced: Renewal, sandbox: Sandbox
) -> None:
    paid_on = datetime(2027, 4, 12, 2, 42, 12, tzinfo=UTC)

    operation = renewing.confirm_legacy(announced, paid_on=paid_on)
    again = renewing.confirm_legacy(announced, paid_on=paid_on)

    assert operation == again
    assert operation.request["paid_on"] == "2027-04-12 02:42:12Z"
    work()
    announced.refresh_from_db()
    assert announced.state == State.CONFIRMED
    assert len(sandbox.calls("confirm_renewal_legacy")) == 1
    assert renewals_at(sandbox, announced.package) == ["RENEWED", "CONFIRMED"]


def test_the_older_flow_takes_the_id_xcover_gave_before_one_that_was_announced(
    quoted: Renewal, sandbox: Sandbox
) -> None:
    renewing.on_event("RENEWAL_DUE", quoted.package.package_id, "default", "forge-forge-REN")

    operation = renewing.confirm_legacy(quoted)
    work()

    assert operation.request["renewal_id"] == quoted.renewal_id
    quoted.refresh_from_db()
    assert quoted.state == State.CONFIRMED


def test_the_older_flow_waits_until_the_booking_shows_the_new_period(
    announced: Renewal, sandbox: Sandbox
) -> None:
    renewing.confirm_legacy(announced)
    sandbox.faults.add("confirm_renewal_legacy", "status", status=202)
    work()
    assert the_confirmation().state == OperationState.PENDING

    let_time_pass()
    work()

    announced.refresh_from_db()
    assert announced.state == State.CONFIRMED
