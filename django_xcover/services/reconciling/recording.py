"""What was found, as rows for a person: one for each thing, however often it is met."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict

from django.db import transaction
from django.utils import timezone

from django_xcover.models import Discrepancy
from django_xcover.services.reconciling.comparing import Finding

logger = logging.getLogger(__name__)

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
