"""Cover offered for an order after the sale: which orders get an offer, and the shopper's answer.

Nothing is booked before it is paid. A yes makes its price due (`orders.after_sale`), and the
payment books it instantly. The row of the order is locked before the order's packages, by everyone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from django_xcover import policy_requests
from django_xcover.client import exact_json
from django_xcover.client.schemas.packages import FastQuoteAnswer, fast_quote_from_wire
from django_xcover.conf import get_config
from django_xcover.exceptions import AfterSaleOver, OfferChanged
from django_xcover.mirror import request_bodies
from django_xcover.mirror.presentation import Offer, offer_hash, present
from django_xcover.models import (
    AfterSaleOffer,
    Choice,
    OfferOutcome,
    OfferPlacement,
    OrderEvent,
    Quote,
    QuotePackage,
)
from django_xcover.offers import counts, fast_quote
from django_xcover.types import Money, PolicyRequest, QuoteRequest

# The answers after which an order has cover, or its cover was taken back.
COVERED = {Choice.ACCEPTED, Choice.WITHDRAWN}


@dataclass(frozen=True, slots=True, kw_only=True)
class LateOffer:
    """An offer after the sale, as a page or a program shows it.

    `choice` is the stored answer ("" without one) and `premium` the price of what was accepted.
    Send `shown` back with the answer: it identifies exactly this offer.
    """

    row: AfterSaleOffer
    offer: Offer
    premium: Money | None
    shown: str

    @property
    def choice(self) -> str:
        """Return the shopper's answer, "" without one."""
        return self.row.choice


def cancelled_lines(reference: str, *, lock: bool = False) -> frozenset[str] | None:
    """Return the lines of the order that were cancelled, None if no cover can be added to it.

    That is an order which is cancelled, which has or had cover, or whose cover isn't settled yet.
    With `lock`, the order's packages are locked, and what other transactions have just committed is
    read. Two queries.
    """
    quotes = Quote.objects.filter(package__order_reference=reference)
    events = OrderEvent.objects.filter(order_reference=reference)
    if lock:
        QuotePackage.objects.lock_order(reference)
        events = events.select_for_update()
    lines: set[str] = set()
    for event in events:
        is_cancelled = event.kind == OrderEvent.Kind.CANCELLED
        is_whole_order = is_cancelled and event.lines is None
        if is_whole_order or not (is_cancelled or event.finished_at):
            return None
        lines.update(event.lines or ())
    if lock:
        # Again, because an event that was waited for may have given the order a package.
        packages = QuotePackage.objects.lock_order(reference)
        quotes = Quote.objects.filter(package__in=packages).select_for_update()
    covered = set(quotes.values_list("choice", flat=True)) & COVERED
    return None if covered else frozenset(lines)


def ends_at(completed_at: datetime) -> datetime:
    """Return until when cover is offered for an order that was completed at this time."""
    return completed_at + timedelta(days=get_config().after_sale_days)


def not_begun(request: QuoteRequest, completed_at: datetime) -> QuoteRequest:
    """Return `request` without the items that have begun.

    A start up to the time of the order means "at once": it is left out, so that the cover starts
    when it is booked and not in the past.
    """
    now = timezone.now()
    items = (_from_now(item, completed_at) for item in request.items)
    return replace(request, items=tuple(item for item in items if not _has_begun(item, now)))


def _from_now(item: PolicyRequest, completed_at: datetime) -> PolicyRequest:
    starts = item.policy_start_date
    at_once = starts is not None and starts <= completed_at
    return replace(item, policy_start_date=None) if at_once else item


def _has_begun(item: PolicyRequest, now: datetime) -> bool:
    moments = (item.policy_start_date, policy_requests.begins_at(item))
    return any(moment is not None and moment <= now for moment in moments)


# The stored offer of an order.


def of_order(reference: str) -> AfterSaleOffer | None:
    """Return the row of the order with this reference, None if nothing was offered yet."""
    return AfterSaleOffer.objects.filter(order_reference=reference).first()


def lock(reference: str) -> AfterSaleOffer | None:
    """Lock and return the row of the order with this reference, None if there is none."""
    rows = AfterSaleOffer.objects.filter(order_reference=reference)
    return rows.select_for_update().first() if reference else None


def is_fresh(row: AfterSaleOffer) -> bool:
    """Return whether the price of `row` may be shown and paid; a yes keeps it longer, to be paid.

    Otherwise a look at the order would replace the price while the shopper is paying it.
    """
    config = get_config()
    to_pay = config.hold_length if row.choice == Choice.ACCEPTED else timedelta()
    return timezone.now() - row.quoted_at < config.offer_max_age + to_pay


