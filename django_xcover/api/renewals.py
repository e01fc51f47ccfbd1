"""Renewals: pricing the next period, or declining it. The shop takes the payment."""

from __future__ import annotations

from typing import Any

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from django_xcover.api.base import PolicyView
from django_xcover.api.serializers.policies import RenewalShape
from django_xcover.models import Renewal
from django_xcover.overview.renewals import view_of
from django_xcover.policies import renewal as renewal_service


class RenewalView(PolicyView):
    """One renewal."""

    def get(self, request: Request, **kwargs: Any) -> Response:
        """Return its progress and price."""
        return self.show(self.renewal())

    def show(self, renewal: Renewal, code: int = status.HTTP_200_OK) -> Response:
        """Return `renewal` as JSON."""
        return self.respond(RenewalShape, view_of(renewal), code=code)

    def renewal(self) -> Renewal:
        """Return the URL's renewal; raise Http404 if it isn't for this policy."""
        return self.workflow(Renewal.objects.all(), self.policy())


class PriceRenewalView(RenewalView):
    """The price of the next period."""

    http_method_names = ("post", "options")

    def post(self, request: Request, **kwargs: Any) -> Response:
        """Ask XCover for the price of the next period."""
        return self.show(renewal_service.quote(self.renewal()))


class DeclineRenewalView(RenewalView):
    """Declines a renewal: the cover ends with the current period."""

    http_method_names = ("post", "options")

    def post(self, request: Request, **kwargs: Any) -> Response:
        """Decline the renewal; 202. Declining again has no effect."""
        row = self.renewal()
        renewal_service.opt_out(row)
        return self.show(row, status.HTTP_202_ACCEPTED)
