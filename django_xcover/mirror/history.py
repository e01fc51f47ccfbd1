"""The permanent record of what staff did to a package."""

from __future__ import annotations

from django.db.models import Model

from django_xcover.models import Discrepancy, Instalment, QuotePackage, StaffAction, WebhookDelivery


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
