"""Cancelling: what comes back first, then the shopper's word."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from django_xcover.api.base import PolicyView
from django_xcover.api.serializers.inputs import CancellationInput, StatementInput
from django_xcover.api.serializers.policies import CancellationShape
from django_xcover.models import Cancellation, Quote, Withdrawal
from django_xcover.overview.cancellations import view_of
from django_xcover.overview.policy import booked_together
from django_xcover.policies import withdrawal


class CancellationsView(PolicyView):
    """What is confirmed next: a preview, or a draft where XCover does not say the refund."""

    input_class = CancellationInput

    def post(self, request: Request, quote_id: str) -> Response:
        """Ask XCover what comes back; 201, whether it answers or not. Nothing is cancelled yet."""
        quote, wanted = self.policy(), self.sent()
        cancellation = withdrawal.prepare(
            quote.package,
            quotes=_chosen(quote, wanted["policies"]),
            reason=wanted["reason"],
        )
        return self.shown(CancellationShape, view_of(cancellation), code=status.HTTP_201_CREATED)


class CancellationView(PolicyView):
    """One cancellation."""

    def get(self, request: Request, **kwargs: Any) -> Response:
        """Return how far it is and what comes back."""
        return self.shown(CancellationShape, view_of(self.cancellation()))

    def cancellation(self) -> Cancellation:
        """Return the one the address names, which must be one of this policy's."""
        quote = self.policy()
        return self.workflow(Cancellation.objects.filter(quotes=quote), quote)


class ConfirmCancellationView(CancellationView):
    """The shopper's statement that they withdraw from, or cancel, what was prepared."""

    http_method_names = ("post", "options")
    input_class = StatementInput

    def post(self, request: Request, **kwargs: Any) -> Response:
        """Take the statement; 202. The same again, from whichever door, returns the first one."""
        found, values = self.cancellation(), self.sent()
        if not values["email"] and not withdrawal.holder_of(found.package).email:
            # Nothing is booked, and the shop has named nobody: the receipt would go nowhere.
            raise ValidationError({"email": [_("Please say where the receipt is to go.")]})
        stated = withdrawal.withdraw(found, channel=Withdrawal.Channel.API, **values)
        answer = view_of(stated.cancellation)
        return self.shown(CancellationShape, answer, code=status.HTTP_202_ACCEPTED)


def _chosen(quote: Quote, ids: list[str] | None) -> list[Quote]:
    booked = {row.quote_id: row for row in booked_together(quote)}
    wanted = ids or [quote.quote_id]
    if not booked.keys() >= set(wanted):
        raise ValidationError({"policies": [_("Please choose from the policies of this order.")]})
    return [booked[one] for one in dict.fromkeys(wanted)]
