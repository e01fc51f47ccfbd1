"""Which of a cart's quote packages counts.

A cart that changes its currency, or is looked at again after an hour, leaves packages behind, each
with the answers that were given to it.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from django_xcover.models import Quote, QuotePackage, Status


def open_packages(account: str, cart_reference: str) -> QuerySet[QuotePackage]:
    """Return the cart's packages that an order may be made of, the newest first.

    None from before an order that the cart has become: what that left behind is no second cover.
    """
    packages = QuotePackage.objects.filter(account=account, cart_reference=cart_reference)
    ordered = packages.exclude(order_reference="").filter(pk__gt=OuterRef("pk"))
    unordered = packages.filter(order_reference="", status=Status.RECEIVED)
    return unordered.exclude(Exists(ordered)).order_by("-pk")


def lock_open(account: str, cart_reference: str) -> list[QuotePackage]:
    """Lock all packages of the cart; return those that an order may be made of, newest first.

    Decided from the locked rows themselves: whoever waited for the lock of a package that was
    ordered meanwhile must see that order, and a query would go by what it saw before it waited.
    """
    packages = QuotePackage.objects.filter(account=account, cart_reference=cart_reference)
    found = list(packages.locked().order_by("pk")) if cart_reference else []
    last = max((row.pk for row in found if row.order_reference), default=0)
    return [row for row in reversed(found) if row.pk > last and row.status == Status.RECEIVED]


def frozen_first(packages: Sequence[QuotePackage]) -> QuotePackage | None:
    """Return the one of `packages` (newest first) whose cover was charged, else the newest."""
    frozen = (package for package in packages if package.frozen_at)
    return next(frozen, packages[0] if packages else None)


def freeze(package: QuotePackage) -> None:
    """Mark that the order being made charges for this package, or for nothing."""
    package.frozen_at = timezone.now()
    package.save(update_fields=["frozen_at", "updated_at"])


def lock_quotes(package: QuotePackage) -> list[Quote]:
    """Return the offered quotes of a locked package, in the order they are shown.

    With a lock, because only that reads the latest rows everywhere: under REPEATABLE READ, and
    from behind a router that reads from a replica, a plain query may see those of a while ago.
    """
    return list(package.quotes.offered().select_for_update().order_by("position"))
