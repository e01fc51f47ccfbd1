"""Detect that a modification or refund quote is stale."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from django_xcover.models import Instalment, Modification, Operation, OperationKind, QuotePackage

State = Modification.State


def changes_since(package: QuotePackage, at: datetime) -> list[Modification]:
    """Return the priced changes confirmed since `at`, whether made yet or not.

    A change that was settled earlier but not yet made is left out: it may be waiting for staff, and
    must not hold up a customer who wants to cancel. Makes no query if they are prefetched.
    """
    return [row for row in package.modifications.all() if row.update_id and _counts(row, at)]


def was_paid_since(package: QuotePackage, at: datetime) -> bool:
    """Return whether an instalment was paid, or reported to XCover, since `at`.

    A refund depends on what was paid. An instalment that was paid earlier counts once it has been
    reported: the report may be waiting for staff, and must not hold up a customer who wants to
    cancel.
    """
    rows = Instalment.objects.filter(quote__package=package)
    paid = Q(paid_at__gte=at) | Q(status=Instalment.Status.PAID, updated_at__gte=at)
    reported = Operation.objects.filter(
        package=package,
        kind=OperationKind.REPORT_INSTALMENT,
        subject__endswith=":paid",
        finished_at__gte=at,
    )
    return rows.filter(paid).exists() or reported.exists()


def _counts(change: Modification, at: datetime) -> bool:
    if change.state == State.REQUESTED:
        return change.updated_at >= at  # settling was its latest update
    made = change.confirmed_at
    return change.state == State.CONFIRMED and made is not None and made >= at
