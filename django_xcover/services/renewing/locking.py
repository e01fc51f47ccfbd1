"""One at a time."""

from __future__ import annotations

from django_xcover.models import QuotePackage, Renewal


def lock(renewal: Renewal) -> Renewal:
    """Return `renewal` as it is now, locked behind its package until the transaction ends.

    The package first, as everybody does: a webhook holds it while it notes what it has heard.
    """
    package = QuotePackage.objects.locked().get(pk=renewal.package_id)
    locked = Renewal.objects.select_for_update().get(pk=renewal.pk)
    locked.package = package
    return locked
