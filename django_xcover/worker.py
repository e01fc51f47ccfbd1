"""One attempt at an operation: claim, call XCover outside any transaction, apply the outcome."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.db import transaction

from django_xcover import safe_logging
from django_xcover.booking import booking, opt_out
from django_xcover.booking import instant_booking as instant
from django_xcover.client import HeldBack, XCoverError
from django_xcover.exceptions import code_of
from django_xcover.models import Operation, OperationKind, OperationState, QuotePackage
from django_xcover.models.operation import PAYING
from django_xcover.orders import cancellation as with_orders
from django_xcover.outbox import operations
from django_xcover.outbox.failures import CannotPerform, Fault, Obsolete, OutcomeUnknown, fault_of
from django_xcover.outbox.operations import Failure
from django_xcover.policies import emails
from django_xcover.policies.cancellation import operation as cancellation
from django_xcover.policies.instalments import reports
from django_xcover.policies.modification import operation as modification
from django_xcover.policies.renewal import confirmation, renewal_opt_out
from django_xcover.values import UnusableValue

logger = safe_logging.get_logger("django_xcover.worker")

REFUSALS = (Fault.NOT_FOUND, Fault.STATE, Fault.DATA, Fault.REFUSED)


@dataclass(frozen=True, slots=True)
class Workflow:
    """How one kind of operation is carried out.

    `perform` calls XCover and changes no rows; `apply` changes rows and makes no calls. `refuse` is
    for kinds with a row of their own: it records XCover's refusal in that row and ends the
    operation. Without `refuse`, and for faults outside `refusals`, the operation waits for staff.
    """

    perform: Callable[[Operation], Any]
    apply: Callable[[Operation, Any], None]
    refuse: Callable[[Operation, Failure], None] | None = None
    refusals: Collection[Fault] = REFUSALS


WORKFLOWS = {
    OperationKind.BOOK: Workflow(booking.perform, booking.apply),
    OperationKind.CONFIRM_PAYMENT: Workflow(booking.perform_confirmation, booking.apply),
    OperationKind.OPT_OUT: Workflow(opt_out.perform, opt_out.apply),
    OperationKind.INSTANT_BOOK: Workflow(instant.perform, instant.apply),
    OperationKind.CANCEL: Workflow(cancellation.perform, cancellation.apply, cancellation.refuse),
    OperationKind.MODIFY: Workflow(modification.perform, modification.apply, modification.refuse),
    # A refused renewal or report waits for a person, because money has been collected for it.
    OperationKind.RENEW: Workflow(confirmation.perform, confirmation.apply),
    # Only a status rule proves that nothing would renew. After any other refusal XCover may renew
    # the cover although the customer declined.
    OperationKind.RENEWAL_OPT_OUT: Workflow(
        renewal_opt_out.perform,
        renewal_opt_out.apply,
        renewal_opt_out.refuse,
        (Fault.STATE, Fault.DATA),
    ),
    OperationKind.REPORT_INSTALMENT: Workflow(reports.perform, reports.apply),
    OperationKind.SEND_EMAIL: Workflow(emails.perform, emails.apply, emails.refuse),
}


def run(pk: int) -> None:
    """Make one attempt at the operation, if this caller can claim it.

    Raises no error caused by XCover or the shop's data: the operation records what failed and when
    it is tried again.
    """
    operation = operations.claim(pk)
    if operation is None:
        return
    workflow = WORKFLOWS[OperationKind(operation.kind)]
    try:
        answer = workflow.perform(operation)
    except Obsolete as reason:
        operations.discard(operation, str(reason))
    except HeldBack as held:
        operations.postpone(operation, held)
    except Exception as error:  # noqa: BLE001 - whatever it is, the operation must not be lost
        _fail(workflow, operation, _failure(operation, error))
    else:
        _settle_or_fail(workflow, operation, answer)


def _settle_or_fail(workflow: Workflow, operation: Operation, answer: Any) -> None:
    """Settle the operation; an answer that can't be stored is a failure of unknown outcome.

    If only its lease expired, it would be retried for ever without alerting staff.
    """
    try:
        _settle(workflow, operation, answer)
    except Exception as error:  # noqa: BLE001 - whatever it is, the operation must not be lost
        # The transaction was rolled back, but the object in memory still says "done".
        operation.state = OperationState.RUNNING
        _fail(workflow, operation, _failure(operation, error))


def _settle(workflow: Workflow, operation: Operation, answer: Any) -> None:
    """Finish and apply in one transaction, so that a crash leaves both or neither.

    The package is read again under its lock, because a webhook may have overtaken this worker.
    """
    with transaction.atomic():
        _lock_package(operation)
        if operations.finish(operation):
            workflow.apply(operation, answer)
            if operation.kind in PAYING:
                with_orders.cancel_withdrawn(operation.package)


def _fail(workflow: Workflow, operation: Operation, failure: Failure) -> None:
    """Schedule the next attempt, escalate to staff, or record the refusal in the workflow's row.

    Rejected credentials don't count as a refusal of the request.
    """
    with transaction.atomic():
        # Lock order: the package first. A shop that cancels an order also locks operations second.
        _lock_package(operation)
        if workflow.refuse is None or not is_refusal(failure, workflow.refusals):
            operations.fail(operation, failure)
        elif operations.refuse(operation, failure):
            workflow.refuse(operation, failure)


def _lock_package(operation: Operation) -> None:
    packages = QuotePackage.objects.locked()
    operation.package = packages.get(pk=operation.package_id)


def is_refusal(failure: Failure, refusals: Collection[Fault] = REFUSALS) -> bool:
    """Return whether XCover considered the request, refused it and changed nothing."""
    settled = failure.permanent and failure.outcome_known
    return settled and fault_of(asdict(failure)) in refusals


def _failure(operation: Operation, error: Exception) -> Failure:
    """Return `error` as a Failure; an earlier unknown outcome stays unknown unless settled now.

    Only XCover's answer to the same call settles it. A failed read, a call that was never sent or
    rejected credentials do not.
    """
    failure = _described(operation, error)
    settles = is_refusal(failure) and not getattr(error, "reading", False)
    known = failure.outcome_known and (operation.outcome_known or settles)
    return replace(failure, outcome_known=known)


def _described(operation: Operation, error: Exception) -> Failure:
    code = code_of(error)
    if isinstance(error, XCoverError):
        return Failure.from_vendor(error)
    if isinstance(error, CannotPerform | UnusableValue):
        return Failure(type=code, message=str(error), permanent=True, outcome_known=True)
    if isinstance(error, OutcomeUnknown):
        return Failure(type=code, message=str(error), permanent=False, outcome_known=False)
    logger.error(
        "Operation %s of order %s failed unexpectedly: %s",
        operation.pk,
        operation.package.order_reference,
        safe_logging.describe(error),
    )
    message = safe_logging.STAFF_MESSAGE
    return Failure(type=code, message=message, permanent=False, outcome_known=False)
