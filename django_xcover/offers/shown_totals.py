"""The total that stood beside the order button, held against what the order would charge.

Between the page and the order a cart may change in another tab, an offer may be quoted anew, or an
answer may be lost on the way. A shopper agreed to what was shown and to nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from django_xcover.exceptions import TotalChanged
from django_xcover.tracebacks import clears_frames
from django_xcover.types import Money

# The form field in which `{% xcover_total %}` sends the total along.
FIELD = "xcover_total"


@clears_frames
def require_shown(data: Mapping[str, str], total: Money) -> None:
    """Raise TotalChanged unless `data`, the posted form, says that `total` was shown.

    Call it after `freeze_cover` in the transaction that makes the order, and let the exception
    leave that transaction: nothing is then frozen, and the page can be shown again.
    """
    if _read(data.get(FIELD, "")) != total:
        raise TotalChanged


def as_text(total: Money) -> str:
    """Return `total` as the field carries it: "1331.25 GBP"."""
    return f"{total.amount:f} {total.currency}"


def _read(text: str) -> Money | None:
    amount, _space, currency = text.partition(" ")
    try:
        read = Decimal(amount)
    except InvalidOperation:
        return None
    # Comparing a signalling NaN raises.
    return Money(read, currency) if read.is_finite() else None
