"""Money as people read it."""

from __future__ import annotations

from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency
from django.utils.translation import get_language, to_locale

from django_xcover.types import Money


def format_amount(money: Money) -> str:
    """Return `money` as the reader's language writes it: "£1,234.50", "1.234,50 £".

    It has the currency's own number of decimals, and more when the amount has more: finance
    compares these figures, so nothing is rounded away.
    """
    return format_currency(
        money.amount.normalize(), money.currency, locale=_locale(), decimal_quantization=False
    )


def _locale() -> Locale:
    try:
        return Locale.parse(to_locale(get_language() or "en"))
    except (UnknownLocaleError, ValueError):
        return Locale("en")
