"""Prices that nobody may be charged: not as asked for, or moved after somebody agreed to them."""

from __future__ import annotations

import logging

from django.db.models import F

from django_xcover.client.answers import FastQuoteAnswer, PackageAnswer
from django_xcover.models import Modification, QuotePackage, Status

logger = logging.getLogger(__name__)

# After a cancellation a price is what XCover makes of it; the refund is what counts.
HELD = (Status.PENDING_PAYMENT, Status.CONFIRMED)


def are_sellable(answer: PackageAnswer | FastQuoteAnswer, currency: str) -> bool:
    """Return whether `answer` prices in `currency`, and nothing below zero; log it when not."""
    sellable = answer.currency == currency and all(quote.price >= 0 for quote in answer.quotes)
    if not sellable:
        logger.error("No offer: XCover's prices are below zero or in another currency than asked.")
    return sellable


def stray(package: QuotePackage, answer: PackageAnswer) -> bool:
    """Return whether `answer` moves a policy's price away from the one agreed on.

    Ask before it is applied: a price that differed before has been flagged before. While a priced
    change is being made the booking may cost what was agreed on for the change. One query, two
    when a price moves. The same number in another currency is another price.
    """
    if answer.currency not in {package.currency, package.payload.get("currency")}:
        return True
    told = {read.quote_id: read.price for read in answer.quotes if read.status in HELD}
    accepted = package.quotes.offered().accepted()
    agreed = accepted.filter(price=F("chosen_price")).values_list("quote_id", "price")
    moved = any(told.get(quote_id, price) != price for quote_id, price in agreed)
    return moved and not _is_being_changed(package, answer)


def _is_being_changed(package: QuotePackage, answer: PackageAnswer) -> bool:
    priced = package.modifications.exclude(update_id="").filter(price_after=answer.total)
    return priced.filter(state=Modification.State.REQUESTED).exists()
