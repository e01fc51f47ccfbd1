"""Flags: reasons for staff to look at a booking, each raised and resolved separately."""

from __future__ import annotations

from functools import partial

from django.db import transaction
from django.utils import timezone

from django_xcover import safe_logging, signals
from django_xcover.models import Attention, Flag, QuotePackage
from django_xcover.models.history import FlagQuerySet

logger = safe_logging.get_logger("django_xcover.mirror")


def flag(package: QuotePackage, reason: Attention) -> None:
    """Flag `package` for staff, and send `attention_needed` after the commit if the flag is new.

    A reason that is already open is not raised twice. Other open reasons are unaffected.
    """
    if package.attention == reason:
        return
    with transaction.atomic():
        # Serialise: two callers that checked at the same time would both find no such flag.
        QuotePackage.objects.locked().get(pk=package.pk)
        # Under REPEATABLE READ only a locking read sees what was just committed.
        if Flag.objects.open().select_for_update().filter(package=package, reason=reason):
            return
        Flag.objects.create(package=package, reason=reason)
        _copy_newest(package)
        transaction.on_commit(
            partial(
                signals.attention_needed.send_robust,
                sender=QuotePackage,
                package=package,
                reason=str(reason),
            )
        )


def resolve(row: Flag, *, by: str, note: str) -> bool:
    """Mark `row` as resolved; return False if it already is.

    `by` is the primary key of the user and `note` describes what was done. Both are kept and
    logged, so neither may name the customer.
    """
    resolved = bool(_end(row.package, Flag.objects.filter(pk=row.pk), by=by, note=note))
    if resolved:
        logger.info("Package %s: %s was resolved by user %s: %s", row.package, row.reason, by, note)
    row.refresh_from_db()
    return resolved


def settle(package: QuotePackage, reason: Attention) -> None:
    """Close an open flag whose reason no longer applies."""
    _end(package, Flag.objects.filter(package=package, reason=reason), by="", note="")


def _end(package: QuotePackage, flags: FlagQuerySet, *, by: str, note: str) -> int:
    with transaction.atomic():
        QuotePackage.objects.locked().get(pk=package.pk)
        ended = flags.open().update(resolved_at=timezone.now(), resolved_by=by, note=note)
        if ended:
            _copy_newest(package)
    return ended


def _copy_newest(package: QuotePackage) -> None:
    """Copy the newest open reason ("" for none) to the package's own column."""
    reasons = Flag.objects.open().filter(package=package).order_by("-pk")
    package.attention = reasons.values_list("reason", flat=True).first() or ""
    rows = QuotePackage.objects.filter(pk=package.pk)
    rows.update(attention=package.attention, updated_at=timezone.now())
