"""The permanent record of what staff did to a package, and who opened personal data."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone

from django_xcover.conf import get_config
from django_xcover.models import (
    AccessRecord,
    Discrepancy,
    Instalment,
    QuotePackage,
    StaffAction,
    WebhookDelivery,
)


def record_staff_action(row: Model, *, action: str, by: str, sentence: str) -> None:
    """Record what the user with the primary key `by` did to `row`, as the sentence they were shown.

    Call it in the transaction of the action itself. Rows without a package are not recorded.
    """
    package = _package_of(row)
    if package is not None:
        StaffAction.objects.create(package=package, action=action, by=by, sentence=sentence)


def _package_of(row: Model) -> QuotePackage | None:
    if isinstance(row, QuotePackage):
        return row
    if isinstance(row, Instalment):
        return row.quote.package
    if isinstance(row, Discrepancy | WebhookDelivery):
        named = QuotePackage.objects.filter(package_id=row.package_id, account=row.account)
        return named.first() if row.package_id else None
    package: QuotePackage | None = getattr(row, "package", None)
    return package


# The view permission alone shows no name, e-mail address or XCover answer.
PERMISSION = "xcover.view_personal_data"


def may_see_people(request: HttpRequest) -> bool:
    """Return whether this request's user may see customers' personal data."""
    user = getattr(request, "user", None)
    return user is not None and user.is_active and bool(user.has_perm(PERMISSION))


def record_access(
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


def forget_accesses() -> int:
    """Delete rows older than XCOVER["ACCESS_LOG_DAYS"] and return how many."""
    before = timezone.now() - timedelta(days=get_config().access_log_days)
    return AccessRecord.objects.all().forget(before)
