"""The offer for the shopper's cart, the shopper's answer, and the cover of an order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import Http404
from rest_framework import status
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from django_xcover import payments
from django_xcover.adapters import get_adapter
from django_xcover.api.base import ShopView
from django_xcover.api.description import describes
from django_xcover.api.serializers.inputs import ChoiceInput, ChoicesInput, TokenInput
from django_xcover.api.serializers.offers import OfferShape, OrderCoverShape, PriceShape
from django_xcover.cover import order_cover
from django_xcover.exceptions import NoCoverToPay, NothingToInsure
from django_xcover.models import QuotePackage
from django_xcover.offers import carts, choices, product_price, quoting, statistics
from django_xcover.offers.carts import read_cart
from django_xcover.offers.choices import Answer

# The name of the API in the daily numbers.
PLACEMENT = "api"
BEING_ASKED = "XCover is being asked. Request `Location` after `Retry-After` seconds."


class OfferView(ShopView):
    """The offer; XCover is asked in the background if there is none."""

    @describes(
        "getOffer",
        {
            200: OfferShape,
            202: BEING_ASKED,
            204: "There is no offer. Continue the sale without it.",
        },
        query={quoting.AGAIN: {"type": "string", "description": "Set by `Location`."}},
        headers={202: ("Location", "Retry-After")},
    )
    def get(self, request: Request) -> Response:
        """Return the offer; 204 if there is none, and the sale continues without it.

        An offer without quotes lists accepted cover that is no longer available. Returns 202 while
        XCover is asked: ask again at `Location`. Returns 429 after too many quotes.
        """
        cart = read_cart(self.http)
        again = quoting.AGAIN in request.query_params
        look = quoting.look(cart, again=again) if cart else quoting.NOTHING
        statistics.note_shown(look.offer, PLACEMENT)
        if look.shown is not None:
            return self.respond(OfferShape, look.shown)
        if look.is_waiting:
            query = f"?{quoting.AGAIN}=1" if look.is_begun else ""
            return _not_yet(f"{self.http.path}{query}")
        if look.is_limited:
            raise Throttled(wait=carts.seconds_to_next_window())
        return Response(status=status.HTTP_204_NO_CONTENT)


def _not_yet(url: str) -> Response:
    headers = {"Retry-After": "1", "Location": url}
    return Response(status=status.HTTP_202_ACCEPTED, headers=headers)


class PriceView(ShopView):
    """The price of cover for one product, before it is in a cart."""

    @describes(
        "getPrice",
        {200: PriceShape, 202: BEING_ASKED, 204: "There is no price."},
        query={"product": {"type": "string", "description": "The adapter's product reference."}},
        headers={202: ("Location", "Retry-After")},
    )
    def get(self, request: Request) -> Response:
        """Return the price for `product`; 204 if there is none, 429 after too many prices.

        Returns 202 while XCover is asked: ask again at `Location`.
        """
        look = product_price.look(self.http, request.query_params.get("product", ""))
        if look.is_waiting:
            return _not_yet(self.http.get_full_path())
        if look.is_limited:
            raise Throttled(wait=carts.seconds_to_next_window())
        if look.offer is None:
            return Response(status=status.HTTP_204_NO_CONTENT)
        return self.respond(PriceShape, look.offer)


class ChoiceView(ShopView):
    """Stores the shopper's answers: one, or several under `answers`."""

    def get_input_class(self) -> type[Serializer[Any]]:
        """Return the class for one answer or for several."""
        data = self.request.data
        return ChoicesInput if isinstance(data, Mapping) and "answers" in data else ChoiceInput

    @describes("answerOffer", {200: OfferShape}, takes=(ChoiceInput, ChoicesInput))
    def post(self, request: Request) -> Response:
        """Store the answers and return the updated offer; 409 if the offer isn't current."""
        data = self.validated_input()
        cart = read_cart(self.http)
        if cart is None:
            raise NothingToInsure
        answers = {
            answer["quote"]: Answer(
                accepted=answer["choice"] == "yes", shown=answer["shown"], plan=answer["plan"]
            )
            for answer in data.get("answers", [data])
        }
        offer = choices.choose_each(cart, answers, template_version=data["template_version"])
        # A kept answer is erased together with this package.
        self.package = QuotePackage(account=cart.account, package_id=offer.package_id)
        return self.respond(OfferShape, offer)


class OrderView(ShopView):
    """A view of one order; it returns 404 if the order isn't the shopper's."""

    def order(self, reference: str) -> Any:
        """Return the order; raise Http404 if the adapter doesn't let this shopper see it."""
        adapter = get_adapter()
        # Some databases raise an error for a NUL in a text.
        order = None if "\x00" in reference else adapter.get_order(reference)
        if order is None or not adapter.can_view_order(self.http, order):
            raise Http404
        return order


class OrderCoverView(OrderView):
    """The cover of one of the shopper's orders, and the card that XCover charges for it."""

    input_class = TokenInput

    @describes("getOrderCover", {200: OrderCoverShape})
    def get(self, request: Request, reference: str) -> Response:
        """Return state and policies; 404 if the adapter doesn't let this shopper see the order."""
        return self.respond(OrderCoverShape, order_cover(self.order(reference)))

    @describes("payOrderCover", {200: OrderCoverShape}, takes=(TokenInput,))
    def post(self, request: Request, reference: str) -> Response:
        """Have XCover charge the card of a token, and return state and policies.

        404 as for GET; 409 if the token or the order's cover can't be used for it.
        """
        order = self.order(reference)
        data = self.validated_input()
        if not get_adapter().charged_by_xcover(order):
            raise NoCoverToPay  # the shop charges it: a browser must not have it charged twice
        self.package = payments.use_token(order, data["customer_token_id"], email=data["email"])
        return self.respond(OrderCoverShape, order_cover(order))
