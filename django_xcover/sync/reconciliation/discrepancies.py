"""What was found, as rows for a person: one for each thing, however often it is met."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from django_xcover import safe_logging
from django_xcover.models import Discrepancy
from django_xcover.sync.reconciliation.diff import Finding
from django_xcover.types import Money

logger = safe_logging.get_logger("django_xcover.reconciliation")

State = Discrepancy.State
Key = tuple[str, str, str]
# What a person has looked into. Another value of one of these is news.
FACTS = ("currency", "ours", "theirs", "here", "there")
ALSO = ("order_reference", "at_stake")


def record(account: str, looked_at: Mapping[str, Sequence[Finding]]) -> tuple[int, int]:
    """Bring the rows of the packages in `looked_at` up to what was found of each.

    Return how many were opened and how many closed, because they are not found any more. At most
    five queries, however many packages.
    """
    found = {_key(finding): finding for findings in looked_at.values() for finding in findings}
    with transaction.atomic():
        rows = Discrepancy.objects.filter(account=account, package_id__in=looked_at)
        known = {_key(row): row for row in rows.select_for_update()}
        fresh = [finding for key, finding in found.items() if key not in known]
        Discrepancy.objects.bulk_create(
            Discrepancy(account=account, **asdict(finding)) for finding in fresh
        )
        changed = [row for key, row in known.items() if key in found and _learn(row, found[key])]
        fields = [*FACTS, *ALSO, "state", "note", "resolved_by", "resolved_at", "updated_at"]
        Discrepancy.objects.bulk_update(changed, fields)
        Discrepancy.objects.filter(pk__in=[known[key].pk for key in found if key in known]).update(
            last_seen_at=timezone.now()
        )
        closed = _close(row for key, row in known.items() if key not in found)
    return len(fresh) + len(changed), closed


def resolve(discrepancy: Discrepancy, *, by: str, note: str) -> bool:
    """Note that a person has looked into it; False when it is not open any more.

    It stays resolved as long as both sides stay as this person saw them. `by` is the key of the
    person's user and `note` what was done about it; neither may name the customer.
    """
    now = timezone.now()
    facts = {name: getattr(discrepancy, name) for name in FACTS}
    rows = Discrepancy.objects.open().filter(pk=discrepancy.pk, **facts)
    done = rows.update(
        state=State.RESOLVED, note=note, resolved_by=by, resolved_at=now, updated_at=now
    )
    if done:
        discrepancy.refresh_from_db()
        logger.info("Discrepancy %s was resolved by user %s: %s", discrepancy.pk, by, note)
    return bool(done)


def _learn(row: Discrepancy, finding: Finding) -> bool:
    """Bring `row` up to `finding` and return whether that is news to a person."""
    same = all(getattr(row, name) == getattr(finding, name) for name in FACTS)
    if same and row.state != State.GONE:
        return False
    for name in (*FACTS, *ALSO):
        setattr(row, name, getattr(finding, name))
    row.state, row.note, row.resolved_by, row.resolved_at = State.OPEN, "", "", None
    row.updated_at = timezone.now()
    return True


def _close(rows: Iterable[Discrepancy]) -> int:
    now = timezone.now()
    # What somebody has looked into is over as well: should it come back, it is news.
    pks = [row.pk for row in rows if row.state != State.GONE]
    if not pks:
        return 0
    gone = Discrepancy.objects.filter(pk__in=pks)
    return gone.update(state=State.GONE, resolved_at=now, updated_at=now)


def _key(row: Discrepancy | Finding) -> Key:
    return row.package_id, row.quote_id, str(row.kind)


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
