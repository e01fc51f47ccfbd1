"""Prices that nobody may be charged: not as asked for, or moved after somebody agreed to them."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from decimal import Decimal

from django_xcover.client.answers import FastQuoteAnswer, PackageAnswer
from django_xcover.models import Choice, Modification, Quote, QuotePackage, Status

logger = logging.getLogger(__name__)

# After a cancellation a price is what XCover makes of it; the refund is what counts.
HELD = (Status.PENDING_PAYMENT, Status.CONFIRMED)


def are_sellable(answer: PackageAnswer | FastQuoteAnswer, currency: str) -> bool:
    """Return whether `answer` prices in `currency`, and nothing below zero; log it when not."""
    sellable = answer.currency == currency and all(quote.price >= 0 for quote in answer.quotes)
    if not sellable:
        logger.error("No offer: XCover's prices are below zero or in another currency than asked.")
    return sellable


def stray(package: QuotePackage, quotes: Iterable[Quote], answer: PackageAnswer) -> bool:
    """Return whether `answer` gives a policy another price than the one agreed on.

    `quotes` are those of `package` as they stand here: ask before the answer is applied. A price
    that XCover holds already was flagged when it came. While a priced change is being made the
    booking may cost what was agreed on for the change. The same number in another currency is
    another price.
    """
    if answer.currency not in {package.currency, package.payload.get("currency")}:
        return True
    told = {read.quote_id: read.price for read in answer.quotes if read.status in HELD}
    moved = any(_is_new(quote, told[quote.quote_id]) for quote in quotes if quote.quote_id in told)
    return moved and not _is_being_changed(package, answer)


def _is_new(quote: Quote, price: Decimal) -> bool:
    """Return whether nobody has agreed to `price`, nor seen it before."""
    if quote.choice != Choice.ACCEPTED or quote.status == Status.DELETED:
        return False
    known = {quote.chosen_price, quote.price} if quote.status in HELD else {quote.chosen_price}
    return price not in known


def _is_being_changed(package: QuotePackage, answer: PackageAnswer) -> bool:
    priced = package.modifications.exclude(update_id="").filter(price_after=answer.total)
    return priced.filter(state=Modification.State.REQUESTED).exists()
