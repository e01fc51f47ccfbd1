"""Give up a stopped operation that a person settled by hand or that can't succeed.

An operation that needs a person blocks the later ones on its package. If XCover refuses it
permanently, it would block them forever.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from django_xcover.exceptions import NotWaiting
from django_xcover.mirror import packages
from django_xcover.models import (
    Attention,
    Operation,
    OperationKind,
    OperationState,
    QuotePackage,
    Renewal,
    Status,
)
from django_xcover.models.operation import UNPAID
from django_xcover.outbox import operations
from django_xcover.outbox.operations import Failure
from django_xcover.outbox.transitions import transition
from django_xcover.support.failure_texts import GIVEN_UP
from django_xcover.worker import WORKFLOWS

# The statuses of a package without cover.
UNCOVERED = (Status.RECEIVED, Status.PENDING_PAYMENT)


def may_give_up(operation: Operation) -> bool:
    """Return whether `operation` needs a person."""
    return operation.state == OperationState.NEEDS_PERSON


def meaning_of(operation: Operation) -> str:
    """Return what is left for staff to do if `operation` is given up."""
    texts = [str(GIVEN_UP[OperationKind(operation.kind)])]
    if not operation.outcome_known:
        doubt = _(
            "It may have worked anyway: first check with XCover, with the package id %(package)s."
        )
        texts.insert(0, doubt % {"package": operation.package.package_id})
    return " ".join(
        [*texts, _("It is never retried, and the operations waiting behind it continue.")]
    )


def give_up(operation: Operation, *, note: str) -> None:
    """Discard `operation`, which needs a person, and dispatch the next one on its package.

    `note` says what was done instead; it is stored with the operation and must not name the
    customer. The operation's workflow row is ended as well, and a paid package without cover is
    flagged. Raises NotWaiting if the operation doesn't need a person.
    """
    with transaction.atomic():
        # The package is always locked first, then the rows that belong to it.
        package = QuotePackage.objects.locked().get(pk=operation.package_id)
        operation.refresh_from_db()
        operation.package = package
        if not may_give_up(operation) or not _discard(operation, note):
            raise NotWaiting
        _settle(operation)
        waiting = Operation.objects.filter(package=package, state=OperationState.PENDING)
        for pk in waiting.in_turn().order_by("pk").values_list("pk", flat=True):
            operations.announce(pk)


def _discard(operation: Operation, note: str) -> bool:
    return transition(
        operation,
        OperationState.DISCARDED,
        field="state",
        only=Q(attempts=operation.attempts),
        request={},
        given_up=note,
        finished_at=timezone.now(),
    )


def _settle(operation: Operation) -> None:
    """End the workflow row of the operation, or flag its package."""
    kind = OperationKind(operation.kind)
    refuse = WORKFLOWS[kind].refuse
    if refuse is not None:
        failure = Failure(
            type="given_up",
            message=operation.given_up,
            permanent=True,
            outcome_known=operation.outcome_known,
        )
        refuse(operation, failure)
    elif kind in _ENDINGS:
        _ENDINGS[kind](operation)


def _flag_uncovered(operation: Operation) -> None:
    package = operation.package
    is_paid = operation.subject != UNPAID
    is_wanted = package.quotes.offered().accepted().exists()  # the order was not cancelled
    if is_paid and is_wanted and package.status in UNCOVERED:
        packages.flag(package, Attention.BOOKING_FAILED)


def _end_renewal(operation: Operation) -> None:
    renewal = Renewal.objects.get(pk=int(operation.subject))
    if renewal.state == Renewal.State.PAID:
        transition(renewal, Renewal.State.EXPIRED, field="state")


# For kinds of operations without a `refuse` function.
_ENDINGS: dict[OperationKind, Callable[[Operation], None]] = {
    OperationKind.BOOK: _flag_uncovered,
    OperationKind.INSTANT_BOOK: _flag_uncovered,
    OperationKind.CONFIRM_PAYMENT: _flag_uncovered,
    OperationKind.RENEW: _end_renewal,
}
