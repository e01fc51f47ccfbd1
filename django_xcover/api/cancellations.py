"""Cancellations: the refund first, then the shopper's confirmation."""

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
    """Prepares a cancellation: a preview, or a draft if XCover doesn't return the refund."""

    input_class = CancellationInput

    def post(self, request: Request, quote_id: str) -> Response:
        """Ask XCover for the refund; 201 whether or not it answers. Nothing is cancelled yet."""
        quote, data = self.policy(), self.validated_input()
        cancellation = withdrawal.prepare(
            quote.package,
            quotes=_chosen(quote, data["policies"]),
            reason=data["reason"],
        )
        return self.respond(CancellationShape, view_of(cancellation), code=status.HTTP_201_CREATED)


class CancellationView(PolicyView):
    """One cancellation."""

    def get(self, request: Request, **kwargs: Any) -> Response:
        """Return its progress and refund."""
        return self.respond(CancellationShape, view_of(self.cancellation()))

    def cancellation(self) -> Cancellation:
        """Return the URL's cancellation; raise Http404 if it isn't for this policy."""
        quote = self.policy()
        return self.workflow(Cancellation.objects.filter(quotes=quote), quote)


class ConfirmCancellationView(CancellationView):
    """Receives the shopper's statement that they withdraw or cancel."""

    http_method_names = ("post", "options")
    input_class = StatementInput

    def post(self, request: Request, **kwargs: Any) -> Response:
        """Submit the statement; 202. Repeating it, here or on a page, returns the first one."""
        row, values = self.cancellation(), self.validated_input()
        if not values["email"] and not withdrawal.holder_of(row.package).email:
            # Without a booking or a policyholder, there's no address for the receipt.
            raise ValidationError({"email": [_("Please enter an e-mail address for the receipt.")]})
        stated = withdrawal.withdraw(row, channel=Withdrawal.Channel.API, **values)
        shown = view_of(stated.cancellation)
        return self.respond(CancellationShape, shown, code=status.HTTP_202_ACCEPTED)


def _chosen(quote: Quote, ids: list[str] | None) -> list[Quote]:
    booked = {row.quote_id: row for row in booked_together(quote)}
    wanted = ids or [quote.quote_id]
    if not booked.keys() >= set(wanted):
        raise ValidationError({"policies": [_("Please choose from the policies of this order.")]})
    return [booked[quote_id] for quote_id in dict.fromkeys(wanted)]
