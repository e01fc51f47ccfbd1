"""Which of a cart's quote packages counts.

A cart that changes its currency, or is looked at again after an hour, leaves packages behind, each
with the answers that were given to it.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Exists, OuterRef, QuerySet

from django_xcover.models import Quote, QuotePackage, Status


def open_packages(account: str, cart_reference: str) -> QuerySet[QuotePackage]:
    """Return the cart's packages that an order may be made of, the newest first.

    None from before an order that the cart has become: what that left behind is no second cover.
    """
    packages = QuotePackage.objects.filter(account=account, cart_reference=cart_reference)
    ordered = packages.exclude(order_reference="").filter(pk__gt=OuterRef("pk"))
    unordered = packages.filter(order_reference="", status=Status.RECEIVED)
    return unordered.exclude(Exists(ordered)).order_by("-pk")


def lock_all(account: str, cart_reference: str) -> list[QuotePackage]:
    """Lock and return all packages of the cart, oldest first; none without a reference."""
    packages = QuotePackage.objects.filter(account=account, cart_reference=cart_reference)
    return list(packages.locked().order_by("pk")) if cart_reference else []


def still_open(packages: Sequence[QuotePackage]) -> list[QuotePackage]:
    """Return those of a cart's locked packages that an order may be made of, newest first.

    Decided from the locked rows themselves: whoever waited for the lock of a package that was
    ordered meanwhile must see that order, and a query would go by what it saw before it waited.
    """
    last = max((row.pk for row in packages if row.order_reference), default=0)
    return [row for row in reversed(packages) if row.pk > last and row.status == Status.RECEIVED]


def lock_offered(package: QuotePackage) -> list[Quote]:
    """Return those of `lock_quotes` that the shopper may choose and be charged for."""
    return [quote for quote in lock_quotes(package) if quote.status == Status.RECEIVED]


def lock_quotes(package: QuotePackage) -> list[Quote]:
    """Return the offered quotes of a locked package, in the order they are shown.

    With a lock, because only that reads the latest rows everywhere: under REPEATABLE READ, and
    from behind a router that reads from a replica, a plain query may see those of a while ago.
    """
    return list(package.quotes.offered().select_for_update().order_by("position"))
