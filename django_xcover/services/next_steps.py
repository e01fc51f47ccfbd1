"""What a person has to do about an order's cover, in a sentence each. Reads rows, changes none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from django_xcover.models import (
    BOOKED,
    Attention,
    Choice,
    Operation,
    OperationState,
    Quote,
    QuotePackage,
    Status,
)
from django_xcover.services.advice import ADVICE, NAMES, in_plain_words
from django_xcover.services.amounts import format_amount
from django_xcover.services.faults import fault_of
from django_xcover.types import Money

# A due operation goes to a worker at once and is swept up soon after: one that still stands there
# after this long has no worker.
OVERDUE = timedelta(minutes=15)


class Remedy(StrEnum):
    """The button that belongs to a next step."""

    NONE = ""
    RETRY = "retry"
    REFRESH = "refresh"


@dataclass(frozen=True, slots=True, kw_only=True)
class NextStep:
    """What is wrong with `row` and what to do. `urgent` means that nobody else will do it."""

    row: QuotePackage | Operation
    urgent: bool
    what: str
    to_do: str
    error: str = ""
    remedy: Remedy = Remedy.NONE


def next_steps(
    package: QuotePackage, quotes: Iterable[Quote], operations: Iterable[Operation]
) -> list[NextStep]:
    """Return what to do about `package`, first what only a person can do."""
    quotes, operations = list(quotes), list(operations)
    steps = [step for operation in operations if (step := _for_operation(operation, package))]
    if package.attention:
        steps.append(_for_attention(package, quotes))
    if not operations and _awaits_payment(package, quotes):
        steps.append(_unpaid(package))
    return sorted(steps, key=lambda step: not step.urgent)


def next_step_of(operation: Operation) -> list[NextStep]:
    """Return what to do about one operation: one step or none. `package` must be loaded."""
    step = _for_operation(operation, operation.package)
    return [step] if step else []


def operation_name(operation: Operation) -> str:
    """Return the operation as a noun that a sentence can begin with."""
    names = {kind.value: str(name) for kind, name in NAMES.items()}
    return names.get(operation.kind, operation.kind)


def moment(at: datetime) -> str:
    """Return `at` in the reader's time zone and format."""
    return date_format(timezone.localtime(at), "DATETIME_FORMAT")


def price_differs(quote: Quote) -> bool:
    """Return whether a chosen quote's price is no longer the one at which it was chosen."""
    return quote.chosen_price is not None and quote.chosen_price != quote.price


def _for_operation(operation: Operation, package: QuotePackage) -> NextStep | None:
    if operation.state == OperationState.NEEDS_PERSON:
        return _stopped(operation, package)
    if _is_overdue(operation):
        return _without_worker(operation)
    if operation.state == OperationState.PENDING and operation.failures:
        return _tried_again(operation)
    return None


def _stopped(operation: Operation, package: QuotePackage) -> NextStep:
    what, to_do = ADVICE[fault_of(operation.error)]
    facts = {
        "name": operation_name(operation),
        "package": package.package_id,
        "account": package.account,
        "failures": operation.failures,
    }
    return NextStep(
        row=operation,
        urgent=True,
        what=str(what) % facts,
        to_do=str(to_do) % facts,
        error=in_plain_words(operation.error),
        remedy=Remedy.RETRY,
    )


def _is_overdue(operation: Operation) -> bool:
    due = {
        OperationState.PENDING.value: operation.next_attempt_at,
        OperationState.RUNNING.value: operation.lease_until,
    }.get(operation.state)
    return due is not None and due < timezone.now() - OVERDUE


def _without_worker(operation: Operation) -> NextStep:
    what = _("%(name)s has been due since %(when)s, and no worker has taken it.")
    return NextStep(
        row=operation,
        urgent=True,
        what=what % _name_and_time(operation),
        to_do=_(
            "Tell those who run the shop that its Celery worker and beat seem to be down. Nothing "
            "is lost: it goes on by itself when they are back."
        ),
    )


