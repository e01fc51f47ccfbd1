"""Checks that a price may be charged: it's in the right currency, adds up, and is as agreed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from django_xcover import safe_logging
from django_xcover.client.schemas.packages import FastQuoteAnswer, PackageAnswer, QuoteAnswer
from django_xcover.models import Choice, Modification, Quote, QuotePackage, Status

logger = safe_logging.get_logger("django_xcover.mirror")

# After a cancellation XCover may change the price; only the refund matters then.
HELD = (Status.PENDING_PAYMENT, Status.CONFIRMED)


def are_sellable(answer: PackageAnswer | FastQuoteAnswer, currency: str) -> bool:
    """Return whether the prices of `answer` can be shown and charged; log each reason they can't.

    Prices must be in `currency`, not negative, and add up to the total XCover asks for, without
    a discount. The effect of a discount on a booking is undocumented and was never recorded.
    """
    wrong = [*_wrong(answer, currency), *_not_the_sum(answer)]
    if wrong:
        logger.error("No offer: XCover's prices cannot be charged: %s.", ", ".join(wrong))
    return not wrong


def is_not_the_sum(package: QuotePackage, answer: PackageAnswer) -> bool:
    """Return whether XCover now asks for a total other than the sum of a booking's prices."""
    if answer.total_price == package.total_price and answer.status == package.status:
        return False  # this total was checked when it first arrived
    in_force = all(quote.status in HELD for quote in answer.quotes)
    wrong = answer.status in HELD and in_force and any(_not_the_sum(answer))
    if wrong:
        logger.error(
            "Order %s, package %s: total_price is not the sum of the prices.",
            package.order_reference,
            package,
        )
    return wrong


def _wrong(answer: PackageAnswer | FastQuoteAnswer, currency: str) -> Iterator[str]:
    if answer.currency != currency:
        yield "currency is not the one asked for"
    for quote in answer.quotes:
        if quote.price < 0:
            yield "price is below zero"
        if quote.discount_amount:
            yield "discount_amount is not zero"
        if quote.discount_price not in {None, quote.price}:
            yield "discount_price is not the price"


def _not_the_sum(answer: PackageAnswer | FastQuoteAnswer) -> Iterator[str]:
    if isinstance(answer, FastQuoteAnswer):
        return
    # No recording shows whether the total includes failed quotes, so both sums are accepted.
    sums = {None, _sum(answer.quotes), _sum(q for q in answer.quotes if q.status != Status.FAILED)}
    if answer.quotes and answer.total_price not in sums:
        yield "total_price is not the sum of the prices"
    if answer.quotes and answer.bundle_price not in sums:
        yield "bundle_price is not the sum of the prices"
    if answer.bundle_discount_amount or answer.bundle_discount_percent:
        yield "bundle_discount is not zero"


def _sum(quotes: Iterable[QuoteAnswer]) -> Decimal:
    return sum((quote.price for quote in quotes), Decimal(0))


def stray(package: QuotePackage, quotes: Iterable[Quote], answer: PackageAnswer) -> bool:
    """Return whether `answer` gives a policy a different price from the one agreed on.

    `quotes` are the stored quotes of `package`, so call this before applying the answer. A price
    that is already stored was flagged when it arrived. While a priced change is in progress, the
    booking may cost the price agreed for the change. The same number in another currency is a
    different price.
    """
    if answer.currency not in {package.currency, package.answer.currency}:
        return True
    told = {read.quote_id: read.price for read in answer.quotes if read.status in HELD}
    moved = any(_is_new(quote, told[quote.quote_id]) for quote in quotes if quote.quote_id in told)
    return moved and not _is_being_changed(package, answer)


def _is_new(quote: Quote, price: Decimal) -> bool:
    """Return whether `price` is neither the agreed price nor the one already stored."""
    if quote.choice != Choice.ACCEPTED or quote.status == Status.DELETED:
        return False
    known = {quote.chosen_price, quote.price} if quote.status in HELD else {quote.chosen_price}
    return price not in known


def _is_being_changed(package: QuotePackage, answer: PackageAnswer) -> bool:
    priced = package.modifications.exclude(update_id="").filter(price_after=answer.total)
    return priced.filter(state=Modification.State.REQUESTED).exists()
