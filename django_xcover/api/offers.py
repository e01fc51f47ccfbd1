"""The offer for the shopper's cart, and the answer to it."""

from __future__ import annotations

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from django_xcover.api.base import ShopView
from django_xcover.api.inputs import ChoiceInput
from django_xcover.api.shapes import OfferShape
from django_xcover.services import choosing
from django_xcover.services.carts import read_cart
from django_xcover.services.choosing import NothingToInsure
from django_xcover.services.quoting import fresh_offer


class OfferView(ShopView):
    """The offer, quoted within `XCOVER["OFFER_DEADLINE"]` if need be."""

    def get(self, request: Request) -> Response:
        """Return the offer; 204 when there is none: the sale goes on without it."""
        cart = read_cart(self.http)
        offer = fresh_offer(cart) if cart else None
        if offer is None:
            return Response(status=status.HTTP_204_NO_CONTENT)
        return self.shown(OfferShape, offer)


class ChoiceView(ShopView):
    """The shopper's yes or no."""

    input_class = ChoiceInput

    def post(self, request: Request) -> Response:
        """Put the answer on record and return the offer as it stands now; 409 when it is gone."""
        answer = self.sent()
        cart = read_cart(self.http)
        if cart is None:
            raise NothingToInsure
        offer = choosing.choose(
            cart,
            quote_id=answer["quote"],
            accepted=answer["choice"] == "yes",
            template_version=answer["template_version"],
            shown=answer["shown"],
            plan=answer["plan"],
        )
        return self.shown(OfferShape, offer)
