"""What health is judged by besides the counts. Each query reads recent or unfinished rows only."""

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
    Operation,
    OperationState,
    OrderEvent,
    QuotePackage,
    WebhookDelivery,
    WebhookRefusal,
)

DAY = timedelta(days=1)
# XCover may send the webhook about a booking so much later.
WEBHOOK_DELAY = timedelta(hours=1)
MOST = 500
REFUSED_KEY = AuthenticationFailed.code

Delivery = WebhookDelivery.State
Outcomes = dict[OfferOutcome, tuple[datetime, int]]
# Answers that XCover gives only to credentials that it knows.
KNOWN_KEY = (
    OfferOutcome.OFFERED,
    OfferOutcome.LATE,
    OfferOutcome.REFUSED,
    OfferOutcome.NOTHING_TO_SELL,
)
# An offer that came, and a cart for which there is none: no loss.
NO_LOSS = (OfferOutcome.OFFERED, OfferOutcome.LATE, OfferOutcome.NOTHING_TO_SELL)


@dataclass(frozen=True, slots=True)
class Offers:
    """How quoting for one account went in the last day: when each outcome was last, how often."""

    outcomes: Outcomes = field(default_factory=dict)

    def last(self, outcomes: Iterable[OfferOutcome]) -> datetime | None:
        """Return when the latest of `outcomes` was seen."""
        seen = [self.outcomes[one][0] for one in outcomes if one in self.outcomes]
        return max(seen, default=None)

    def lost(self) -> int:
        """Return how many offers were lost since about the last one that came."""
        came = self.last((OfferOutcome.OFFERED, OfferOutcome.LATE))
        return sum(
            number
            for outcome, (at, number) in self.outcomes.items()
            if outcome not in NO_LOSS and (came is None or at > came)
        )


def offers() -> dict[str, Offers]:
    """Return how quoting went in the last day, by account. One query."""
    rows = OfferCount.objects.filter(hour__gte=timezone.now() - DAY).order_by()
    counted = rows.values("account", "outcome").annotate(at=Max("last_at"), total=Sum("count"))
    found: dict[str, Outcomes] = defaultdict(dict)
    for row in counted:
        found[row["account"]][OfferOutcome(row["outcome"])] = (row["at"], row["total"])
    return {account: Offers(outcomes) for account, outcomes in found.items()}


def keys_refused() -> dict[str, datetime]:
    """Return when an operation or a webhook last met a key that XCover refuses, by account."""
    stopped = Operation.objects.filter(
        state__in=(OperationState.PENDING, OperationState.NEEDS_PERSON), error__type=REFUSED_KEY
    )
    unread = WebhookDelivery.objects.filter(
        state__in=(Delivery.RECEIVED, Delivery.FAILED), error__startswith=REFUSED_KEY
    )
    found = [
        *stopped.order_by("-pk").values_list("package__account", "updated_at")[:MOST],
        *unread.order_by("-pk").values_list("account", "updated_at")[:MOST],
    ]
    latest: dict[str, datetime] = {}
    for account, at in found:
        latest[account] = max(at, latest.get(account, at))
    return latest


def is_key_accepted_since(account: str, moment: datetime) -> bool:
    """Return whether an operation or a webhook has been carried out for `account` since."""
    since = {"next_attempt_at__gt": moment}
    done = Operation.objects.filter(state=OperationState.DONE, package__account=account, **since)
    read = WebhookDelivery.objects.filter(state=Delivery.PROCESSED, account=account, **since)
    return done.exists() or read.exists()


def silent_receivers(config: Config) -> list[str]:
    """Return the accounts that take webhooks and got none for long, although cover was booked."""
    now = timezone.now()
    since = now - timedelta(seconds=config.alarm_webhooks)
    heard = WebhookDelivery.objects.filter(received_at__gte=since)
    booked = QuotePackage.objects.booked().filter(
        booked_at__gte=since, booked_at__lt=now - WEBHOOK_DELAY
    )
    return [
        name
        for name, account in config.accounts.items()
        if account.webhook_secrets
        and booked.filter(account=name).exists()
        and not heard.filter(account=name).exists()
    ]


def refused_webhooks() -> dict[str, dict[str, int]]:
    """Return how many webhooks were refused in the last day, by account and reason. One query."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    rows = WebhookRefusal.objects.filter(last_at__gte=timezone.now() - DAY).order_by()
    for row in rows.values("account", "reason").annotate(total=Sum("count")):
        found[row["account"]][row["reason"]] = row["total"]
    return dict(found)


def holds_without_order() -> int:
    """Return how many premiums may have been charged without an order, up to MOST. One query."""
    return Hold.objects.without_order().values("pk")[:MOST].count()


def unsettled_orders() -> int:
    """Return how many reports about orders only a person can settle, up to MOST. One query."""
    return OrderEvent.objects.needing_person().values("pk")[:MOST].count()


def with_bookings(accounts: Collection[str], *, before: datetime) -> set[str]:
    """Return those of `accounts` that booked cover before `before`."""
    if not accounts:
        return set()
    rows = QuotePackage.objects.booked().filter(account__in=accounts, booked_at__lt=before)
    return set(rows.order_by().values_list("account", flat=True).distinct())
