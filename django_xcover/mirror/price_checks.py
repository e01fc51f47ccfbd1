"""Prices that nobody may be charged: not as asked for, or moved after somebody agreed to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from django_xcover import safe_logging
from django_xcover.client.schemas.packages import FastQuoteAnswer, PackageAnswer, QuoteAnswer
from django_xcover.models import Choice, Modification, Quote, QuotePackage, Status

logger = safe_logging.get_logger("django_xcover.mirror")

# After a cancellation a price is what XCover makes of it; the refund is what counts.
HELD = (Status.PENDING_PAYMENT, Status.CONFIRMED)


def are_sellable(answer: PackageAnswer | FastQuoteAnswer, currency: str) -> bool:
    """Return whether the prices of `answer` can be shown and charged; log by name what cannot.

    They are in `currency`, not below zero, and what XCover asks for: the sum of the prices, with
    nothing taken off. What a discount does to a booking is not documented and was never recorded.
    """
    wrong = [*_wrong(answer, currency), *_not_the_sum(answer)]
    if wrong:
        logger.error("No offer: XCover's prices cannot be charged: %s.", ", ".join(wrong))
    return not wrong


def is_not_the_sum(package: QuotePackage, answer: PackageAnswer) -> bool:
    """Return whether XCover now asks for a total that the prices of a booking do not make up."""
    if answer.total_price == package.total_price and answer.status == package.status:
        return False  # it was looked into when it came
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
    # Whether what failed is counted was never recorded.
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
    """Return whether `answer` gives a policy another price than the one agreed on.

    `quotes` are those of `package` as they stand here: ask before the answer is applied. A price
    that XCover holds already was flagged when it came. While a priced change is being made the
    booking may cost what was agreed on for the change. The same number in another currency is
    another price.
    """
    if answer.currency not in {package.currency, package.answer.currency}:
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
