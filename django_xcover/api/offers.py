"""The offer for the shopper's cart, and the answer to it."""

from __future__ import annotations

from rest_framework import status
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.response import Response

from django_xcover.api.base import ShopView
from django_xcover.api.serializers.inputs import ChoiceInput
from django_xcover.api.serializers.offers import OfferShape
from django_xcover.exceptions import NothingToInsure
from django_xcover.offers import choices, quoting, visitors
from django_xcover.offers.carts import read_cart
from django_xcover.offers.quoting import Look


class OfferView(ShopView):
    """The offer, quoted in the background if need be."""

    def get(self, request: Request) -> Response:
        """Return the offer; 204 when there is none: the sale goes on without it.

        An offer without quotes says what accepted cover is gone.
        202 while XCover is asked: ask again at `Location`. 429 for too many quotes.
        """
        cart = read_cart(self.http)
        again = quoting.AGAIN in request.query_params
        found = quoting.look(cart, again=again) if cart else quoting.NOTHING
        if found.shown is not None:
            return self.shown(OfferShape, found.shown)
        if found.is_waiting:
            return self._not_yet(found)
        if found.is_limited:
            raise Throttled(wait=visitors.retry_after())
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _not_yet(self, found: Look) -> Response:
        query = f"?{quoting.AGAIN}=1" if found.is_begun else ""
        headers = {"Retry-After": "1", "Location": f"{self.http.path}{query}"}
        return Response(status=status.HTTP_202_ACCEPTED, headers=headers)


class ChoiceView(ShopView):
    """The shopper's yes or no."""

    input_class = ChoiceInput

    def post(self, request: Request) -> Response:
        """Put the answer on record and return the offer as it stands now; 409 when it is gone."""
        answer = self.sent()
        cart = read_cart(self.http)
        if cart is None:
            raise NothingToInsure
        offer = choices.choose(
            cart,
            quote_id=answer["quote"],
            accepted=answer["choice"] == "yes",
            template_version=answer["template_version"],
            shown=answer["shown"],
            plan=answer["plan"],
        )
        return self.shown(OfferShape, offer)
