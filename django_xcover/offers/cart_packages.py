"""Find the quote package that counts for a cart.

A cart that changes its currency, or is viewed again after an hour, leaves older packages behind,
each with the shopper's answers to it.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Exists, OuterRef, QuerySet

from django_xcover.models import Quote, QuotePackage, Status


def open_packages(account: str, cart_reference: str) -> QuerySet[QuotePackage]:
    """Return the cart's packages that an order can still take over, newest first.

    Excludes packages older than an ordered one, because they would insure the same goods twice.
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
    """Return a cart's locked packages that an order can still take over, newest first.

    Reads the locked rows and runs no query. A caller that waited for the lock of a package that
    was ordered in the meantime must see that order, and a query could use an older snapshot.
    """
    last = max((row.pk for row in packages if row.order_reference), default=0)
    return [row for row in reversed(packages) if row.pk > last and row.status == Status.RECEIVED]


def lock_offered(package: QuotePackage) -> list[Quote]:
    """Return the quotes from `lock_quotes` that the shopper may choose and be charged for."""
    return [quote for quote in lock_quotes(package) if quote.status == Status.RECEIVED]


def lock_quotes(package: QuotePackage) -> list[Quote]:
    """Return the offered quotes of a locked package, in display order.

    Locks the rows, because only a locking read returns the latest rows everywhere. Under
    REPEATABLE READ, or with a router that reads from a replica, a plain query may return stale
    rows.
    """
    return list(package.quotes.offered().select_for_update().order_by("position"))
