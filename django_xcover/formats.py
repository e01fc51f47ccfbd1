"""Format and parse amounts of money in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from babel import Locale, UnknownLocaleError
from babel.numbers import (
    NumberFormatError,
    format_currency,
    get_currency_precision,
    parse_decimal,
)
from django.utils.translation import get_language, to_locale

from django_xcover.types import Money


def format_amount(money: Money) -> str:
    """Return `money` in the format of the active language, such as "£1,234.50" or "1.234,50 £".

    It has the currency's usual number of decimals, or more if the amount has more. Nothing is
    rounded, because finance compares these figures.
    """
    return format_currency(
        money.amount.normalize(), money.currency, locale=_locale(), decimal_quantization=False
    )


def plain_amount(money: Money) -> str:
    """Return the amount as a decimal string for programs, such as "82.50", "500" (JPY), "1.250".

    It has the currency's usual number of decimals, or more if the amount has more.
    """
    digits = Decimal(1).scaleb(-get_currency_precision(money.currency))
    whole = money.amount.quantize(digits)
    return f"{whole if whole == money.amount else money.amount.normalize():f}"


# ISO 4217: the currencies whose minor unit isn't a hundredth. Babel shows fewer decimals where
# they are out of use (HUF, IDR), but payment providers still count in hundredths.
_WITHOUT = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_MINOR_DIGITS: Mapping[str, int] = {
    **dict.fromkeys(_WITHOUT.split(), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}


def minor_digits(currency: str) -> int:
    """Return the number of decimals of an ISO 4217 currency: 2 for GBP, 0 for JPY, 3 for KWD."""
    return _MINOR_DIGITS.get(currency, 2)


def exact_amount(money: Money) -> str:
    """Return the amount with `minor_digits` decimals, or more if it has more: "500.00" (HUF)."""
    whole = money.amount.quantize(Decimal(1).scaleb(-minor_digits(money.currency)))
    return f"{whole if whole == money.amount else money.amount.normalize():f}"


def minor_units(money: Money) -> int | None:
    """Return the amount in the currency's minor unit, such as pence; None if it isn't whole."""
    units = money.amount.scaleb(minor_digits(money.currency))
    return int(units) if units == units.to_integral_value() else None


def parse_amount(text: str) -> Decimal | None:
    """Return the number in `text`, in the format of the active language ("1,234.50", "1.234,50").

    Return None if it is not a number or is ambiguous ("1,5" in English).
    """
    # Spaces can only group digits. An amount has no letters, and an exponent could make it huge.
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
