"""Money as people read it."""

from __future__ import annotations

from decimal import Decimal

from babel import Locale, UnknownLocaleError
from babel.numbers import NumberFormatError, format_currency, parse_decimal
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


def parse_amount(text: str) -> Decimal | None:
    """Return the number that `text` is in the reader's language: "1,234.50", "1.234,50".

    None for what is no number, or might well be another ("1,5" in English).
    """
    # A space can only group. Letters make no amount, and an exponent makes an endless one.
    plain = "".join(text.split())
    if any(sign.isalpha() for sign in plain):
        return None
    try:
        return parse_decimal(plain, locale=_locale(), strict=True)
    except NumberFormatError:
        return None


def _locale() -> Locale:
    try:
        return Locale.parse(to_locale(get_language() or "en"))
    except (UnknownLocaleError, ValueError):
        return Locale("en")
