"""Read our side of some packages in a fixed number of queries."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.utils import timezone

from django_xcover import safe_logging
from django_xcover.adapters import ShopAdapter, get_adapter
from django_xcover.models import (
    BOOKED,
    Hold,
    Operation,
    Quote,
    QuotePackage,
)
from django_xcover.outbox.operations import OVERDUE
from django_xcover.sync.reconciliation.diff import Ours

logger = safe_logging.get_logger("django_xcover.reconciliation")


def read_ours(packages: QuerySet[QuotePackage]) -> list[Ours]:
    """Return our side of each of `packages`, in four queries.

    The queries of the adapter's `is_paid` and `get_order` come on top.
    """
    quotes = Quote.objects.offered().defer("payload", "request")
    rows = packages.defer("payload").prefetch_related(
        Prefetch("quotes", quotes, to_attr="offered"),
        Prefetch("operations", Operation.objects.defer("request"), to_attr="written"),
        Prefetch("holds", Hold.objects.without_order(), to_attr="charged"),
    )
    return [_ours(row, row.offered, row.written, is_charged=bool(row.charged)) for row in rows]


def not_listed(
    packages: QuerySet[QuotePackage], *, before: datetime, since: datetime | None
) -> QuerySet[QuotePackage]:
    """Return the `packages` that weren't in XCover's list in the pass started at `before`.

    They are booked here, or were ordered with accepted cover, or their premium was frozen and may
    have been charged without an order.
    """
    chosen = Quote.objects.accepted().filter(package=OuterRef("pk"))
    ordered = ~Q(order_reference="") & Exists(chosen)
    rows = packages.filter(Q(reconciled_at=None) | ~Q(reconciled_at=before))
    charged = Exists(Hold.objects.without_order().filter(package=OuterRef("pk")))
    rows = rows.filter(Q(status__in=BOOKED) | ordered | charged)
    if since is None:
        return rows
    # A payment changes an operation and not the package.
    lately = Operation.objects.filter(package=OuterRef("pk"), updated_at__gte=since)
    return rows.filter(Q(updated_at__gte=since) | Q(Exists(lately)))


def _ours(
    package: QuotePackage, quotes: list[Quote], operations: list[Operation], *, is_charged: bool
) -> Ours:
    # A worker has the operation, or soon will.
    in_hand = (row.due_at and row.due_at > timezone.now() - OVERDUE for row in operations)
    return Ours(
        package=package,
        quotes=tuple(quotes),
        is_paid=is_charged or _is_paid(package, operations),
        in_hand=any(in_hand),
        changed_at=max([package.updated_at, *(row.updated_at for row in operations)]),
    )


def _is_paid(package: QuotePackage, operations: list[Operation]) -> bool | None:
    """Return the shop's answer, else True if the payment was reported, else None."""
    answer = _ask_shop(package)
    if answer is not None:
        return answer
    return True if any(row.reports_payment for row in operations) else None


def _ask_shop(package: QuotePackage) -> bool | None:
    adapter = get_adapter()
    # Don't load orders one by one if the adapter doesn't implement `is_paid`.
    if type(adapter).is_paid is ShopAdapter.is_paid or not package.order_reference:
        return None
    try:
        order = adapter.get_order(package.order_reference)
        return None if order is None else adapter.is_paid(order)
    except Exception as error:  # noqa: BLE001 - an error in the shop's code must not end the pass
        problem = safe_logging.describe(error)
    logger.error("The shop cannot say whether an order is paid: %s", problem)
    return None
