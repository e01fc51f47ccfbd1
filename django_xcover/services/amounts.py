"""Money as people read it."""

from __future__ import annotations

from django.utils.formats import number_format

from django_xcover.types import Money

# ISO 4217, the minor units that are not two.
WHOLE = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI"}
    | {"VND", "VUV", "XAF", "XOF", "XPF"}
)
THOUSANDTHS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})


def format_amount(money: Money) -> str:
    """Return `money` with its currency and the reader's separators: "1,234.50 GBP".

    It has the currency's own number of decimals, and more when the amount has more: finance
    compares these figures, so nothing is rounded away.
    """
    digits = -int(money.amount.normalize().as_tuple().exponent)
    places = max(_minor_unit(money.currency), digits)
    text = number_format(money.amount, decimal_pos=places, use_l10n=True, force_grouping=True)
    return f"{text} {money.currency}"


def _minor_unit(currency: str) -> int:
    if currency in WHOLE:
        return 0
    return 3 if currency in THOUSANDTHS else 2
