"""Store findings as discrepancies for staff, one row each, however often it is found."""

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
# The values that a person resolves. If one of them changes, the discrepancy is open again.
COMPARED = ("currency", "ours", "theirs", "here", "there")
ALSO = ("order_reference", "at_stake")


def record(account: str, looked_at: Mapping[str, Sequence[Finding]]) -> tuple[int, int]:
    """Update the discrepancies of the packages in `looked_at` from their findings.

    Return how many were opened, and how many were closed because they weren't found again. At most
    five queries for any number of packages.
    """
    current = {_key(finding): finding for findings in looked_at.values() for finding in findings}
    with transaction.atomic():
        rows = Discrepancy.objects.filter(account=account, package_id__in=looked_at)
        known = {_key(row): row for row in rows.select_for_update()}
        fresh = [finding for key, finding in current.items() if key not in known]
        Discrepancy.objects.bulk_create(
            Discrepancy(account=account, **asdict(finding)) for finding in fresh
        )
        changed = [
            row for key, row in known.items() if key in current and _learn(row, current[key])
        ]
        fields = [*COMPARED, *ALSO, "state", "note", "resolved_by", "resolved_at", "updated_at"]
        Discrepancy.objects.bulk_update(changed, fields)
        Discrepancy.objects.filter(
            pk__in=[known[key].pk for key in current if key in known]
        ).update(last_seen_at=timezone.now())
        closed = _close(row for key, row in known.items() if key not in current)
    return len(fresh) + len(changed), closed


def resolve(discrepancy: Discrepancy, *, by: str, note: str) -> bool:
    """Mark the discrepancy as resolved; return False if it is no longer open.

    It stays resolved as long as both sides keep the values that the person saw. `by` is the primary
    key of the user, and `note` says what was done; neither may name the customer.
    """
    now = timezone.now()
    seen = {name: getattr(discrepancy, name) for name in COMPARED}
    rows = Discrepancy.objects.open().filter(pk=discrepancy.pk, **seen)
    done = rows.update(
        state=State.RESOLVED, note=note, resolved_by=by, resolved_at=now, updated_at=now
    )
    if done:
        discrepancy.refresh_from_db()
        logger.info("Discrepancy %s was resolved by user %s: %s", discrepancy.pk, by, note)
    return bool(done)


def _learn(row: Discrepancy, finding: Finding) -> bool:
    """Update `row` from `finding` and return whether it was opened or changed."""
    same = all(getattr(row, name) == getattr(finding, name) for name in COMPARED)
    if same and row.state != State.GONE:
        return False
    for name in (*COMPARED, *ALSO):
        setattr(row, name, getattr(finding, name))
    row.state, row.note, row.resolved_by, row.resolved_at = State.OPEN, "", "", None
    row.updated_at = timezone.now()
    return True


def _close(rows: Iterable[Discrepancy]) -> int:
    now = timezone.now()
    # Resolved rows close as well: if the discrepancy comes back, it is opened again.
    pks = [row.pk for row in rows if row.state != State.GONE]
    if not pks:
        return 0
    gone = Discrepancy.objects.filter(pk__in=pks)
    return gone.update(state=State.GONE, resolved_at=now, updated_at=now)


def _key(row: Discrepancy | Finding) -> Key:
    return row.package_id, row.quote_id, str(row.kind)


# The most rows that are resolved at once, as many as the admin lists; they fit one form field.
LIMIT = 10_000
# Rows per statement, because databases limit the length of a list.
CHUNK = 500

Seen = Mapping[int, str]


def strangers(rows: QuerySet[Discrepancy]) -> QuerySet[Discrepancy]:
    """Return the `rows` that can be resolved together, oldest first."""
    return rows.filter(state=State.OPEN, kind=Discrepancy.Kind.UNKNOWN).order_by("pk")


def fingerprint(row: Discrepancy) -> str:
    """Return a short hash of the values that a person sees of `row`."""
    text = "\0".join(str(getattr(row, name)) for name in COMPARED)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def money_of(rows: Iterable[Discrepancy]) -> list[Money]:
    """Return the total at stake in `rows`, for each currency."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        sums[row.currency] += row.at_stake
    return [Money(amount, currency) for currency, amount in sorted(sums.items())]


def resolve_all(seen: Seen, *, by: str, note: str) -> list[Discrepancy]:
    """Mark the rows in `seen` (fingerprints by primary key) as resolved; return those changed.

    Does what `resolve` does, in one transaction: rows that are no longer open, or have changed,
    stay as they are. `by` is the primary key of the user; `note` must not name the customer.
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
