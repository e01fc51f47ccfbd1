"""The shop's adapter for django-xcover, which is all a shop has to write."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language

from django_xcover import policy_requests
from django_xcover.adapters import ShopAdapter
from django_xcover.models import Renewal
from django_xcover.types import Due, Policyholder, PolicyRequest, QuoteRequest
from example_shop import guests, wallet
from example_shop.cart import Cart, CartLine
from example_shop.details import Flat, Parcel, Trip, midnight, needs_details
from example_shop.markets import HOME, Market, market_of
from example_shop.models import Order, Product
from example_shop.notices import renewal_notice
from example_shop.orders import may_view, references_of


class ConcertShopAdapter(ShopAdapter[Cart, Order, Product]):
    """Insures everything the shop sells, each thing with its own kind of policy."""

    def get_cart(self, request: HttpRequest) -> Cart | None:
        cart: Cart | None = getattr(request, "cart", None)
        return cart if cart and cart.count else None

    def get_cart_reference(self, cart: Cart) -> str:
        return cart.reference

    def get_quote_request(self, cart: Cart) -> QuoteRequest | None:
        if cart.is_empty:
            return None
        return quote_request(cart.market, cart.lines)

    def get_product_quote_request(
        self, request: HttpRequest, product: Product
    ) -> QuoteRequest | None:
        if needs_details(product):
            return None  # the price depends on what the shopper has yet to type
        market = market_of(request.session)
        one = CartLine(product, 1, product.price_in(market.currency))
        return quote_request(market, (one,))

    def get_product_reference(self, product: Product) -> str:
        return product.slug

    def get_product(self, reference: str) -> Product | None:
        return Product.objects.on_sale().filter(slug=reference).first()

    def get_order_reference(self, order: Order) -> str:
        return order.number

    def get_order(self, reference: str) -> Order | None:
        return Order.objects.filter(number=reference).first()

    def get_policyholder(self, order: Order) -> Policyholder:
        return Policyholder(
            first_name=order.first_name,
            last_name=order.last_name,
            email=order.email,
            phone=order.phone,
            address1=order.address,
            city=order.city,
            postcode=order.postcode,
            country=order.country,
        )

    def can_view_order(self, request: HttpRequest, order: Order) -> bool:
        return may_view(request, order)

    def get_orders(self, request: HttpRequest) -> Iterable[str]:
        return references_of(request)

    def get_payment_url(self, request: HttpRequest, due: Due) -> str:
        url = reverse("shop:pay_cover", args=[due.kind, due.reference])
        if due.kind != "after_sale":
            return url
        # Who comes by the link in an e-mail has no session here.
        return f"{url}?{urlencode({'pass': guests.payment_pass(due)})}"

    def pays_later(self, order: Order) -> bool:
        return order.payment == Order.Payment.INVOICE

    def charged_by_xcover(self, order: Order) -> bool:
        return order.dual_payment

    def is_paid(self, order: Order) -> bool:
        return order.is_paid

    def was_charged(self, hold: str) -> bool:
        return wallet.was_charged(hold)

    def send_renewal_notice(self, order: Order | None, renewal: Renewal) -> None:
        if order is not None:
            renewal_notice(order, renewal)

    def get_order_url(self, order: Order) -> str:
        return reverse("admin:example_shop_order_change", args=[order.pk])


def quote_request(market: Market, lines: Iterable[CartLine]) -> QuoteRequest:
    """Return the request for `lines`, in the market's currency and the page's language."""
    return QuoteRequest(
        currency=market.currency,
        customer_country=market.country,
        customer_language=get_language() or "en",
        items=tuple(to_insure(line) for line in lines),
    )


def to_insure(line: CartLine) -> PolicyRequest:
    """Return the policy request for one line of the cart."""
    match line.details:
        case Trip() as trip:
            return insure_trip(line, trip)
        case Parcel() as parcel:
            return insure_parcel(line, parcel)
        case Flat() as flat:
            return insure_flat(line, flat)
    starts = line.product.starts_at
    return insure_tickets(line, starts) if starts else insure_device(line)


def insure_tickets(line: CartLine, starts: datetime) -> PolicyRequest:
    return policy_requests.event_ticket(
        reference=line.reference,
        label=line.product.name,
        event_name=line.product.name,
        event_datetime=starts,
        event_location=line.product.location,
        event_country=line.product.country,
        tickets=[line.unit_price] * line.quantity,
        resale_ticket=False,
    )


def insure_trip(line: CartLine, trip: Trip) -> PolicyRequest:
    return policy_requests.travel(
        reference=line.reference,
        label=line.product.name,
        trip_start_date=midnight(trip.starts),
        trip_end_date=midnight(trip.ends),
        departure_country=HOME.country,
        destination_country=line.product.country,
        number_of_adults=trip.adults,
        number_of_children=trip.children,
        total_tickets_price=line.total,
    )


def insure_parcel(line: CartLine, parcel: Parcel) -> PolicyRequest:
    return policy_requests.parcel(
        reference=line.reference,
        label=line.product.name,
        from_country=HOME.country,
        to_country=parcel.to_country,
        to_zipcode=parcel.to_postcode,
        cover_amount=parcel.worth,
        ship_cost=line.total,
        ship_date=midnight(parcel.ships),
        policy_start_date=midnight(parcel.ships),
    )


def insure_flat(line: CartLine, flat: Flat) -> PolicyRequest:
    return policy_requests.renters(
        reference=line.reference,
        label=line.product.name,
        address1=line.product.venue,
        city=line.product.city,
        contents_value=flat.contents,
        number_of_residents=flat.residents,
        policy_start_date=midnight(flat.moves_in),
    )


def insure_device(line: CartLine) -> PolicyRequest:
    return policy_requests.product(
        reference=line.reference,
        label=line.product.name,
        category=line.product.category,
        name=line.product.name,
        description=line.product.tagline,
        price=line.unit_price,
        quantity=line.quantity,
    )
