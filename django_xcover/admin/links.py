"""Links between our admin pages."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from django_xcover.models import Flag, Quote, QuotePackage


def page_url(row: Model) -> str:
    """Return the address of the admin page of `row`."""
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=(row.pk,))


def policy_url(quote: Quote) -> str:
    """Return the address of the page of a booked quote: the policy of the same id."""
    return reverse("admin:xcover_policy_change", args=(quote.pk,))


def story_url(reference: str) -> str:
    """Return the address of the story of the order with this reference."""
    return reverse("admin:xcover_order_story", args=(reference,))


def link(url: str, text: object) -> SafeString:
    """Return a link; both parts are escaped."""
    return format_html('<a href="{}">{}</a>', url, text)


def package_link(package: QuotePackage) -> SafeString:
    """Return a link to the page of `package`."""
    return link(page_url(package), package.package_id)


def order_link(package: QuotePackage) -> SafeString | str:
    """Return a link to the story of the package's order, "" while there is no order."""
    reference = package.order_reference
    return link(story_url(reference), reference) if reference else ""


def may_view(request: HttpRequest, row: Model | type[Model]) -> bool:
    """Return whether this request's user may see rows like `row`, or of that model."""
    user = request.user
    if isinstance(user, AnonymousUser):
        return False
    # A flag belongs to its package and is seen by those who may see that.
    meta = QuotePackage._meta if row._meta.model is Flag else row._meta
    return user.has_perm(f"{meta.app_label}.view_{meta.model_name}")
