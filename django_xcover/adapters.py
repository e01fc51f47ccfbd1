"""PUBLIC: the class that a shop subclasses to connect its carts and orders."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Generic

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.utils.module_loading import import_string

from django_xcover.conf import DEFAULT_ACCOUNT, get_config
from django_xcover.types import Due, Policyholder, QuoteRequest

if TYPE_CHECKING:
    # For type checkers only: a shop's adapter may be imported before the models.
    from django.core.mail import EmailMessage

    # Type checkers know typing_extensions even if it isn't installed.
    from typing_extensions import TypeVar

    from django_xcover.models import Renewal, Withdrawal

    # Without the default, `class MyAdapter(ShopAdapter)` would fail in a shop under mypy --strict.
    CartT = TypeVar("CartT", default=Any)
    OrderT = TypeVar("OrderT", default=Any)
    ProductT = TypeVar("ProductT", default=Any)
else:
    from typing import TypeVar

    CartT = TypeVar("CartT")
    OrderT = TypeVar("OrderT")
    ProductT = TypeVar("ProductT")

__all__ = ["ShopAdapter", "get_adapter"]


class ShopAdapter(Generic[CartT, OrderT, ProductT]):
    """Subclass this and name it in `XCOVER["ADAPTER"]`.

    A `cart` and an `order` are the shop's own objects and are never stored; their references are.
    A shop with type hints adds their classes: `class MyShopAdapter(ShopAdapter[Cart, Order])`,
    and that of its products if it shows prices on their pages.
    """

    if not TYPE_CHECKING:

        def __class_getitem__(cls, types: object) -> type:
            """Accept one to three classes. Generic would insist on three."""
            return cls

    def get_cart(self, request: HttpRequest) -> CartT | None:
        """Return the cart of this request's shopper, or None."""
        raise NotImplementedError(_must("get_cart"))

    def get_cart_reference(self, cart: CartT) -> str:
        """Return a string of at most 100 characters that is unique to this cart."""
        raise NotImplementedError(_must("get_cart_reference"))

    def get_quote_request(self, cart: CartT) -> QuoteRequest | None:
        """Return what to insure in `cart`, or None to offer nothing.

        Called while a page is rendered: use data that the cart has loaded, and call no service.
        """
        raise NotImplementedError(_must("get_quote_request"))

    def get_order_reference(self, order: OrderT) -> str:
        """Return the order's number, which is sent to XCover as `partner_transaction_id`."""
        raise NotImplementedError(_must("get_order_reference"))

    def get_order(self, reference: str) -> OrderT | None:
        """Return the order with this reference, or None."""
        raise NotImplementedError(_must("get_order"))

    def get_policyholder(self, order: OrderT) -> Policyholder:
        """Return the person who takes out the cover of `order`."""
        raise NotImplementedError(_must("get_policyholder"))

    def can_view_order(self, request: HttpRequest, order: OrderT) -> bool:
        """Return whether this request may see the policies and documents of `order`."""
        raise NotImplementedError(_must("can_view_order"))

    def get_orders(self, request: HttpRequest) -> Iterable[str]:
        """Return the references of this shopper's orders, for the list under "My cover".

        By default the list is empty, and each policy is linked from its order's page.
        `can_view_order` still decides whether a policy is shown. Read all orders in one query.
        """
        return ()

    def get_payment_url(self, request: HttpRequest, due: Due) -> str:
        """Return the URL where this shopper pays `due`, or "" if the shop collects it by itself.

        The shop's page shows `due.amount`, and calls `django_xcover.payments.record_payment` once
        it is collected.
        """
        return ""

    def get_order_quote_request(
        self, order: OrderT, quoted: QuoteRequest | None
    ) -> QuoteRequest | None:
        """Return what can still be insured in `order` after the sale, or None to offer nothing.

        `quoted` is the request that was quoted at the checkout, None if there was no offer. It is
        also the default. Use the same references as `get_quote_request`, and call no service.
        """
        return quoted

    def send_renewal_notice(self, order: OrderT | None, renewal: Renewal) -> None:
        """Notify the customer by e-mail that cover ends and what the next period costs.

        The default sends nothing. `renewal` has `premium`, `due_on`, `starts_at` and `ends_at`;
        `order` is None if the shop no longer has it. Called in a worker, once for each price. If it
        raises, it is called again in the next run of beat.
        """

    def send_withdrawal_email(
        self, order: OrderT | None, withdrawal: Withdrawal, message: EmailMessage
    ) -> None:
        """Send the customer the receipt of their withdrawal, and later the refund.

        EU law requires the receipt. The default sends `message`, a plain text to
        `withdrawal.email`, with Django's e-mail settings. Called in a worker, once for each e-mail.
        If it raises, it is called again later. `order` is None if the shop no longer has it.
        """
        message.send()

    def pays_later(self, order: OrderT) -> bool:
        """Return whether cover is booked now and confirmed when the order is paid.

        XCover holds such a booking as PENDING_PAYMENT (`require_payment_confirmation`).
        """
        return False

    def charged_by_xcover(self, order: OrderT) -> bool:
        """Return whether XCover itself charges a card for the cover of `order` (dual payment).

        Its cover is then booked only with a token from `django_xcover.payments.use_token`.
        """
        return False

    def is_paid(self, order: OrderT) -> bool | None:
        """Return whether `order` is paid, None if unknown.

        Called when an order is completed: True counts as its payment, which may have been reported
        too early. Reconciliation calls it once for each booking that it checks, and lists cover in
        force for an unpaid order (False) as covered but not paid. The default is None.
        """
        return None

    def was_charged(self, hold: str) -> bool | None:
        """Return whether a premium was charged for the hold with this reference, None if unknown.

        Called when the hold has expired without an order. False ends it without an alert, for
        example if the shopper left the payment; otherwise a person is alerted. The default is None.
        """
        return None

    def get_account(self, cart: CartT) -> str:
        """Return the name of the XCover account that insures `cart`."""
        return DEFAULT_ACCOUNT

    def get_product_quote_request(
        self, request: HttpRequest, product: ProductT
    ) -> QuoteRequest | None:
        """Return what to insure for the price on the page of `product`, or None for no price.

        Everyone who looks at the product shares the price, so use nothing that only one shopper
        has typed. Called while a page is rendered: call no service. The default is None.
        """
        return None

    def get_product_reference(self, product: ProductT) -> str:
        """Return a public string of at most 100 characters that identifies `product`.

        It is part of a URL. By default it is the primary key of a model instance, or else the text
        of the object.
        """
        return str(getattr(product, "pk", product))

    def get_product(self, reference: str) -> ProductT | None:
        """Return the product with this reference, or None if it isn't on sale.

        Anyone can ask for any reference. The default is None.
        """
        return None

    def get_product_account(self, request: HttpRequest, product: ProductT) -> str:
        """Return the name of the XCover account that prices the cover of `product`."""
        return DEFAULT_ACCOUNT

    def get_shopper_reference(self, request: HttpRequest) -> str:
        """Return a reference of the shopper. A quote is never reused for another shopper."""
        user = getattr(request, "user", None)
        return f"user:{user.pk}" if user is not None and user.is_authenticated else ""

    def get_visitor(self, request: HttpRequest) -> str:
        """Return what identifies a visitor for `XCOVER["VISITOR_QUOTES"]`.

        The default is the session, or else the address. It is stored as a hash, in the cache, for
        ten minutes. Behind a proxy that sets the client's address reliably, return that address,
        because a new session is easy to get.
        """
        session = getattr(request, "session", None)
        key = None if session is None else session.session_key
        return str(key or request.META.get("REMOTE_ADDR", ""))

    def get_order_url(self, order: OrderT) -> str:
        """Return the URL where staff see `order` in the shop, or "" for no link."""
        return ""


def get_adapter() -> ShopAdapter[object, object, object]:
    """Return the shop's adapter; raise ImproperlyConfigured if it can't be imported."""
    path = get_config().adapter
    try:
        cls = import_string(path)
    except ImportError as error:
        reason = f"{type(error).__name__}: {error}"
        text = f"XCOVER['ADAPTER'] {path!r} cannot be imported: {reason}"
        raise ImproperlyConfigured(text) from error
    if not (isinstance(cls, type) and issubclass(cls, ShopAdapter)):
        raise ImproperlyConfigured(f"XCOVER['ADAPTER'] {path!r} is no subclass of ShopAdapter.")
    return cls()


def _must(method: str) -> str:
    return f"subclasses of ShopAdapter must provide a {method}() method"
