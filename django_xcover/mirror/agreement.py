"""The terms a shopper accepts: which of them an answer changes, and whether it may be charged.

Every path that changes a quote's row uses this comparison: creating, updating in place, refreshing,
webhooks, reconciliation, reading before a retry, and booking.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django_xcover import safe_logging
from django_xcover.client.schemas import requests
from django_xcover.client.schemas.packages import FastQuoteAnswer, PackageAnswer, QuoteAnswer
from django_xcover.client.schemas.stored import StoredBenefit, WordedAmount
from django_xcover.mirror import instalment_plans, presentation
from django_xcover.models import Choice, Modification, Quote, QuotePackage, Status
from django_xcover.types import Money

logger = safe_logging.get_logger("django_xcover.mirror")

PRICE, PLAN, CURRENCY, PERIOD = "price", "plan", "currency", "period"
# The terms that make up a price. The price flag covers these.
MONEY = frozenset({PRICE, PLAN, CURRENCY})
# The query parameters that identify a document. Others are signatures, tokens or our own ids.
IDENTIFYING = frozenset({"policy_type", "version", "v"})
_LANGUAGE = re.compile(r"^/[a-z]{2}(-[a-z]{2})?(?=/)", re.IGNORECASE)
Terms = Mapping[str, Any]


def terms(quote: Quote) -> Terms:
    """Return the terms of `quote`, in the order in which changes are listed.

    Terms are normalised: signed links, list order, trailing zeros and the reader's language differ
    between answers without changing the terms. So do the ids of the package and of the quote, which
    are in the links to its documents.
    """
    answer = quote.answer
    return {
        CURRENCY: quote.package.currency,
        PRICE: _plain(quote.price),
        PLAN: _plan(quote),
        "cover_amount": _amount(answer.cover_amount),
        "insured": presentation.clean_text(quote.label),
        PERIOD: (_second(quote.policy_start_date), _second(quote.policy_end_date)),
        "benefits": sorted(_benefit(benefit) for benefit in presentation.described(answer)),
        "insurer": presentation.clean_text(answer.insurer),
        "name": (
            presentation.clean_text(answer.policy_type),
            presentation.clean_text(answer.policy_name),
        ),
        "wording": (
            presentation.clean_text(answer.description),
            _without_ids(" ".join(presentation.clean_html(answer.disclaimer).split()), quote),
            presentation.clean_text(answer.policy_version),
        ),
        "documents": (
            _document(_without_ids(answer.pds_url, quote)),
            *sorted(
                (document.name, _document(_without_ids(document.url, quote)))
                for document in answer.documents
            ),
        ),
    }


def changes(before: Terms, after: Terms) -> list[str]:
    """Return the names of the terms that differ."""
    return [name for name in after if before.get(name) != after[name]]


def changes_since(earlier: Quote, quote: Quote) -> list[str]:
    """Return the names of the terms in which `quote` differs from `earlier`, which it replaces.

    A start that the shop leaves open is the time of the quote. It moves with each new one, and is
    then no change of the period: the cover ends at the same time, or lasts as long.
    """
    names = changes(terms(earlier), terms(quote))
    return [name for name in names if name != PERIOD or not _moved_along(earlier, quote)]


def _moved_along(earlier: Quote, quote: Quote) -> bool:
    if any(requests.has_fixed_start(one.request) for one in (earlier, quote)):
        return False
    ends = {_second(one.policy_end_date) for one in (earlier, quote)}
    lengths = {_length(one) for one in (earlier, quote)}
    return len(ends) == 1 or len(lengths) == 1


def _length(quote: Quote) -> int | None:
    start, end = quote.policy_start_date, quote.policy_end_date
    return round((end - start).total_seconds()) if start and end else None


def price_changes(before: Money, after: Money) -> list[str]:
    """Return the names of the terms in which two prices differ."""
    return [
        name
        for name, differs in (
            (CURRENCY, before.currency != after.currency),
            (PRICE, before.amount != after.amount),
        )
        if differs
    ]


def _plan(quote: Quote) -> tuple[str, ...]:
    """Return the chosen plan with its amounts, or without them if it is no longer offered."""
    plan = instalment_plans.chosen_plan(quote)
    if plan is None:
        return (quote.instalment_plan,)
    return (plan.name, _plain(plan.amount.amount), _plain(plan.first.amount))


def _benefit(benefit: StoredBenefit) -> tuple[str, str, str]:
    description = presentation.clean_text(benefit.description)
    limit = _amount(benefit.limit) or presentation.clean_text(benefit.limit.description)
    return description, limit, _amount(benefit.excess) or presentation.excess_in_words(benefit)


def _amount(worded: WordedAmount) -> str:
    if worded.amount is not None:
        return _plain(worded.amount)
    return presentation.clean_text(worded.formatted)


def _plain(amount: Decimal) -> str:
    return f"{amount.normalize():f}"


def _second(moment: datetime | None) -> int | None:
    return int(moment.timestamp()) if moment else None


def _without_ids(text: str, quote: Quote) -> str:
    return text.replace(quote.package.package_id, "").replace(quote.quote_id, "")


def _document(url: str) -> tuple[Any, ...]:
    """Return which document `url` identifies, ignoring its language and token."""
    parts = urlsplit(presentation.web_address(url))
    query = sorted(pair for pair in parse_qsl(parts.query) if pair[0] in IDENTIFYING)
    return (parts.hostname, _LANGUAGE.sub("", parts.path), *query)


# Prices: whether they may be charged.

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


def has_unagreed_price(
    package: QuotePackage, quotes: Iterable[Quote], answer: PackageAnswer
) -> bool:
    """Return whether `answer` gives a policy a different price from the one agreed on.

    `quotes` are the stored quotes of `package`, so call this before applying the answer. A price
    that is already stored was flagged when it arrived. While a priced change is in progress, the
    booking may cost the price agreed for the change. The same number in another currency is a
    different price.
    """
    if answer.currency not in {package.currency, package.answer.currency}:
        return True
    prices = {read.quote_id: read.price for read in answer.quotes if read.status in HELD}
    moved = any(
        _is_new(quote, prices[quote.quote_id]) for quote in quotes if quote.quote_id in prices
    )
    priced = package.modifications.exclude(update_id="").filter(price_after=answer.total)
    return moved and not priced.filter(state=Modification.State.REQUESTED).exists()


def _is_new(quote: Quote, price: Decimal) -> bool:
    """Return whether `price` is neither the agreed price nor the one already stored."""
    if quote.choice != Choice.ACCEPTED or quote.status == Status.DELETED:
        return False
    known = {quote.chosen_price, quote.price} if quote.status in HELD else {quote.chosen_price}
    return price not in known
