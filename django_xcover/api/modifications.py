"""Changing a policy: details at once, anything with a price after it is settled."""

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
from django_xcover.policies import modification as modifying
from django_xcover.types import Due, Money

SHOPPER = Cancellation.Origin.SHOPPER


@dataclass(frozen=True, slots=True, kw_only=True)
class ModificationAnswer:
    """A change with its exact difference, and what is to be paid for it now, if anything."""

    pk: int
    state: str
    difference: Money
    refusal: str
    confirmed_at: datetime | None
    due: Due | None


class ChangeView(PolicyView):
    """What all views about changes share."""

    def show(self, modification: Modification, code: int = status.HTTP_200_OK) -> Response:
        """Return `modification` as JSON."""
        answer = ModificationAnswer(
            pk=modification.pk,
            state=modification.state,
            difference=modification.difference,
            refusal=modifying.refusal_of(modification),
            confirmed_at=modification.confirmed_at,
            due=payments.of_modification(modification),
        )
        return self.shown(ModificationShape, answer, code=code)

    def modification(self) -> Modification:
        """Return the one the address names."""
        return self.workflow(Modification.objects.all(), self.policy())


class ModificationsView(ChangeView):
    """Changes of a policy."""

    input_class = ModificationInput

    def post(self, request: Request, quote_id: str) -> Response:
        """Change details (202), or ask XCover what a change costs (201); 422 for bad values."""
        quote, wanted = self.policy(), self.sent()
        if wanted["policyholder"] is not None:
            return self.show(_change(quote, wanted["policyholder"]), status.HTTP_202_ACCEPTED)
        priced = modifying.quote_change(
            quote.package, quote=quote, update_fields=wanted["update_fields"], origin=SHOPPER
        )
        return self.show(priced, status.HTTP_201_CREATED)


class ModificationView(ChangeView):
    """One change."""

    def get(self, request: Request, **kwargs: Any) -> Response:
        """Return how far it is and what it costs."""
        return self.show(self.modification())


class ConfirmModificationView(ChangeView):
    """The shopper's word to a change that costs nothing."""

    def post(self, request: Request, **kwargs: Any) -> Response:
        """Confirm; 202. With a difference that is the shop's to settle: 409."""
        found = self.modification()
        if found.price_diff:
            raise DifferenceNotSettled
        modifying.settle(found)
        found.refresh_from_db()
        return self.show(found, status.HTTP_202_ACCEPTED)


class AbandonModificationView(ChangeView):
    """A priced change that the shopper does not want after all."""

    def post(self, request: Request, **kwargs: Any) -> Response:
        """Give it up; 409 when it is too late."""
        found = self.modification()
        modifying.abandon(found)
        return self.show(found)


def _change(quote: Quote, policyholder: dict[str, str]) -> Modification:
    return modifying.change_details(quote.package, policyholder, origin=SHOPPER)
