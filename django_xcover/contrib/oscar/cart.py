"""A basket as this package's cart: with the country that it goes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
from oscar.core.loading import get_class


@dataclass(frozen=True, slots=True)
class OscarCart:
    """An Oscar basket, and the addresses of its order, unsaved before there is an order.

    The addresses are None as long as the shopper has entered none. `basket` may be any basket of
    Oscar, in any status: after a payment page it isn't the one of the shopper's session.
    """

    basket: Any
    shipping_address: Any = field(default=None, repr=False)
    billing_address: Any = field(default=None, repr=False)

    @property
    def reference(self) -> str:
        """Return a reference that no other basket has, even if the database reuses its number."""
        return f"oscar-{self.basket.pk}-{int(self.basket.date_created.timestamp())}"


def cart_of_request(request: HttpRequest) -> OscarCart | None:
    """Return the cart of the shopper's session, None for an empty one."""
    basket = getattr(request, "basket", None)
    if basket is None or basket.pk is None or basket.is_empty:
        return None
    session = get_class("checkout.session", "CheckoutSessionMixin")()
    session.request = request
    session.checkout_session = get_class("checkout.utils", "CheckoutSessionData")(request)
    shipping = session.get_shipping_address(basket)
    return OscarCart(basket, shipping, session.get_billing_address(shipping))


def cart_of_submission(submission: Mapping[str, Any]) -> OscarCart:
    """Return the cart of what a checkout view submits (`build_submission`)."""
    return OscarCart(
        submission["basket"], submission.get("shipping_address"), submission.get("billing_address")
    )
