"""Cover offered for one of the shopper's orders after the sale, and the answer."""

from __future__ import annotations

from dataclasses import dataclass

from rest_framework import status
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.response import Response

from django_xcover import payments
from django_xcover.api.description import describes
from django_xcover.api.offers import OrderView
from django_xcover.api.serializers.inputs import AfterSaleInput
from django_xcover.api.serializers.policies import AfterSaleShape
from django_xcover.mirror.presentation import OfferedQuote
from django_xcover.offers import after_sale, after_sale_quotes, carts, shop_values
from django_xcover.offers.after_sale import LateOffer
from django_xcover.types import Due, Money


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterSaleResult:
    """The offer with the shopper's answer, and the payment that a yes makes due."""

    shown: str
    choice: str
    premium: Money | None
    quotes: tuple[OfferedQuote, ...]
    due: Due | None


class AfterSaleView(OrderView):
    """The offer for an order that has no cover."""

    input_class = AfterSaleInput

    @describes(
        "getOrderOffer",
        {200: AfterSaleShape, 204: "No cover is offered for this order, or not any more."},
    )
    def get(self, request: Request, reference: str) -> Response:
        """Return the offer; 204 if there is none, 429 after too many prices.

        XCover is asked within the offer's deadline, unless the price is stored.
        """
        look = after_sale_quotes.look(self.http, self.order(reference))
        if look.is_limited:
            raise Throttled(wait=carts.seconds_to_next_window())
        if look.late is None:
            return Response(status=status.HTTP_204_NO_CONTENT)
        return self._show(look.late)

    @describes("answerOrderOffer", {200: AfterSaleShape}, takes=(AfterSaleInput,))
    def post(self, request: Request, reference: str) -> Response:
        """Store the answer and return what is due for a yes; 409 if the offer isn't current."""
        known = shop_values.order_reference(self.order(reference))
        data = self.validated_input()
        version = data["template_version"]
        if data["choice"] == "no":
            row = after_sale.decline(known, template_version=version)
        else:
            row = after_sale.accept(
                known, data["quotes"], shown=data["shown"], template_version=version
            )
        return self._show(after_sale.show(row))

    def _show(self, late: LateOffer) -> Response:
        result = AfterSaleResult(
            shown=late.shown,
            choice=late.choice,
            premium=late.premium,
            quotes=late.offer.quotes,
            due=payments.of_after_sale(late.row),
        )
        return self.respond(AfterSaleShape, result)
