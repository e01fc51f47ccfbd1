"""`{% load xcover_oscar %}`: what the templates of this app read."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import template
from django.urls import NoReverseMatch, reverse

from django_xcover.adapters import get_adapter
from django_xcover.contrib.oscar.checkout import CODE
from django_xcover.models import QuotePackage

register = template.Library()


@register.filter
def without_cover(order_total: Any, surcharges: Iterable[Any] | None) -> Decimal:
    """Return Oscar's `order_total` without the premium that is among its `surcharges`."""
    prices = [one.price for one in surcharges or () if one.surcharge.code == CODE]
    if order_total.is_tax_known:
        return Decimal(order_total.incl_tax - sum(price.incl_tax for price in prices))
    return Decimal(order_total.excl_tax - sum(price.excl_tax for price in prices))


@register.simple_tag
def xcover_admin_url(user: Any, order: Any) -> str:
    """Return the admin's page about the cover of `order`; "" if `user` may not see it.

    Also "" for an order that was offered no cover, and for a shop without an admin.
    """
    if not (user.is_staff and user.has_perm("xcover.view_quotepackage")):
        return ""
    reference = get_adapter().get_order_reference(order)
    if not QuotePackage.objects.for_order(reference).exists():
        return ""
    try:
        return reverse("admin:xcover_order_story", args=[reference])
    except NoReverseMatch:
        return ""


@register.filter
def premium(surcharges: Iterable[Any] | None) -> Decimal:
    """Return the premium that is among Oscar's `surcharges`, 0 without cover."""
    found = (one.surcharge for one in surcharges or ())
    return sum((one.premium.amount for one in found if one.code == CODE), Decimal(0))


@register.simple_tag(takes_context=True)
def xcover_nonce(context: template.Context) -> str:
    """Return the page's CSP nonce (Django 6 or django-csp), "" without one."""
    nonce = context.get("csp_nonce")
    if nonce is None:
        nonce = getattr(context.get("request"), "csp_nonce", "")
    return str(nonce)
