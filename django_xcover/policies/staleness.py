"""What makes a price outdated that somebody was shown for a change, or for cancelling."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from django_xcover.models import Instalment, Modification, Operation, OperationKind, QuotePackage

State = Modification.State


def changes_since(package: QuotePackage, at: datetime) -> list[Modification]:
    """Return the priced changes that have been made, or are to be, by a word given since `at`.

    A change that was settled earlier and is not made yet is left out: it may wait for a person,
    and a customer who wants to cancel must not wait with it. No query where they are prefetched.
    """
    return [row for row in package.modifications.all() if row.update_id and _counts(row, at)]


def was_paid_since(package: QuotePackage, at: datetime) -> bool:
    """Return whether an instalment was paid, or became known to XCover, since `at`.

    A refund is part of what was paid. One that was paid earlier and is not reported yet counts
    when it is: it may wait for a person, and a customer who wants to cancel must not wait with it.
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
        return change.updated_at >= at  # settling it was the last that happened to it
    made = change.confirmed_at
    return change.state == State.CONFIRMED and made is not None and made >= at