def is_open(row: AfterSaleOffer, lines: Collection[str], *, lock: bool = False) -> bool:
    """Return whether each of `lines`, which `row` offers, can still be insured. Two queries.

    With `lock`, as `cancelled_lines`.
    """
    if row.paid_at is not None or timezone.now() >= ends_at(row.completed_at):
        return False
    cancelled = cancelled_lines(row.order_reference, lock=lock)
    if cancelled is None:
        return False
    left = {item.reference for item in not_begun(request_of(row), row.completed_at).items}
    return set(lines) <= left - cancelled


def request_of(row: AfterSaleOffer) -> QuoteRequest:
    """Return the request that was priced."""
    request = request_bodies.load_request(row.request)
    if request is None:
        raise ValueError("An offer after the sale has no request.")
    return request


def _answer_of(row: AfterSaleOffer) -> FastQuoteAnswer:
    return fast_quote_from_wire(exact_json.decode(row.answer.encode()))


def quotes_of(row: AfterSaleOffer) -> list[Quote]:
    """Return the offered quotes, unsaved, in the order of the request."""
    quotes = list(fast_quote.rows_of(_answer_of(row), request_of(row)))
    for place, quote in enumerate(quotes):
        # XCover doesn't have to give a price an id.
        quote.quote_id = quote.quote_id or str(place)
    return quotes


def show(row: AfterSaleOffer) -> LateOffer:
    """Return `row` as it is shown."""
    quotes = tuple(present(quote) for quote in quotes_of(row))
    # Not with the answer: it stays the same offer when it is answered in another tab.
    hashes = "".join(offer_hash(quote) for quote in quotes)
    return LateOffer(
        row=row,
        offer=Offer(package_id="", currency=row.currency, quotes=quotes),
        premium=row.price,
        shown=hashlib.sha256(hashes.encode()).hexdigest()[:32],
    )


# The shopper's answer.


def accept(
    reference: str, quote_ids: Collection[str] | None, *, shown: str, template_version: str
) -> AfterSaleOffer:
    """Store a yes to the quotes with these ids, None for all; return the row with what is due.

    `shown` is that of the `LateOffer` which the shopper saw. The same yes again changes nothing.
    Raises AfterSaleOver if no cover can be added any more, and OfferChanged if another offer
    replaces the one that was shown.
    """
    with transaction.atomic():
        row = lock(reference)
        if row is None:
            raise OfferChanged
        chosen = list(_chosen(quotes_of(row), quote_ids))
        lines = [quote.line_reference for quote in chosen]
        if not is_open(row, lines, lock=True):
            raise AfterSaleOver
        if not lines or shown != show(row).shown or not is_fresh(row):
            raise OfferChanged
        if (row.choice, row.lines) != (Choice.ACCEPTED, lines):
            row.lines = lines
            row.premium = sum((quote.price for quote in chosen), Decimal(0))
            _store(row, Choice.ACCEPTED, template_version)
    return row


def decline(reference: str, *, template_version: str) -> AfterSaleOffer:
    """Store a no, also after a yes that wasn't paid; return the row. XCover is informed.

    Raises AfterSaleOver if it has been paid, and OfferChanged if nothing was offered.
    """
    with transaction.atomic():
        row = lock(reference)
        if row is None:
            raise OfferChanged
        if row.paid_at is not None:
            raise AfterSaleOver
        if row.choice != Choice.DECLINED:
            row.lines, row.premium = [], None
            _store(row, Choice.DECLINED, template_version)
            offer = fast_quote.offer_of(_answer_of(row), request_of(row))
            if offer is not None:
                fast_quote.opt_out(offer, request_of(row), account=row.account)
    return row


def _store(row: AfterSaleOffer, choice: Choice, template_version: str) -> None:
    row.choice, row.answered_at = choice, timezone.now()
    row.template_version = template_version
    row.revision += 1
    row.save()
    outcome = OfferOutcome.ACCEPTED if choice == Choice.ACCEPTED else OfferOutcome.DECLINED
    transaction.on_commit(lambda: count(row.account, outcome))


def count(account: str, outcome: OfferOutcome) -> None:
    """Count `outcome` of an offer after the sale, and write it."""
    counts.count(account, outcome, OfferPlacement.AFTER_SALE)
    counts.write()


def _chosen(quotes: Iterable[Quote], quote_ids: Collection[str] | None) -> Iterator[Quote]:
    for quote in quotes:
        if quote_ids is None or quote.quote_id in quote_ids:
            yield quote
