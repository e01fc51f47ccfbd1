"""What the tests of renewals that are paid share."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from django_xcover.clients import factory
from django_xcover.mirror import refresh
from django_xcover.models import Operation, Renewal
from django_xcover.policies import renewal as renewing
from django_xcover.sandbox import Sandbox
from tests.policies.renewal.conftest import required

State = Renewal.State


def the_confirmation() -> Operation:
    """Return the only operation about a renewal."""
    return Operation.objects.get(kind="renew")


def let_time_pass() -> None:
    Operation.objects.update(
        next_attempt_at=timezone.now(), lease_until=timezone.now() - timedelta(seconds=1)
    )


def cancelled(renewal: Renewal, sandbox: Sandbox) -> None:
    factory.client_for("default").cancel_booking(renewal.package.package_id, idempotency_key="x")
    refresh.refresh(renewal.package)


def renewed_by_itself(renewal: Renewal, sandbox: Sandbox) -> None:
    client = factory.client_for("default")
    client.renewal_confirmation(
        renewal.package.package_id, renewal.renewal_id, required(renewal.payload)
    )
    renewing.on_event("RENEWAL_DUE", renewal.package.package_id, "default")
