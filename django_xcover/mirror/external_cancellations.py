"""Detect paid cover that was cancelled outside this shop: the customer may be owed a refund."""

from __future__ import annotations

from collections.abc import Iterable

from django_xcover.client.schemas.packages import PackageAnswer
from django_xcover.models import Cancellation, Choice, Operation, Quote, QuotePackage, Status

# Cancellations made here, in progress or complete: their refund is recorded.
OURS = (Cancellation.State.REQUESTED, Cancellation.State.CONFIRMED)


def cancelled(package: QuotePackage, quotes: Iterable[Quote], answer: PackageAnswer) -> bool:
    """Return whether `answer` shows paid cover as cancelled that was not cancelled here.

    `quotes` are the stored quotes of `package`, so call this before applying the answer: a quote
    already stored as CANCELLED is not checked again. Makes two queries at most, and none without
    a cancellation.
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
    """Return whether money was taken: the cover is confirmed, or the shop reported a payment."""
    paid = Operation.objects.filter(package=package).reporting_payment()
    return quote.status == Status.CONFIRMED or paid.exists()