def _tried_again(operation: Operation) -> NextStep:
    facts = _name_and_time(operation)
    return NextStep(
        row=operation,
        urgent=False,
        what=_("%(name)s has not worked yet: XCover could not be reached.") % facts,
        to_do=_("Nothing: it is tried again by itself at %(when)s.") % facts,
        remedy=Remedy.RETRY,
    )


def _awaits_payment(package: QuotePackage, quotes: list[Quote]) -> bool:
    is_ordered = package.order_reference and package.status == Status.RECEIVED
    return bool(is_ordered) and any(quote.choice == Choice.ACCEPTED for quote in quotes)


def _unpaid(package: QuotePackage) -> NextStep:
    return NextStep(
        row=package,
        urgent=False,
        what=_("Cover was chosen and is booked when the shop reports the payment."),
        to_do=_(
            "Nothing while the order is unpaid. If it is paid, tell those who run the shop: the "
            "payment was not reported."
        ),
    )


def _name_and_time(operation: Operation) -> dict[str, str]:
    return {"name": operation_name(operation), "when": moment(operation.next_attempt_at)}


def _for_attention(package: QuotePackage, quotes: list[Quote]) -> NextStep:
    told = {
        Attention.PRICE_DIFFERS.value: _price_differs,
        Attention.POLICY_MISSING.value: _policy_missing,
        Attention.PAYMENT_OVERDUE.value: _payment_overdue,
    }
    what, to_do = told.get(package.attention, _status_unexpected)(package, quotes)
    # Asking XCover again changes no price that was booked.
    is_settled = package.attention == Attention.PRICE_DIFFERS
    remedy = Remedy.NONE if is_settled else Remedy.REFRESH
    return NextStep(row=package, urgent=True, what=what, to_do=to_do, remedy=remedy)


def _price_differs(package: QuotePackage, quotes: list[Quote]) -> tuple[str, str]:
    prices = [_both_prices(quote, package.currency) for quote in quotes if price_differs(quote)]
    what = _("XCover booked at another price than the customer was shown.")
    to_do = _(
        "Compare with what the customer paid. Paid too much: refund the difference. Paid too "
        "little: charge it only if the customer agrees, otherwise the shop bears it."
    )
    return " ".join([what, *prices]), to_do


def _both_prices(quote: Quote, currency: str) -> str:
    shown = quote.price if quote.chosen_price is None else quote.chosen_price
    return _("%(policy)s: shown %(shown)s, booked %(booked)s.") % {
        "policy": quote.policy_name,
        "shown": format_amount(Money(shown, currency)),
        "booked": format_amount(Money(quote.price, currency)),
    }


def _policy_missing(package: QuotePackage, quotes: list[Quote]) -> tuple[str, str]:
    missing = [q for q in quotes if q.choice == Choice.ACCEPTED and q.status not in BOOKED]
    names = [f"{quote.policy_name} ({quote.quote_id})" for quote in missing]
    what = _("The customer paid for cover that XCover did not book.")
    to_do = _(
        "Contact XCover with the package id %(package)s. If it cannot be booked, refund the "
        "customer and say that this cover does not exist."
    )
    return " ".join([what, ", ".join(names)]).strip(), to_do % {"package": package.package_id}


def _payment_overdue(package: QuotePackage, quotes: list[Quote]) -> tuple[str, str]:
    what = _("XCover holds this booking for a payment that has not been reported in time.")
    to_do = _(
        "If the order is paid, tell those who run the shop: the payment was not reported. If it is "
        "not, ask the customer, and cancel the order if the cover is no longer wanted."
    )
    return what, to_do


def _status_unexpected(package: QuotePackage, quotes: list[Quote]) -> tuple[str, str]:
    what = _("%(attention)s (here it is “%(status)s”).") % {
        "attention": package.get_attention_display(),
        "status": package.status,
    }
    to_do = _(
        "Press “Refresh from XCover”. If this stays, contact XCover with the package id "
        "%(package)s."
    )
    return what, to_do % {"package": package.package_id}
