"""Queries for the health, besides the counts. They read only recent or unfinished rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Max, Sum
from django.utils import timezone

from django_xcover.client import AuthenticationFailed
from django_xcover.conf import Config
from django_xcover.models import (
    Hold,
    OfferCount,
    OfferOutcome,
    OfferPlacement,
    Operation,
    OperationState,
    OrderEvent,
    QuotePackage,
    WebhookDelivery,
    WebhookRefusal,
)

DAY = timedelta(days=1)
# XCover may send the webhook about a booking this much later.
WEBHOOK_DELAY = timedelta(hours=1)
MOST = 500
REFUSED_KEY = AuthenticationFailed.code

Delivery = WebhookDelivery.State
Outcomes = dict[OfferOutcome, tuple[datetime, int]]
# Outcomes that prove that XCover accepted the credentials.
KNOWN_KEY = (
    OfferOutcome.OFFERED,
    OfferOutcome.LATE,
    OfferOutcome.REFUSED,
    OfferOutcome.NOTHING_TO_SELL,
)
# Outcomes that don't count as a lost offer.
NO_LOSS = (OfferOutcome.OFFERED, OfferOutcome.LATE, OfferOutcome.NOTHING_TO_SELL)


@dataclass(frozen=True, slots=True)
class Offers:
    """The outcomes of quoting for one account in the last day: latest time and count of each."""

    outcomes: Outcomes = field(default_factory=dict)

    def last(self, outcomes: Iterable[OfferOutcome]) -> datetime | None:
        """Return the time of the latest of `outcomes`, or None."""
        seen = [self.outcomes[name][0] for name in outcomes if name in self.outcomes]
        return max(seen, default=None)

    def lost(self) -> int:
        """Return roughly how many offers were lost since the last successful one."""
        came = self.last((OfferOutcome.OFFERED, OfferOutcome.LATE))
        return sum(
            number
            for outcome, (at, number) in self.outcomes.items()
            if outcome not in NO_LOSS and (came is None or at > came)
        )


def offers() -> dict[str, Offers]:
    """Return the outcomes of quoting at checkout in the last day, by account. One query."""
    rows = OfferCount.objects.filter(
        hour__gte=timezone.now() - DAY, placement=OfferPlacement.CHECKOUT
    ).order_by()
    counted = rows.values("account", "outcome").annotate(at=Max("last_at"), total=Sum("count"))
    by_account: dict[str, Outcomes] = defaultdict(dict)
    for row in counted:
        by_account[row["account"]][OfferOutcome(row["outcome"])] = (row["at"], row["total"])
    return {account: Offers(outcomes) for account, outcomes in by_account.items()}


def keys_refused() -> dict[str, datetime]:
    """Return when XCover last refused the key of an operation or a webhook, by account."""
    stopped = Operation.objects.filter(
        state__in=(OperationState.PENDING, OperationState.NEEDS_PERSON), error__type=REFUSED_KEY
    )
    unread = WebhookDelivery.objects.filter(
        state__in=(Delivery.RECEIVED, Delivery.FAILED), error__startswith=REFUSED_KEY
    )
    times = [
        *stopped.order_by("-pk").values_list("package__account", "updated_at")[:MOST],
        *unread.order_by("-pk").values_list("account", "updated_at")[:MOST],
    ]
    latest: dict[str, datetime] = {}
    for account, at in times:
        latest[account] = max(at, latest.get(account, at))
    return latest


def is_key_accepted_since(account: str, moment: datetime) -> bool:
    """Return whether an operation or a webhook of `account` succeeded after `moment`."""
    since = {"next_attempt_at__gt": moment}
    done = Operation.objects.filter(state=OperationState.DONE, package__account=account, **since)
    read = WebhookDelivery.objects.filter(state=Delivery.PROCESSED, account=account, **since)
    return done.exists() or read.exists()


def silent_receivers(config: Config) -> list[str]:
    """Return the accounts that expect webhooks but got none for long, although cover was booked."""
    now = timezone.now()
    since = now - timedelta(seconds=config.alarm_webhooks)
    received = WebhookDelivery.objects.filter(received_at__gte=since)
    booked = QuotePackage.objects.booked().filter(
        booked_at__gte=since, booked_at__lt=now - WEBHOOK_DELAY
    )
    return [
        name
        for name, account in config.accounts.items()
        if account.webhook_secrets
        and booked.filter(account=name).exists()
        and not received.filter(account=name).exists()
    ]


def refused_webhooks() -> dict[str, dict[str, int]]:
    """Return how many webhooks were refused in the last day, by account and reason. One query."""
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    rows = WebhookRefusal.objects.filter(last_at__gte=timezone.now() - DAY).order_by()
    for row in rows.values("account", "reason").annotate(total=Sum("count")):
        counts[row["account"]][row["reason"]] = row["total"]
    return dict(counts)


def holds_without_order() -> int:
    """Return the number of premiums perhaps charged without an order, up to MOST. One query."""
    return Hold.objects.without_order().values("pk")[:MOST].count()


def unsettled_orders() -> int:
    """Return the number of order events that need a person, up to MOST. One query."""
    return OrderEvent.objects.needing_person().values("pk")[:MOST].count()


def with_bookings(accounts: Collection[str], *, before: datetime) -> set[str]:
    """Return the `accounts` that booked cover before `before`."""
    if not accounts:
        return set()
    rows = QuotePackage.objects.booked().filter(account__in=accounts, booked_at__lt=before)
    return set(rows.order_by().values_list("account", flat=True).distinct())
