"""Paid cover that was cancelled, and not by this shop: the customer may be owed a refund."""

from __future__ import annotations

from collections.abc import Iterable

from django_xcover.client.schemas.packages import PackageAnswer
from django_xcover.models import Cancellation, Choice, Operation, Quote, QuotePackage, Status

# Cancellations of ours, under way or carried out: what they refund is known.
OURS = (Cancellation.State.REQUESTED, Cancellation.State.CONFIRMED)


def cancelled(package: QuotePackage, quotes: Iterable[Quote], answer: PackageAnswer) -> bool:
    """Return whether `answer` shows cover as cancelled that is paid for, by nobody here.

    `quotes` are those of `package` as they stand here: ask before the answer is applied. What is
    CANCELLED here is looked at by nobody any more. Two queries at most, none without a
    cancellation.
    """
    told = {read.quote_id for read in answer.quotes if read.status == Status.CANCELLED}
    gone = [quote for quote in quotes if quote.quote_id in told and _counts(quote)]
    if not gone:
        return False
    ours = Cancellation.objects.filter(quotes__in=gone, state__in=OURS)
    known = set(ours.values_list("quotes", flat=True))
    return any(_is_paid(package, quote) for quote in gone if quote.pk not in known)


def _counts(quote: Quote) -> bool:
    if quote.status in {Status.CANCELLED, Status.DELETED}:
        return False
    return quote.status == Status.CONFIRMED or quote.choice == Choice.ACCEPTED


def _is_paid(package: QuotePackage, quote: Quote) -> bool:
    """Return whether money was taken: XCover confirms nothing else, and the shop reports it."""
    paid = Operation.objects.filter(package=package).reporting_payment()
    return quote.status == Status.CONFIRMED or paid.exists()
