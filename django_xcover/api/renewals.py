"""Renewing: what the next period costs, or letting the cover end. Paying is the shop's."""

from __future__ import annotations

from typing import Any

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from django_xcover.api.base import PolicyView
from django_xcover.api.serializers.policies import RenewalShape
from django_xcover.models import Renewal
from django_xcover.overview.renewals import view_of
from django_xcover.policies import renewal as renewing


class RenewalView(PolicyView):
    """One renewal."""

    def get(self, request: Request, **kwargs: Any) -> Response:
        """Return how far it is and what it costs."""
        return self.show(self.renewal())

    def show(self, renewal: Renewal, code: int = status.HTTP_200_OK) -> Response:
        """Return `renewal` as JSON."""
        return self.shown(RenewalShape, view_of(renewal), code=code)

    def renewal(self) -> Renewal:
        """Return the one the address names."""
        return self.workflow(Renewal.objects.all(), self.policy())


class PriceRenewalView(RenewalView):
    """The price of the next period."""

    http_method_names = ("post", "options")

    def post(self, request: Request, **kwargs: Any) -> Response:
        """Ask XCover what the next period costs."""
        return self.show(renewing.quote(self.renewal()))


class DeclineRenewalView(RenewalView):
    """The shopper's word that the cover is to end with its period."""

    http_method_names = ("post", "options")

    def post(self, request: Request, **kwargs: Any) -> Response:
        """Decline; 202. Declining twice declines once."""
        found = self.renewal()
        renewing.opt_out(found)
        return self.show(found, status.HTTP_202_ACCEPTED)
