"""Record what a cancellation gives back, and announce it.

XCover determines the refund of policies that it booked. It doesn't know cover from which a customer
withdrew before the booking; for that, the shop returns the premium that it charged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from django_xcover import safe_logging, signals
from django_xcover.formats import plain_amount
from django_xcover.mirror import packages
from django_xcover.mirror.instalment_plans import plans_of
from django_xcover.models import (
    Attention,
    Cancellation,
    Choice,
    Decision,
    Flag,
    Operation,
    OperationState,
    OrderEvent,
    Quote,
    QuotePackage,
    Status,
    Withdrawal,
)
from django_xcover.models.operation import PAYING, UNPAID
from django_xcover.outbox.transitions import transition
from django_xcover.policies import refunds
from django_xcover.policies.staleness import was_paid_since
from django_xcover.types import Money

logger = safe_logging.get_logger("django_xcover.policies")

# The statuses of a policy that is or was in force; only these can be cancelled.
COVERED = frozenset({Status.CONFIRMED, Status.CANCELLED, Status.RENEWED})
# For these flags staff return the premium of what XCover did not book.
RETURNED_FOR = (Attention.POLICY_MISSING, Attention.BOOKING_FAILED)


def conclude(
    package: QuotePackage,
    cancellation: Cancellation,
    refund: Mapping[str, Any] | None = None,
    *,
    stated: bool | None = None,
) -> None:
    """Mark the cancellation as carried out with its refund, and notify the shop after the commit.

    `refund` are columns with XCover's refund, None if nothing of it was booked. `stated` is whether
    a customer withdrew, by default whether a statement is on record. Call it in a transaction that
    holds the package's lock.
    """
    shown = cancellation.refund
    columns = dict(refund) if refund is not None else {"lines": [], "total_refund": Decimal(0)}
    if stated is None:
        stated = Withdrawal.objects.filter(cancellation=cancellation).exists()
    unbooked = _unbooked(cancellation) if stated else []
    if unbooked:
        columns = _with_premiums(package, cancellation, unbooked, columns)
    now = timezone.now()
    if not transition(
        cancellation, Cancellation.State.CONFIRMED, field="state", confirmed_at=now, **columns
    ):
        return
    # An instalment that was in transit at confirmation may have overtaken the preview.
    overtaken = bool(cancellation.cancellation_id) and was_paid_since(
        package, cancellation.created_at
    )
    is_clear = _is_clear(cancellation.refund, shown, package.currency)
    is_returned = bool(unbooked) and may_be_returned(package)
    if overtaken or not is_clear or is_returned or _is_refunded_twice(cancellation):
        packages.flag(package, Attention.REFUND_UNCLEAR)
    transaction.on_commit(
        partial(
            signals.policy_cancelled.send_robust,
            sender=Cancellation,
            package=package,
            cancellation=cancellation,
        )
    )


def may_be_returned(package: QuotePackage) -> bool:
    """Return whether staff may have returned the premium of what XCover did not book.

    They were asked to by a flag, open or resolved. Only its note says whether they did.
    """
    return _was_paid(package) and Flag.objects.filter(_asked_for(package)).exists()


def _was_seen_to(package: QuotePackage) -> bool:
    """Return whether staff have resolved such a flag, or given up the booking."""
    resolved = Flag.objects.filter(_asked_for(package), resolved_at__isnull=False)
    written = Operation.objects.filter(package=package, kind__in=PAYING)
    given_up = written.filter(state=OperationState.DISCARDED).exclude(given_up="")
    return resolved.exists() or given_up.exclude(subject=UNPAID).exists()


def _asked_for(package: QuotePackage) -> Q:
    return Q(package=package, reason__in=RETURNED_FOR)


def _unbooked(cancellation: Cancellation) -> list[Quote]:
    quotes = cancellation.quotes.exclude(status__in=COVERED).select_related("package")
    return list(quotes.order_by("position"))


def _with_premiums(
    package: QuotePackage,
    cancellation: Cancellation,
    unbooked: Sequence[Quote],
    columns: dict[str, Any],
) -> dict[str, Any]:
    """Add to XCover's refund what the shop returns for the policies that were never booked."""
    premiums = _premiums(package, unbooked)
    named = columns.get("total_refund", cancellation.total_refund)
    amounts = [named, *premiums]
    known = [amount for amount in amounts if amount is not None]
    total = sum(known, Decimal(0)) if len(known) == len(amounts) else None
    logger.warning(
        "Order %s: cover was withdrawn from before it was booked. The shop returns %s %s.",
        package.order_reference,
        "an unknown amount" if total is None else plain_amount(Money(total, package.currency)),
        package.currency,
    )
    lines = columns.get("lines", cancellation.lines)
    added = [refunds.premium_line(*pair) for pair in zip(unbooked, premiums, strict=True)]
    return {**columns, "lines": [*lines, *added], "total_refund": total}


def _premiums(package: QuotePackage, unbooked: Sequence[Quote]) -> list[Decimal | None]:
    """Return what the shop owes for each policy, None where that is not known."""
    if _may_have_been_paid(package):
        return [None] * len(unbooked)
    if not _was_paid(package):
        return [Decimal(0)] * len(unbooked)
    if _was_seen_to(package):
        return [None] * len(unbooked)
    return [_premium(quote) for quote in unbooked]


def _may_have_been_paid(package: QuotePackage) -> bool:
    """Return whether the shop has reported the order or its payment, and that isn't settled yet."""
    events = OrderEvent.objects.unsettled().filter(order_reference=package.order_reference)
    return events.exclude(kind=OrderEvent.Kind.CANCELLED).exists()


def _was_paid(package: QuotePackage) -> bool:
    """Return whether the shop has reported the payment, even if its booking was taken back since.

    Under REPEATABLE READ, only a locking read sees the rows that another transaction wrote before
    it released the package.
    """
    rows = Operation.objects.select_for_update().filter(package=package, kind__in=PAYING)
    return rows.exclude(subject=UNPAID).exists()


def _premium(quote: Quote) -> Decimal | None:
    """Return what the order was charged for `quote`: its price, or the first instalment.

    None if it is no longer known. With a token, XCover charges the card with the booking, and the
    shop has charged nothing for cover.
    """
    if quote.package.customer_token_id:
        doubtful = Operation.objects.filter(
            package=quote.package, kind__in=PAYING, outcome_known=False
        )
        return None if doubtful.exists() else Decimal(0)
    accepted = Decision.objects.filter(quote=quote, choice=Choice.ACCEPTED).order_by("-pk").first()
    if accepted is None:
        return None
    if not accepted.instalment_plan:
        return accepted.price
    plans = {plan.name: plan.first.amount for plan in plans_of(quote)}
    return plans.get(accepted.instalment_plan)


def _is_clear(refund: Money | None, shown: Money | None, paid_in: str) -> bool:
    """Return whether the refund is known, in the currency of the price, and as shown."""
    is_known = refund is not None and refund.currency == paid_in
    return is_known and shown in {None, refund}


def _is_refunded_twice(cancellation: Cancellation) -> bool:
    """Return whether an earlier cancellation refunds one of the same policies.

    A call assumed lost may still have booked the cover from which the customer withdrew.
    """
    done = Cancellation.objects.filter(state=Cancellation.State.CONFIRMED).exclude(total_refund=0)
    earlier = done.filter(quotes__in=cancellation.quotes.all()).exclude(pk=cancellation.pk)
    return cancellation.total_refund != 0 and earlier.exists()
