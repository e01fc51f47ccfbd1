"""What the tests of cancellations say and look at."""

from __future__ import annotations

from typing import Any

from django_xcover.clients import factory
from django_xcover.models import Cancellation, Operation, OperationKind, QuotePackage
from django_xcover.models.operation import new_idempotency_key
from django_xcover.policies import cancellation
from django_xcover.sandbox import Sandbox
from tests.conftest import the_package

SHOPPER, STAFF = Cancellation.Origin.SHOPPER, Cancellation.Origin.STAFF
State = Cancellation.State
NOT_CANCELLABLE = "This cover cannot be cancelled."
NOT_IN_FORCE = "This cover is not in force yet, so there is nothing to cancel."
ENDED = "This cover has ended, so it can no longer be cancelled."
CANCELLED = "This cover has already been cancelled."
BEING_CANCELLED = "This cover is already being cancelled."
EXPIRED = "The refund you were shown is no longer valid. Please look at it again."


def preview(package: QuotePackage, **facts: Any) -> Cancellation:
    return cancellation.preview(package, origin=SHOPPER, **facts)


def the_cancellation() -> Cancellation:
    return Cancellation.objects.get()


def the_cancel() -> Operation:
    return Operation.objects.get(kind=OperationKind.CANCEL)


def status_at(sandbox: Sandbox) -> str:
    return str(sandbox.package(the_package().package_id)["status"])


def cancel_elsewhere(*quote_ids: str) -> None:
    body = {"quotes": [{"id": key} for key in quote_ids]} if quote_ids else {}
    factory.client_for("default").cancel_booking(
        the_package().package_id, body, idempotency_key=new_idempotency_key()
    )


def cancel(package: QuotePackage, *, direct: bool, **facts: Any) -> None:
    if direct:
        cancellation.cancel_now(package, origin=STAFF, **facts)
    else:
        cancellation.request(preview(package, **facts))
