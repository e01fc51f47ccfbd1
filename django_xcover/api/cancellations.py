"""Cancelling: what comes back first, then the shopper's word."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from django_xcover.api.base import PolicyView
from django_xcover.api.inputs import CancellationInput
from django_xcover.api.policy_shapes import CancellationShape
from django_xcover.models import Cancellation, Quote
from django_xcover.services import cancelling
from django_xcover.services.my_cover.cancellation import view_of
from django_xcover.services.my_cover.details import booked_together


class CancellationsView(PolicyView):
    """Previews of a cancellation."""

    input_class = CancellationInput

    def post(self, request: Request, quote_id: str) -> Response:
        """Ask XCover what comes back; 201. Nothing is cancelled before it is confirmed."""
        quote, wanted = self.policy(), self.sent()
        cancellation = cancelling.preview(
            quote.package,
            quotes=_chosen(quote, wanted["policies"]),
            origin=Cancellation.Origin.SHOPPER,
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
    """The shopper's word that what was previewed is to be cancelled."""

    http_method_names = ("post", "options")

    def post(self, request: Request, **kwargs: Any) -> Response:
        """Cancel; 202. Confirming twice cancels once."""
        found = self.cancellation()
        cancelling.request(found)
        found.refresh_from_db()
        return self.shown(CancellationShape, view_of(found), code=status.HTTP_202_ACCEPTED)


def _chosen(quote: Quote, ids: list[str] | None) -> list[Quote]:
    booked = {row.quote_id: row for row in booked_together(quote)}
    wanted = ids or [quote.quote_id]
    if not booked.keys() >= set(wanted):
        raise ValidationError({"policies": [_("Please choose among the policies of this order.")]})
    return [booked[one] for one in dict.fromkeys(wanted)]
