"""Check the references that the shop's adapter returns."""

from __future__ import annotations

from typing import Any

from django.db.models import Model

from django_xcover import values
from django_xcover.adapters import get_adapter

Cart = tuple[str, str]  # account and reference
LONGEST_ACCOUNT = 50


def order_reference(order: Any) -> str:
    """Return the reference of `order`; raise UnusableValue if it can't be stored."""
    return values.reference(get_adapter().get_order_reference(order), "get_order_reference")


def account_of(cart: Any) -> str:
    """Return the name of the account that insures `cart`; raise UnusableValue if empty."""
    account = values.text(get_adapter().get_account(cart), "get_account", longest=LONGEST_ACCOUNT)
    if not account:
        raise values.UnusableValue("get_account is empty.")
    return account


def cart_reference(cart: Any) -> str:
    """Return the reference of `cart`; raise UnusableValue if it can't be stored."""
    return values.reference(get_adapter().get_cart_reference(cart), "get_cart_reference")


def name_cart(cart: Any) -> Cart | None:
    """Return the account and reference of `cart`, None without a cart."""
    return None if cart is None else (account_of(cart), cart_reference(cart))


def identify(thing: Any) -> str:
    """Return the type and primary key of the shop's object, for logs without its reference."""
    label = thing._meta.label if isinstance(thing, Model) else type(thing).__name__
    key = getattr(thing, "pk", None)
    return f"{label} {key}" if isinstance(key, int) else f"{label} without a number"
