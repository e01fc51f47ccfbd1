"""Compare the total shown beside the order button with the total to charge.

Between the page and the order, the cart may change in another tab, the offer may be quoted again,
or the shopper's answer may get lost. The shopper agreed only to what the page showed.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from babel.numbers import get_currency_precision

from django_xcover.exceptions import TotalChanged
from django_xcover.tracebacks import clears_frames
from django_xcover.types import Money

# The form field that `{% xcover_total %}` adds to the page.
FIELD = "xcover_total"


@clears_frames
def require_shown(data: Mapping[str, str], total: Money) -> None:
    """Raise TotalChanged unless `data`, the posted form, contains `total`.

    Call it after `freeze_cover` in the transaction that creates the order, and let the exception
    leave that transaction: the freeze is rolled back, and the page can be shown again.
    """
    if _read(data.get(FIELD, "")) != _in_whole_coins(total):
        raise TotalChanged


def as_text(total: Money) -> str:
    """Return `total` in the format of the field: "1331.25 GBP"."""
    return f"{_in_whole_coins(total).amount:f} {total.currency}"


def _read(text: str) -> Money | None:
    amount, _space, currency = text.partition(" ")
    try:
        return _in_whole_coins(Money(Decimal(amount), currency))
    except InvalidOperation:  # not a number, infinite, or too large to round
        return None


def _in_whole_coins(money: Money) -> Money:
    """Return `money` rounded to its currency's digits: 2 for GBP, 0 for JPY."""
    digits = Decimal(1).scaleb(-get_currency_precision(money.currency))
    return Money(money.amount.quantize(digits, rounding=ROUND_HALF_UP), money.currency)
