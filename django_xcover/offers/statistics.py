"""The daily numbers of offers: where they were shown, how fast they came, and what became of them.

That an offer was shown is noted in memory and written in the background, because it's noticed while
a page of the shop is rendered. The days are summed up from the packages, the offers after the sale
and the hourly counts of offers that were lost. A day is summed up anew for a week, because an order
may come later.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

from django.db import DatabaseError, router, transaction
from django.db.models import Case, CharField, Count, Exists, OuterRef, Q, QuerySet, Sum, Value, When
from django.utils import timezone

from django_xcover import safe_logging
from django_xcover.conf import get_config
from django_xcover.mirror.presentation import Offer
from django_xcover.models import (
    AfterSaleOffer,
    Choice,
    Latency,
    OfferCount,
    OfferDay,
    OfferOutcome,
    OfferPlacement,
    OfferResult,
    Quote,
    QuotePackage,
)
from django_xcover.offers import background

logger = safe_logging.get_logger("django_xcover.offers")

WRITE_EVERY = 10.0
# Days that are summed up anew.
OPEN_DAYS = 7

_lock = threading.Lock()
_shown: dict[int, tuple[datetime, str]] = {}
_written_at = 0.0


def note_shown(offer: Offer | None, placement: str) -> None:
    """Note that a shopper is shown `offer` at `placement`. Only the first time is kept."""
    if offer is None or offer.package_pk is None or offer.was_shown:
        return
    with _lock:
        _shown.setdefault(offer.package_pk, (timezone.now(), placement))
    is_due = time.monotonic() - _written_at >= WRITE_EVERY
    if is_due and background.is_possible():
        background.start(write)


def write() -> None:
    """Write what was noted. If the database fails, it's lost, and logged."""
    global _written_at
    with _lock:
        if not _shown:
            return
        shown, _written_at = dict(_shown), time.monotonic()
        _shown.clear()
    look = get_config().offer_look
    try:
        for pk, (at, placement) in shown.items():
            rows = QuotePackage.objects.filter(pk=pk, shown_at=None)
            rows.update(shown_at=at, placement=placement, look=look)
    except DatabaseError as error:
        logger.warning("Shown offers were not counted: %s", type(error).__name__)


def sum_up() -> None:
    """Sum up today and the OPEN_DAYS before it, as far as no package of theirs was deleted."""
    today = timezone.localdate(timezone=timezone.get_default_timezone())
    for age in range(int(min(OPEN_DAYS + 1, get_config().unordered_retention_days))):
        sum_up_day(today - timedelta(days=age))


def sum_up_day(day: date) -> None:
    """Replace the numbers of `day` by those that the packages and the counts have now."""
    found = (*_shown_on(day), *_after_sale_on(day), *_lost_on(day))
    rows = [OfferDay(day=day, **row) for row in found]
    with transaction.atomic(using=router.db_for_write(OfferDay)):
        OfferDay.objects.filter(day=day).delete()
        OfferDay.objects.bulk_create(rows)


def totals(rows: QuerySet[OfferDay]) -> dict[str, int]:
    """Return the sums of `rows`: `shown`, `ordered`, and one for each OfferResult. One query."""
    sums: dict[str, int | None] = rows.order_by().aggregate(
        shown=Sum("count", filter=~Q(result=OfferResult.NO_OFFER)),
        ordered=Sum("count", filter=Q(is_ordered=True)),
        **{value: Sum("count", filter=Q(result=value)) for value in OfferResult.values},
    )
    return {name: total or 0 for name, total in sums.items()}


# Seconds up to which each latency reaches.
REACH = ((1, Latency.UP_TO_1), (2, Latency.UP_TO_2), (3, Latency.UP_TO_3), (5, Latency.UP_TO_5))
LATENCY = Case(
    When(quote_milliseconds=None, then=Value("")),
    *(
        When(quote_milliseconds__lte=seconds * 1000, then=Value(latency.value))
        for seconds, latency in REACH
    ),
    default=Value(Latency.OVER_5.value),
    output_field=CharField(),
)


def _shown_on(day: date) -> Iterator[dict[str, Any]]:
    """Yield the numbers of offers that were first shown on `day`."""
    start, end = _bounds(day)
    result = Case(
        When(_has(Choice.ACCEPTED, Choice.WITHDRAWN), then=Value(OfferResult.ACCEPTED.value)),
        When(_has(Choice.DECLINED), then=Value(OfferResult.DECLINED.value)),
        default=Value(OfferResult.UNANSWERED.value),
        output_field=CharField(),
    )
    packages = QuotePackage.objects.filter(shown_at__gte=start, shown_at__lt=end).order_by()
    rows = packages.values("account", "placement", "look").annotate(
        latency=LATENCY,
        result=result,
        is_ordered=Case(When(order_reference="", then=Value(False)), default=Value(True)),
        count=Count("pk"),
    )
    yield from (dict(row) for row in rows)


def _has(*choices: Choice) -> Exists:
    """Return the condition that a package has a quote with one of the `choices`."""
    return Exists(Quote.objects.filter(package=OuterRef("pk"), choice__in=choices))


def _after_sale_on(day: date) -> Iterator[dict[str, Any]]:
    """Yield the numbers of offers after the sale that were first shown on `day`, one an order."""
    start, end = _bounds(day)
    answers = {
        Choice.ACCEPTED: OfferResult.ACCEPTED,
        Choice.DECLINED: OfferResult.DECLINED,
    }
    result = Case(
        *(When(choice=choice, then=Value(value.value)) for choice, value in answers.items()),
        default=Value(OfferResult.UNANSWERED.value),
        output_field=CharField(),
    )
    offers = AfterSaleOffer.objects.filter(created_at__gte=start, created_at__lt=end).order_by()
    for row in offers.values("account").annotate(result=result, count=Count("pk")):
        yield {**row, "placement": OfferPlacement.AFTER_SALE, "is_ordered": True}


# Outcomes of the hourly counts that aren't lost offers.
MADE = (OfferOutcome.OFFERED, OfferOutcome.ACCEPTED, OfferOutcome.DECLINED)


def _lost_on(day: date) -> Iterator[dict[str, Any]]:
    """Yield the numbers of lost offers, from the hourly counts."""
    start, end = _bounds(day)
    counts = OfferCount.objects.filter(hour__gte=start, hour__lt=end).exclude(outcome__in=MADE)
    rows = counts.order_by().values("account", "placement", "outcome")
    for row in rows.annotate(number=Sum("count")):
        yield {
            "account": row["account"],
            # Lost offers of the checkout have no place: it is known only where one is shown.
            "placement": row["placement"] if row["placement"] != OfferPlacement.CHECKOUT else "",
            "result": OfferResult.NO_OFFER,
            "reason": row["outcome"],
            "count": row["number"],
        }


def _bounds(day: date) -> Iterable[datetime]:
    """Return the first moment of `day` and of the next one, in the shop's time zone."""
    zone = timezone.get_default_timezone()
    for one in (day, day + timedelta(days=1)):
        yield datetime(one.year, one.month, one.day, tzinfo=zone)
