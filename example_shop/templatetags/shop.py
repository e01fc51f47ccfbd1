"""Template filters for amounts, dates and prices."""

from __future__ import annotations

from datetime import datetime

from babel.numbers import format_currency
from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, pgettext, to_locale

from django_xcover.types import Money
from example_shop.markets import Market
from example_shop.models import Product

register = template.Library()


@register.filter
def money(value: Money) -> str:
    """Format an amount for the page's language: £1,234.50, 1.234,50 €, JP¥8,400."""
    return format_currency(value.amount, value.currency, locale=to_locale(get_language() or "en"))


@register.filter
def day(value: datetime) -> str:
    """Format the date in the shop's time zone: Thu 17 Dec 2026, Do. 17. Dez. 2026."""
    return date_format(timezone.localtime(value), pgettext("date format", "D j M Y"))


@register.filter
def hour(value: datetime) -> str:
    """Format the time in the shop's time zone: 19:30."""
    return date_format(timezone.localtime(value), "H:i")


@register.filter
def price(product: Product, market: Market) -> Money:
    """Return the unit price of `product` in the shopper's market."""
    return product.price_in(market.currency)
