"""Bookings that wait for money which does not come."""

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
    """Return the bookings pending for longer than `XCOVER["PAYMENT_DAYS"]` that nobody looks at.

    Those flagged already are left out, whatever for: a person has them. So are those of accounts
    that are gone from the settings, about which nobody can be asked. LIMIT at most.
    """
    since = timezone.now() - timedelta(days=get_config().payment_days)
    pending = QuotePackage.objects.filter(status=Status.PENDING_PAYMENT, attention="")
    pending = pending.filter(account__in=get_config().accounts)
    return list(pending.filter(booked_at__lt=since).order_by("booked_at")[:LIMIT])


def sweep() -> list[QuotePackage]:
    """Flag for a person what is overdue and still pending at XCover; return what was flagged.

    XCover is asked first, because a booking can have been confirmed or have failed there. One
    that cannot be read is left for the next sweep, unless XCover does not know it: that will not
    change. Nothing is cancelled: the order decides that.
    """
    return [package for package in overdue() if _is_flagged(package)]


def _is_flagged(package: QuotePackage) -> bool:
    try:
        refresh.refresh(package)
    except NotFound:
        logger.warning("Package %s is pending here, and XCover does not know it.", package)
    except XCoverError as error:
        logger.warning("Package %s could not be read: %s", package, code_of(error))
        return False
    with transaction.atomic():
        locked = QuotePackage.objects.locked().get(pk=package.pk)
        if locked.status != Status.PENDING_PAYMENT or locked.attention:
            return False
        packages.flag(locked, Attention.PAYMENT_OVERDUE)
    return True
