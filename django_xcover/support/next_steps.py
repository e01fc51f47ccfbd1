"""Next steps for staff about an order's cover, in a sentence each. Reads rows, changes none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from django_xcover.models import (
    AccountPause,
    Attention,
    Cancellation,
    Choice,
    Flag,
    Instalment,
    Modification,
    Operation,
    OperationState,
    Quote,
    QuotePackage,
    Renewal,
    Status,
)
from django_xcover.models.status import COLLECTED_FOR
from django_xcover.outbox import operations
from django_xcover.outbox.failures import fault_of
from django_xcover.support.failure_texts import ADVICE, NAMES, in_plain_words
from django_xcover.support.flag_texts import about


class Remedy(StrEnum):
    """The button that belongs to a next step."""

    NONE = ""
    RETRY = "retry"
    REFRESH = "refresh"


Row = QuotePackage | Flag | Operation | Cancellation | Modification | Renewal | Instalment


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """The problem of `row` and what to do. `urgent` means that it needs a person.

    `row_actions` names the forms on the row's page that do it.
    """

    row: Row
    urgent: bool
    what: str
    to_do: str
    error: str = ""
    remedy: Remedy = Remedy.NONE
    row_actions: tuple[str, ...] = ()


def next_steps(
    package: QuotePackage, quotes: Iterable[Quote], operations: Iterable[Operation]
) -> list[NextStep]:
    """Return the steps for `package`, urgent ones first."""
    quotes, operations = list(quotes), list(operations)
    steps = [step for operation in operations if (step := _for_operation(operation, package))]
    open_flags = [flag for flag in package.flags.all() if flag.is_open]
    steps += [_for_flag(flag, package, quotes) for flag in open_flags]
    is_ordered = package.order_reference and package.status == Status.RECEIVED
    is_accepted = any(quote.choice == Choice.ACCEPTED for quote in quotes)
    if is_ordered and is_accepted and not operations:
        steps.append(_unpaid(package))
    return sorted(steps, key=lambda step: not step.urgent)


def next_step_of(operation: Operation) -> list[NextStep]:
    """Return the step for one operation, if any. Its `package` must be loaded."""
    step = _for_operation(operation, operation.package)
    return [step] if step else []


def next_steps_of_flag(flag: Flag) -> list[NextStep]:
    """Return the step for one flag, [] if it is resolved."""
    quotes = list(flag.package.quotes.all())
    return [_for_flag(flag, flag.package, quotes)] if flag.is_open else []


def operation_name(operation: Operation) -> str:
    """Return the name of the operation, capitalized."""
    names = {kind.value: str(name) for kind, name in NAMES.items()}
    return names.get(operation.kind, operation.kind)


def moment(at: datetime) -> str:
    """Return `at` formatted in the current time zone and language."""
    return date_format(timezone.localtime(at), "DATETIME_FORMAT")


def is_overdue(instalment: Instalment, now: datetime) -> bool:
    """Return whether the instalment's period has begun without its payment."""
    is_late = instalment.is_open and instalment.period_start_date < now
    return is_late and instalment.quote.status in COLLECTED_FOR


def was_refused(operation: Operation) -> bool:
    """Return whether XCover refused the operation, rather than it having become unnecessary."""
    is_over = operation.state == OperationState.DISCARDED and not operation.given_up
    return is_over and "type" in operation.error


def _for_operation(operation: Operation, package: QuotePackage) -> NextStep | None:
    if operation.state == OperationState.NEEDS_PERSON:
        return _stopped(operation, package)
    due = operation.due_at
    if due is not None and due < timezone.now() - operations.OVERDUE:
        return _overdue(operation, package)
    if operation.state == OperationState.PENDING and operation.failures:
        return _tried_again(operation)
    return None


def _stopped(operation: Operation, package: QuotePackage) -> NextStep:
    what, to_do = ADVICE[fault_of(operation.error)]
    values = {
        "name": operation_name(operation),
        "package": package.package_id,
        "account": package.account,
        "failures": operation.failures,
    }
    return NextStep(
        row=operation,
        urgent=True,
        what=str(what) % values,
        to_do=str(to_do) % values,
        error=in_plain_words(operation.error),
        remedy=Remedy.RETRY,
        row_actions=("give-up",),
    )


def _overdue(operation: Operation, package: QuotePackage) -> NextStep:
    if AccountPause.objects.filter(account=package.account).exists():
        return _paused(operation, package)
    # As for workers: each operation waits for its turn on the package.
    is_in_turn = Operation.objects.filter(pk=operation.pk).in_turn().exists()
    return _without_worker(operation) if is_in_turn else _held_up(operation)


def _held_up(operation: Operation) -> NextStep:
    return NextStep(
        row=operation,
        urgent=False,
        what=_("%(name)s is waiting for an earlier operation on the same package.")
        % _name_and_time(operation),
        to_do=_("Take care of the earlier operation: this one follows automatically."),
    )


def _without_worker(operation: Operation) -> NextStep:
    what = _("%(name)s has been due since %(when)s, but no worker has taken it.")
    return NextStep(
        row=operation,
        urgent=True,
        what=what % _name_and_time(operation),
        to_do=_(
            "Tell the developers that the Celery worker and beat seem to be down. Nothing is "
            "lost: it continues automatically when they are back."
        ),
    )


def _paused(operation: Operation, package: QuotePackage) -> NextStep:
    values = {**_name_and_time(operation), "account": package.account}
    return NextStep(
        row=operation,
        urgent=False,
        what=_("%(name)s is waiting because the account “%(account)s” is paused.") % values,
        to_do=_("Nothing: it continues automatically when the account is resumed."),
    )


def _tried_again(operation: Operation) -> NextStep:
    values = _name_and_time(operation)
    return NextStep(
        row=operation,
        urgent=False,
        what=_("%(name)s has not succeeded yet: XCover could not be reached.") % values,
        to_do=_("Nothing: it is retried automatically (%(when)s).") % values,
        remedy=Remedy.RETRY,
    )


def _unpaid(package: QuotePackage) -> NextStep:
    return NextStep(
        row=package,
        urgent=False,
        what=_("Cover was chosen; it is booked when the shop reports the payment."),
        to_do=_(
            "Nothing while the order is unpaid. If it is paid, tell the developers that the "
            "payment was not reported."
        ),
    )


def _name_and_time(operation: Operation) -> dict[str, str]:
    return {"name": operation_name(operation), "when": moment(operation.next_attempt_at)}


def _for_flag(flag: Flag, package: QuotePackage, quotes: list[Quote]) -> NextStep:
    what, to_do = about(flag, package, quotes)
    # Another read doesn't change a booked price.
    is_settled = flag.reason == Attention.PRICE_DIFFERS
    remedy = Remedy.NONE if is_settled else Remedy.REFRESH
    return NextStep(
        row=flag, urgent=True, what=what, to_do=to_do, remedy=remedy, row_actions=("resolve",)
    )
