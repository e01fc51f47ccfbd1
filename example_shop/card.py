"""A fake card processor. No card number leaves this module or is stored."""

from __future__ import annotations

from django.utils.translation import gettext as _

GOOD_CARD = "4242 4242 4242 4242"
DECLINED_CARD = "4000 0000 0000 0002"
# The sandbox's XPay accepts it, and XCover's charge is declined when the cover is booked.
DECLINED_BY_XCOVER = "4000 0000 0000 0341"


class CardDeclined(Exception):
    """The bank declined the card; `str()` is a message for the shopper."""


def charge(card_number: str, *, order_number: str) -> None:
    """Take the money, or raise CardDeclined.

    A real processor gets `order_number` as its idempotency key, so that a second click is not a
    second charge.
    """
    if card_number == DECLINED_CARD.replace(" ", ""):
        raise CardDeclined(_("Your bank declined this card. Nothing was charged. Try another one."))


def give_back(*, order_number: str) -> None:
    """Refund the charge with this number. It does nothing, because nothing was charged."""
