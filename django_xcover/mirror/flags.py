"""Reasons why a person should look at a booking: raised, and resolved each on its own."""

from __future__ import annotations

from functools import partial

from django.db import transaction
from django.utils import timezone

from django_xcover import safe_logging, signals
from django_xcover.models import Attention, Flag, QuotePackage
from django_xcover.models.history import FlagQuerySet

logger = safe_logging.get_logger("django_xcover.mirror")


def flag(package: QuotePackage, reason: Attention) -> None:
    """Flag `package` for a person, and send `attention_needed` after the commit if that is new.

    A reason that is open already is not raised twice; other open reasons stay as they are.
    """
    if package.attention == reason:
        return
    with transaction.atomic():
        # One at a time: two that look at once would both find no such flag.
        QuotePackage.objects.locked().get(pk=package.pk)
        # With a lock, because under REPEATABLE READ only that sees what was just committed.
        if Flag.objects.open().select_for_update().filter(package=package, reason=reason):
            return
        Flag.objects.create(package=package, reason=reason)
        _copy_newest(package)
        transaction.on_commit(partial(_announce, package, reason))


def resolve(row: Flag, *, by: str, note: str) -> bool:
    """Note that `row` has been looked into; False when it is resolved already.

    `by` is the key of the person's user and `note` what was done about it. Both stay on record and
    go to the log, so neither may name the customer.
    """
    resolved = bool(_end(row.package, Flag.objects.filter(pk=row.pk), by=by, note=note))
    if resolved:
        logger.info("Package %s: %s was resolved by user %s: %s", row.package, row.reason, by, note)
    row.refresh_from_db()
    return resolved


def settle(package: QuotePackage, reason: Attention) -> None:
    """End an open flag whose reason went away by itself."""
    _end(package, Flag.objects.filter(package=package, reason=reason), by="", note="")


def _end(package: QuotePackage, flags: FlagQuerySet, *, by: str, note: str) -> int:
    with transaction.atomic():
        QuotePackage.objects.locked().get(pk=package.pk)
        ended = flags.open().update(resolved_at=timezone.now(), resolved_by=by, note=note)
        if ended:
            _copy_newest(package)
    return ended


def _copy_newest(package: QuotePackage) -> None:
    """Have the package's own column repeat the newest open reason, "" for none."""
    reasons = Flag.objects.open().filter(package=package).order_by("-pk")
    package.attention = reasons.values_list("reason", flat=True).first() or ""
    rows = QuotePackage.objects.filter(pk=package.pk)
    rows.update(attention=package.attention, updated_at=timezone.now())


def _announce(package: QuotePackage, reason: Attention) -> None:
    signals.attention_needed.send_robust(sender=QuotePackage, package=package, reason=str(reason))
