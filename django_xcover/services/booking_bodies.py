"""What a booking says besides its quotes: who takes out the cover, and which card is charged."""

from __future__ import annotations

from typing import Any

from django_xcover.adapters import get_adapter
from django_xcover.models import QuotePackage
from django_xcover.services import card_numbers, payloads
from django_xcover.services.card_numbers import CardNumberSent
from django_xcover.services.outcomes import Unworkable


def body(package: QuotePackage, order: Any) -> dict[str, Any]:
    """Return the part of a booking's body that the shop's `order` decides.

    With dual payment it has a `customer_token_id`: the call then charges that card. Raises
    Unworkable when somebody typed a card number into a name or an address.
    """
    token = package.customer_token_id
    return {
        "policyholder": policyholder(order),
        "partner_transaction_id": package.order_reference,
        **({"customer_token_id": token} if token else {}),
    }


def policyholder(order: Any) -> dict[str, Any]:
    """Return `policyholder` for the shop's `order`, without a card number in any field."""
    person = payloads.policyholder_payload(get_adapter().get_policyholder(order))
    try:
        card_numbers.refuse(person)
    except CardNumberSent as refusal:
        raise Unworkable(
            f"A card number stands in the policyholder's {refusal.field}. Take it out of the order."
        ) from None
    return person


def order_of(package: QuotePackage) -> Any:
    """Return the shop's order of `package`; raise Unworkable when the shop knows it no longer."""
    order = get_adapter().get_order(package.order_reference)
    if order is None:
        raise Unworkable(
            f"The shop no longer knows order {package.order_reference}: it has no policyholder."
        )
    return order
