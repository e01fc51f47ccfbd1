"""What a booking says besides its quotes: who takes out the cover, and which card is charged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction

from django_xcover import safe_logging, validators
from django_xcover.adapters import get_adapter
from django_xcover.client.schemas.stored import read_policyholder
from django_xcover.exceptions import CardNumberSent
from django_xcover.mirror import packages, request_bodies, search_terms
from django_xcover.models import QuotePackage
from django_xcover.outbox.operation_errors import Unworkable
from django_xcover.types import Policyholder
from django_xcover.values import UnusableValue

logger = safe_logging.get_logger("django_xcover.booking")


def body(package: QuotePackage, order: Any) -> dict[str, Any]:
    """Return the part of a booking's body that the shop's `order` decides.

    With dual payment it has a `customer_token_id`: the call then charges that card. The e-mail
    address is kept with the package. Raises Unworkable when somebody typed a card number into a
    name or an address.
    """
    token = package.customer_token_id
    person = policyholder(order)
    _keep_findable(package, person)
    return {
        "policyholder": person,
        "partner_transaction_id": package.order_reference,
        **({"customer_token_id": token} if token else {}),
    }


def attempt(package: QuotePackage, build: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return what `build` makes of the shop's data, {} when it cannot.

    The shop's order must go through: {} is made anew when the booking is carried out, and a person
    is told then.
    """
    try:
        # A savepoint, so that a query that fails in the adapter leaves the shop's order intact.
        with transaction.atomic():
            return build()
    except Exception as error:  # noqa: BLE001 - the shop's code; its order must go through
        # Not `exception`: its traceback would quote what the customer typed.
        logger.error(  # noqa: TRY400
            "Order %s (package %s) has no policyholder yet: %s",
            package.order_reference,
            package,
            safe_logging.describe(error),
        )
        return {}


def policyholder(order: Any) -> dict[str, Any]:
    """Return `policyholder` for the shop's `order`, without a card number in any field."""
    found: object = get_adapter().get_policyholder(order)
    if not isinstance(found, Policyholder):
        kind = type(found).__name__
        raise UnusableValue(f"get_policyholder returned a {kind} and not a Policyholder.")
    person = request_bodies.policyholder_payload(found)
    try:
        validators.refuse(person)
    except CardNumberSent as refusal:
        raise Unworkable(
            f"A card number stands in the policyholder's {refusal.field}. Take it out of the order."
        ) from None
    return person


def _keep_findable(package: QuotePackage, person: dict[str, Any]) -> None:
    """Let the package be found by the name and address that go to XCover with its booking.

    Until XCover answers with its own: who calls about an order does so while it is not booked.
    """
    known = read_policyholder(person)
    if package.booked_at is None and len(known.email) <= packages.LONGEST_EMAIL:
        package.policyholder_email = known.email
        package.save(update_fields=["policyholder_email", "updated_at"])
        search_terms.add(package, known)


def order_of(package: QuotePackage) -> Any:
    """Return the shop's order of `package`; raise Unworkable when the shop knows it no longer."""
    order = get_adapter().get_order(package.order_reference)
    if order is None:
        raise Unworkable(
            f"The shop no longer knows order {package.order_reference}: it has no policyholder."
        )
    return order
