"""Count offers made, answered and lost, by placement, with the time of the latest.

Counts are kept in memory and written as one row per account, hour, placement and outcome: after
each attempt to quote, which runs in the background, and otherwise every WRITE_EVERY seconds. A
killed process loses the counts that it hasn't written.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import DatabaseError, router, transaction
from django.db.models import F, Max, Sum
from django.utils import timezone

from django_xcover import safe_logging
from django_xcover.client import (
    AuthenticationFailed,
    ConnectionFailed,
    DeadlineExceeded,
    HeldBack,
    RequestRefused,
    Throttled,
    XCoverError,
)
from django_xcover.models import OfferCount, OfferOutcome, OfferPlacement

logger = safe_logging.get_logger("django_xcover.offers")

WRITE_EVERY = 10.0
KEPT = timedelta(days=90)

CHECKOUT = OfferPlacement.CHECKOUT
Counts = Counter[tuple[str, OfferPlacement, OfferOutcome]]

_lock = threading.Lock()
_counted: Counts = Counter()
_written_at = 0.0


def count(account: str, outcome: OfferOutcome, placement: OfferPlacement = CHECKOUT) -> None:
    """Count `outcome` in memory, until `write` is called."""
    with _lock:
        _counted[account, placement, outcome] += 1


def is_due() -> bool:
    """Return whether there are counts, and the last write was WRITE_EVERY seconds ago or more."""
    return bool(_counted) and time.monotonic() - _written_at >= WRITE_EVERY


def write() -> None:
    """Write the counts. If the database fails, the next write tries them again."""
    global _written_at
    with _lock:
        counts, _written_at = Counter(_counted), time.monotonic()
        _counted.clear()
    try:
        with transaction.atomic(using=router.db_for_write(OfferCount)):
            # Sorted, so that no two processes wait for each other's rows.
            for key, number in sorted(counts.items()):
                _add(*key, number)
    except DatabaseError as error:  # on MariaDB, two processes that add the same rows can deadlock
        logger.warning("Offers were not counted: %s", type(error).__name__)
        with _lock:
            _counted.update(counts)


def outcome_of(error: XCoverError) -> OfferOutcome:
    """Return why an offer is lost if quoting ends with `error`."""
    if isinstance(error, AuthenticationFailed):
        return OfferOutcome.NOT_AUTHORISED
    if isinstance(error, HeldBack | Throttled):
        return OfferOutcome.RATE_LIMIT
    if isinstance(error, RequestRefused) and error.permanent:
        return OfferOutcome.REFUSED
    if isinstance(error, ConnectionFailed | DeadlineExceeded):
        return OfferOutcome.NO_ANSWER
    return OfferOutcome.FAULT


def last_times(account: str) -> dict[OfferOutcome, datetime]:
    """Return the time of the latest count of each outcome at checkout. One query."""
    counted = OfferCount.objects.filter(account=account, placement=CHECKOUT)
    rows = counted.values("outcome").annotate(at=Max("last_at"))
    return {OfferOutcome(row["outcome"]): row["at"] for row in rows}


def last_offer(account: str) -> datetime | None:
    """Return when `account` last got an offer, None if never. One query."""
    return _latest(account, (OfferOutcome.OFFERED, OfferOutcome.LATE))


def last_answer(account: str) -> datetime | None:
    """Return when XCover last answered a quote of `account`, including refusals. One query."""
    return _latest(account, ANSWERED)


def counts_since(
    account: str, since: datetime, placement: OfferPlacement = CHECKOUT
) -> dict[OfferOutcome, int]:
    """Return the count of each outcome since the full hour before `since`. One query."""
    rows = OfferCount.objects.filter(account=account, placement=placement)
    rows = rows.filter(hour__gte=_hour(since))
    totals = rows.values("outcome").annotate(total=Sum("count"))
    return {OfferOutcome(row["outcome"]): row["total"] for row in totals}


def auth_refusals_since(account: str, since: datetime) -> int:
    """Return how many quotes failed with 401 or 403 since the full hour before `since`."""
    return counts_since(account, since).get(OfferOutcome.NOT_AUTHORISED, 0)


def lost_since(account: str, since: datetime) -> dict[OfferOutcome, int]:
    """Return how many offers were lost, by reason, since the full hour before `since`."""
    counts = counts_since(account, since)
    return {reason: n for reason, n in counts.items() if reason != OfferOutcome.OFFERED}


def forget() -> int:
    """Delete counts older than KEPT; return the number of rows."""
    return OfferCount.objects.filter(hour__lt=timezone.now() - KEPT).delete()[0]


ANSWERED = (
    OfferOutcome.OFFERED,
    OfferOutcome.LATE,
    OfferOutcome.REFUSED,
    OfferOutcome.NOT_AUTHORISED,
    OfferOutcome.NOTHING_TO_SELL,
)


def _add(account: str, placement: OfferPlacement, outcome: OfferOutcome, number: int) -> None:
    now = timezone.now()
    row = {"account": account, "hour": _hour(now), "placement": placement, "outcome": outcome}
    more = {"count": F("count") + number, "last_at": now}
    if OfferCount.objects.filter(**row).update(**more):
        return
    created = OfferCount(**row, count=0, last_at=now)
    OfferCount.objects.bulk_create([created], ignore_conflicts=True)
    OfferCount.objects.filter(**row).update(**more)


def _latest(account: str, outcomes: Iterable[OfferOutcome]) -> datetime | None:
    rows = OfferCount.objects.filter(account=account, outcome__in=outcomes, placement=CHECKOUT)
    latest: datetime | None = rows.aggregate(at=Max("last_at"))["at"]
    return latest


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
