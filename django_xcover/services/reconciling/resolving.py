"""Many discrepancies at once: what somebody has seen of them is marked, what changed since is not.

Only bookings that are unknown here. Each of the other kinds is about a customer's money or cover,
and each has to be looked at for itself.
"""

from __future__ import annotations

import hashlib
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from django_xcover.models import Discrepancy
from django_xcover.services.reconciling.recording import FACTS
from django_xcover.types import Money

logger = logging.getLogger(__name__)

State = Discrepancy.State
# At once: as many as the admin lists. What is seen of so many fits into one form field.
LIMIT = 10_000
# Rows to a statement, so that no database meets a list it does not take.
CHUNK = 500

Seen = Mapping[int, str]


def strangers(rows: QuerySet[Discrepancy]) -> QuerySet[Discrepancy]:
    """Return those of `rows` that may be marked together, the oldest first."""
    return rows.filter(state=State.OPEN, kind=Discrepancy.Kind.UNKNOWN).order_by("pk")


def fingerprint(row: Discrepancy) -> str:
    """Return in few letters what a person sees of `row`."""
    facts = "\0".join(str(getattr(row, name)) for name in FACTS)
    return hashlib.sha256(facts.encode()).hexdigest()[:12]


def money_of(rows: Iterable[Discrepancy]) -> list[Money]:
    """Return the money at stake in `rows`, a sum for each currency."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        sums[row.currency] += row.at_stake
    return [Money(amount, currency) for currency, amount in sorted(sums.items())]


def resolve_all(seen: Seen, *, by: str, note: str) -> list[Discrepancy]:
    """Note that a person has looked into the rows `seen`, fingerprints by key; return which.

    As `resolve` does for each, in one transaction: what is not open any more, or has changed, is
    left as it is. `by` is the key of the person's user, and `note` may not name the customer.
    """
    pks = sorted(seen)
    with transaction.atomic():
        done = [
            row
            for start in range(0, len(pks), CHUNK)
            for row in _resolve(seen, pks[start : start + CHUNK], by=by, note=note)
        ]
    for row in done:
        logger.info("Discrepancy %s was resolved by user %s: %s", row.pk, by, note)
    return done


def _resolve(seen: Seen, pks: list[int], *, by: str, note: str) -> list[Discrepancy]:
    now = timezone.now()
    rows = strangers(Discrepancy.objects.filter(pk__in=pks)).select_for_update()
    same = [row for row in rows if fingerprint(row) == seen[row.pk]]
    Discrepancy.objects.filter(pk__in=[row.pk for row in same]).update(
        state=State.RESOLVED, note=note, resolved_by=by, resolved_at=now, updated_at=now
    )
    return same
