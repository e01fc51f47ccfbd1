"""Modifications: details at once, priced changes once the difference is settled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from django_xcover import payments
from django_xcover.api.base import PolicyView
from django_xcover.api.serializers.inputs import ModificationInput
from django_xcover.api.serializers.policies import ModificationShape
from django_xcover.exceptions import DifferenceNotSettled
from django_xcover.models import Cancellation, Modification, Quote
from django_xcover.policies import modification as modification_service
from django_xcover.types import Due, Money

SHOPPER = Cancellation.Origin.SHOPPER


@dataclass(frozen=True, slots=True, kw_only=True)
class ModificationResult:
    """A change with its exact price difference, and the payment that is due now, if any."""

    pk: int
    state: str
    difference: Money
    refusal: str
    confirmed_at: datetime | None
    due: Due | None


class ChangeView(PolicyView):
    """The base class of the views of changes."""

    def show(self, modification: Modification, code: int = status.HTTP_200_OK) -> Response:
        """Return `modification` as JSON."""
        result = ModificationResult(
            pk=modification.pk,
            state=modification.state,
            difference=modification.difference,
            refusal=modification_service.refusal_of(modification),
            confirmed_at=modification.confirmed_at,
            due=payments.of_modification(modification),
        )
        return self.respond(ModificationShape, result, code=code)

    def modification(self) -> Modification:
        """Return the URL's modification; raise Http404 if it isn't for this policy."""
        return self.workflow(Modification.objects.all(), self.policy())


class ModificationsView(ChangeView):
    """Changes of a policy."""

    input_class = ModificationInput

    def post(self, request: Request, quote_id: str) -> Response:
        """Change details (202) or ask XCover for a price (201); 422 for bad values."""
        quote, values = self.policy(), self.validated_input()
        if values["policyholder"] is not None:
            return self.show(_change(quote, values["policyholder"]), status.HTTP_202_ACCEPTED)
        priced = modification_service.quote_change(
            quote.package, quote=quote, update_fields=values["update_fields"], origin=SHOPPER
        )
        return self.show(priced, status.HTTP_201_CREATED)


class ModificationView(ChangeView):
    """One change."""

    def get(self, request: Request, **kwargs: Any) -> Response:
        """Return its progress and price."""
        return self.show(self.modification())


class ConfirmModificationView(ChangeView):
    """Confirms a change that doesn't alter the price."""

    def post(self, request: Request, **kwargs: Any) -> Response:
        """Confirm the change; 202. Returns 409 if there is a difference for the shop to settle."""
        row = self.modification()
        if row.price_diff:
            raise DifferenceNotSettled
        modification_service.settle(row)
        row.refresh_from_db()
        return self.show(row, status.HTTP_202_ACCEPTED)


class AbandonModificationView(ChangeView):
    """Abandons a priced change."""

    def post(self, request: Request, **kwargs: Any) -> Response:
        """Abandon the change; 409 if it is too late."""
        row = self.modification()
        modification_service.abandon(row)
        return self.show(row)


def _change(quote: Quote, policyholder: dict[str, str]) -> Modification:
    return modification_service.change_details(quote.package, policyholder, origin=SHOPPER)
