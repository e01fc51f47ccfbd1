"""PUBLIC: the adapter for django-oscar. A shop writes `insure`, and overrides what differs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, TypeVar

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, transaction
from django.db.models import Sum
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import get_language
from oscar.core.loading import get_model
from oscar.core.prices import Price

from django_xcover.adapters import ShopAdapter, get_adapter
from django_xcover.contrib.oscar.cart import OscarCart, cart_of_request
from django_xcover.contrib.oscar.guests import orders_of_session
from django_xcover.types import Money, Policyholder, PolicyRequest, QuoteRequest

__all__ = ["OscarAdapter"]

T = TypeVar("T")
logger = logging.getLogger("django_xcover.orders")
TWO_DIGITS = Decimal("0.01")  # those of Oscar's amounts


class OscarAdapter(ShopAdapter[OscarCart, Any, Any]):
    """Subclass this, write `insure`, and name the class in `XCOVER["ADAPTER"]`.

    `default_country` (ISO 3166-1 alpha-2) is the country of an order without an address, such as
    one of downloads. Without it, such orders are offered no cover. Cover ends when an order or a
    line gets one of `cancelled_statuses`, or when items of a line take part in a shipping event
    whose type is named in `cancelling_events`.
    """

    default_country = ""
    cancelled_statuses: Iterable[str] = ("Cancelled", "Canceled", "Returned")
    cancelling_events: Iterable[str] = ("Cancelled", "Canceled", "Returned")

    # What is insured.

    def insure(self, line: Any) -> PolicyRequest | Sequence[PolicyRequest] | None:
        """Return what to insure of the basket's `line`, None for nothing.

        Return one request for the whole line, or a list of `line.quantity` requests, one for each
        item: then single items can be cancelled. Their `reference` is replaced.
        """
        raise NotImplementedError("subclasses of OscarAdapter must provide an insure() method")

    def get_item_price(self, line: Any) -> Money:
        """Return the price of one item of the basket's `line`, for `insure`.

        It includes tax where that is known, and no offer or voucher: these don't change the cover.
        """
        price = line.unit_price_incl_tax if line.is_tax_known else line.unit_price_excl_tax
        return Money(price, line.price_currency)

    def get_country(self, cart: OscarCart) -> str:
        """Return the customer's country: of the shipping address, or else the billing address."""
        addresses = (cart.shipping_address, cart.billing_address)
        known = (address.country_id for address in addresses if address is not None)
        return next(filter(None, known), self.default_country)

    def get_quote_request(self, cart: OscarCart) -> QuoteRequest | None:
        """Return what to insure in the basket, None without a country or anything to insure."""
        country = self.get_country(cart)
        items = tuple(self._items(cart.basket)) if country else ()
        if not items:
            return None
        return QuoteRequest(
            currency=cart.basket.currency,
            customer_country=country,
            customer_language=get_language() or "en",
            items=items,
        )

    def _items(self, basket: Any) -> Iterator[PolicyRequest]:
        for line in basket.all_lines():
            wanted = self.insure(line)
            if isinstance(wanted, PolicyRequest):
                yield replace(wanted, reference=line.line_reference)
            elif wanted is not None:
                for number, item in enumerate(wanted, start=1):
                    yield replace(item, reference=f"{line.line_reference}:{number}")

    # What is charged.

    def get_surcharge(self, premium: Money) -> Price:
        """Return the price of the cover as Oscar's surcharge.

        By default the premium is the price with and without tax: insurance is exempt from VAT, and
        XCover's prices contain the taxes on premiums. `incl_tax` must be the premium, which is what
        the page shows and XCover books.
        """
        rounded = premium.amount.quantize(TWO_DIGITS)
        # Stored with four digits, which a payment page may show.
        amount = rounded if rounded == premium.amount else premium.amount
        return Price(premium.currency, excl_tax=amount, incl_tax=amount)

    def is_paid(self, order: Any) -> bool | None:
        """Return whether the payment sources of `order` have been debited in full."""
        debited = order.sources.aggregate(total=Sum("amount_debited"))["total"]
        return bool((debited or Decimal(0)) >= order.total_incl_tax)

    # Carts, orders and shoppers.

    def get_cart(self, request: HttpRequest) -> OscarCart | None:
        """Return the basket of the request with the addresses of the checkout."""
        return cart_of_request(request)

    def get_cart_reference(self, cart: OscarCart) -> str:
        """Return the number of the basket, with the time it was created."""
        return cart.reference

    def get_order_reference(self, order: Any) -> str:
        """Return the number of the order. A new order has it as an int."""
        return str(order.number)

    def get_order(self, reference: str) -> Any:
        """Return the order with this number, or None."""
        return get_model("order", "Order")._default_manager.filter(number=reference).first()

    def get_policyholder(self, order: Any) -> Policyholder:
        """Return the person of the billing address, or else of the shipping address.

        The account's name is used for what they lack. The e-mail address is that of the order.
        """
        address = order.billing_address or order.shipping_address
        phone = getattr(order.shipping_address, "phone_number", None)
        return Policyholder(
            first_name=getattr(address, "first_name", "") or getattr(order.user, "first_name", ""),
            last_name=getattr(address, "last_name", "") or getattr(order.user, "last_name", ""),
            email=order.email,
            country=getattr(address, "country_id", "") or self.default_country,
            phone=str(phone or ""),
            address1=getattr(address, "line1", ""),
            address2=getattr(address, "line2", ""),
            city=getattr(address, "line4", ""),
            region=getattr(address, "state", ""),
            postcode=getattr(address, "postcode", ""),
        )

    def can_view_order(self, request: HttpRequest, order: Any) -> bool:
        """Return whether it is the account's order, or a guest's of this session."""
        if order.user_id is None:
            return str(order.number) in orders_of_session(request)
        return bool(request.user.is_authenticated and order.user_id == request.user.pk)

    def get_orders(self, request: HttpRequest) -> Iterable[str]:
        """Return the numbers of the account's orders, or of a guest's in this session."""
        if not request.user.is_authenticated:
            return orders_of_session(request)
        orders = get_model("order", "Order")._default_manager.filter(user=request.user)
        return [str(number) for number in orders.values_list("number", flat=True)]

    def get_order_url(self, order: Any) -> str:
        """Return the page of the order in Oscar's dashboard, "" without a dashboard."""
        try:
            return reverse("dashboard:order-detail", kwargs={"number": order.number})
        except NoReverseMatch:
            return ""


def oscar_adapter() -> OscarAdapter:
    """Return the shop's adapter. Raise ImproperlyConfigured if it is none for Oscar."""
    adapter = get_adapter()
    if not isinstance(adapter, OscarAdapter):
        raise ImproperlyConfigured(
            "XCOVER['ADAPTER'] is no subclass of django_xcover.contrib.oscar.adapter.OscarAdapter."
        )
    return adapter


def ask(method: str, *args: Any, otherwise: Callable[[], T]) -> T:
    """Return the answer of the shop's adapter, or `otherwise` if it raises: the sale goes on.

    The log names the exception's class only, because its text may quote the customer.
    """
    try:
        # A savepoint keeps the shop's own transaction usable.
        with transaction.atomic():
            answer: T = getattr(oscar_adapter(), method)(*args)
            return answer
    except DatabaseError:
        raise  # a lost connection or a deadlock, which the shop has to know of
    except Exception as error:  # noqa: BLE001 - the shop's code
        problem = type(error).__name__
    logger.critical("The adapter's %s failed: %s", method, problem)
    return otherwise()
