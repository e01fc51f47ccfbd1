"""Flag pending bookings whose payment is overdue."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from django_xcover import safe_logging
from django_xcover.client import NotFound, XCoverError
from django_xcover.conf import get_config
from django_xcover.exceptions import code_of
from django_xcover.mirror import packages, refresh
from django_xcover.models import Attention, QuotePackage, Status

logger = safe_logging.get_logger("django_xcover.booking")

LIMIT = 100


def overdue() -> list[QuotePackage]:
    """Return the unflagged bookings pending for longer than `XCOVER["PAYMENT_DAYS"]`.

    Bookings with any flag are excluded, because a person already has them, and so are those of
    accounts missing from the settings, which can't be read at XCover. Returns at most LIMIT.
    """
    since = timezone.now() - timedelta(days=get_config().payment_days)
    pending = QuotePackage.objects.filter(status=Status.PENDING_PAYMENT, attention="")
    pending = pending.filter(account__in=get_config().accounts)
    return list(pending.filter(booked_at__lt=since).order_by("booked_at")[:LIMIT])


def sweep() -> list[QuotePackage]:
    """Flag the overdue bookings that are still pending at XCover, and return them.

    Each booking is read at XCover first, because it may have been confirmed or have failed there.
    One that can't be read is left for the next sweep, unless XCover doesn't know it, which won't
    change. Nothing is cancelled; the shop's order decides that.
    """
    return [package for package in overdue() if _is_flagged(package)]


def _is_flagged(package: QuotePackage) -> bool:
    try:
        refresh.refresh(package)
    except NotFound:
        logger.warning("Package %s is pending here, but XCover does not know it.", package)
    except XCoverError as error:
        logger.warning("Package %s could not be read: %s", package, code_of(error))
        return False
    with transaction.atomic():
        locked = QuotePackage.objects.locked().get(pk=package.pk)
        if locked.status != Status.PENDING_PAYMENT or locked.attention:
            return False
        packages.flag(locked, Attention.PAYMENT_OVERDUE)
    return True
