"""What the tests of the admin need besides the package's own factories."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth.models import Permission, User
from django.utils import timezone

from django_xcover.mirror import search_terms
from django_xcover.models import QuotePackage


def make_staff(*permissions: str, name: str = "sam") -> User:
    """Return a member of staff with these permissions of the app ("view_quotepackage", …)."""
    user = User.objects.create_user(username=name, password="secret", is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(content_type__app_label="xcover", codename__in=permissions)
    )
    return user


def make_findable(package: QuotePackage) -> None:
    """Write the terms by which staff search, as the services do for an ordered package."""
    if package.order_reference:
        quotes = list(package.quotes.values_list("quote_id", flat=True))
        search_terms.replace(package, search_terms.terms_of(package, quotes), quotes)


def in_minutes(minutes: float) -> datetime:
    """Return the moment that many minutes from now."""
    return timezone.now() + timedelta(minutes=minutes)
