"""How the shop writes money."""

from __future__ import annotations

from babel.numbers import format_currency
from django import template
from django.utils.translation import get_language, to_locale

from django_xcover.types import Money

register = template.Library()


@register.filter
def money(value: Money) -> str:
    """Write an amount as people of the page's language do: £1,234.50, 1.234,50 €, ¥8,400."""
    return format_currency(value.amount, value.currency, locale=to_locale(get_language() or "en"))
