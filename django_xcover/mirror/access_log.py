"""The log of who opened documents and personal data."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest
from django.utils import timezone

from django_xcover.conf import get_config
from django_xcover.models import AccessRecord, QuotePackage

# The view permission alone shows no name, e-mail address or XCover answer.
PERMISSION = "xcover.view_personal_data"


def may_see_people(request: HttpRequest) -> bool:
    """Return whether this request's user may see customers' personal data."""
    user = getattr(request, "user", None)
    return user is not None and user.is_active and bool(user.has_perm(PERMISSION))


def record(
    request: HttpRequest,
    what: AccessRecord.What,
    detail: str,
    package: QuotePackage | None = None,
    *,
    order_reference: str = "",
) -> None:
    """Log that this request's user opened data of one package, one order or many."""
    user = getattr(request, "user", None)
    AccessRecord.objects.create(
        what=what,
        detail=detail[:64],
        by=str(user.pk) if user is not None and user.pk is not None else "",
        is_staff=bool(user is not None and user.is_staff),
        account=package.account if package else "",
        package_id=package.package_id if package else "",
        order_reference=package.order_reference if package else order_reference[:100],
    )


def forget() -> int:
    """Delete rows older than XCOVER["ACCESS_LOG_DAYS"] and return how many."""
    before = timezone.now() - timedelta(days=get_config().access_log_days)
    return AccessRecord.objects.all().forget(before)
