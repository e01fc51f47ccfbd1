"""Build the part of a booking besides its quotes: the policyholder and the card to charge."""

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
from django_xcover.outbox.operation_errors import CannotPerform
from django_xcover.types import Policyholder
from django_xcover.values import UnusableValue

logger = safe_logging.get_logger("django_xcover.booking")


def body(package: QuotePackage, order: Any) -> dict[str, Any]:
    """Return the part of a booking's body that depends on the shop's `order`.

    With dual payment it contains a `customer_token_id`, and the call charges that card. The e-mail
    address is stored with the package. Raises CannotPerform if a name or an address contains a card
    number.
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
    """Return the result of `build`, {} if it fails.

    The shop's order must go through. With {}, the body is built when the booking runs, and a
    failure then needs a person.
    """
    try:
        # A savepoint, so that a failing query in the adapter doesn't break the shop's transaction.
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
    """Return the `policyholder` object for the shop's `order`; refuse card numbers in it."""
    holder: object = get_adapter().get_policyholder(order)
    if not isinstance(holder, Policyholder):
        kind = type(holder).__name__
        raise UnusableValue(f"get_policyholder returned a {kind} and not a Policyholder.")
    person = request_bodies.policyholder_payload(holder)
    try:
        validators.refuse(person)
    except CardNumberSent as refusal:
        raise CannotPerform(
            f"The policyholder's {refusal.field} contains a card number. Remove it from the order."
        ) from None
    return person


def _keep_findable(package: QuotePackage, person: dict[str, Any]) -> None:
    """Make the package searchable by the name and address that are sent with its booking.

    XCover's answer replaces them later. Customers also call about orders that aren't booked yet.
    """
    known = read_policyholder(person)
    if package.booked_at is None and len(known.email) <= packages.LONGEST_EMAIL:
        package.policyholder_email = known.email
        package.save(update_fields=["policyholder_email", "updated_at"])
        search_terms.add(package, known)


def order_of(package: QuotePackage) -> Any:
    """Return the shop's order of `package`; raise CannotPerform if the shop no longer has it."""
    order = get_adapter().get_order(package.order_reference)
    if order is None:
        raise CannotPerform(
            f"The shop no longer has order {package.order_reference}, so there is no policyholder."
        )
    return order
