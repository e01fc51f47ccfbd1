"""Cancellations, modifications and renewals: priced first, then confirmed by the shopper.

Details are changed at once. The shop takes the payments.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from django_xcover import payments
from django_xcover.api.base import PolicyView
from django_xcover.api.description import describes
from django_xcover.api.serializers.inputs import (
    CancellationInput,
    ModificationInput,
    StatementInput,
)
from django_xcover.api.serializers.policies import (
    CancellationShape,
    ModificationShape,
    RenewalShape,
)
from django_xcover.exceptions import DifferenceNotSettled
from django_xcover.models import Cancellation, Modification, Quote, Renewal, Withdrawal
from django_xcover.overview.cancellations import view_of as cancellation_view
from django_xcover.overview.policy import booked_together
from django_xcover.overview.renewals import view_of as renewal_view
from django_xcover.policies import modification as modification_service
from django_xcover.policies import renewal as renewal_service
from django_xcover.policies import withdrawal
from django_xcover.types import Due, Money


class CancellationsView(PolicyView):
    """Prepares a cancellation: a preview, or a draft if XCover doesn't return the refund."""

    input_class = CancellationInput

    @describes(
        "createCancellation",
        {201: CancellationShape},
        takes=(CancellationInput,),
        headers={201: ("Location",)},
    )
    def post(self, request: Request, quote_id: str) -> Response:
        """Ask XCover for the refund; 201 whether or not it answers. Nothing is cancelled yet."""
        quote, data = self.policy(), self.validated_input()
        cancellation = withdrawal.prepare(
            quote.package,
            quotes=_chosen(quote, data["policies"]),
            reason=data["reason"],
        )
        return self.respond(
            CancellationShape,
            cancellation_view(cancellation),
            code=status.HTTP_201_CREATED,
            location=self.url_of("cancellation", cancellation.pk),
        )


class CancellationView(PolicyView):
    """One cancellation."""

    @describes("getCancellation", {200: CancellationShape})
    def get(self, request: Request, **kwargs: Any) -> Response:
        """Return its progress and refund."""
        return self.respond(CancellationShape, cancellation_view(self.cancellation()))

    def cancellation(self) -> Cancellation:
        """Return the URL's cancellation; raise Http404 if it isn't for this policy."""
        quote = self.policy()
        return self.workflow(Cancellation.objects.filter(quotes=quote), quote)


class ConfirmCancellationView(CancellationView):
    """Receives the shopper's statement that they withdraw or cancel."""

    http_method_names = ("post", "options")
    input_class = StatementInput

    @describes(
        "confirmCancellation",
        {202: CancellationShape},
        takes=(StatementInput,),
        headers={202: ("Location",)},
    )
    def post(self, request: Request, **kwargs: Any) -> Response:
        """Submit the statement; 202. Repeating it, here or on a page, returns the first one."""
        row, values = self.cancellation(), self.validated_input()
        if not values["email"] and not withdrawal.holder_of(row.package).email:
            # Without a booking or a policyholder, there's no address for the receipt.
            raise ValidationError({"email": [_("Please enter an e-mail address for the receipt.")]})
        stated = withdrawal.withdraw(row, channel=Withdrawal.Channel.API, **values)
        shown = cancellation_view(stated.cancellation)
        return self.respond(
            CancellationShape,
            shown,
            code=status.HTTP_202_ACCEPTED,
            location=self.url_of("cancellation", shown.pk),
        )


def _chosen(quote: Quote, ids: list[str] | None) -> list[Quote]:
    booked = {row.quote_id: row for row in booked_together(quote)}
    wanted = ids or [quote.quote_id]
    if not booked.keys() >= set(wanted):
        raise ValidationError({"policies": [_("Please choose from the policies of this order.")]})
    return [booked[quote_id] for quote_id in dict.fromkeys(wanted)]


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
        # 200 is for a change that was there before.
        location = "" if code == status.HTTP_200_OK else self.url_of("modification", result.pk)
        return self.respond(ModificationShape, result, code=code, location=location)

    def modification(self) -> Modification:
        """Return the URL's modification; raise Http404 if it isn't for this policy."""
        return self.workflow(Modification.objects.all(), self.policy())


class ModificationsView(ChangeView):
    """Changes of a policy."""

    input_class = ModificationInput

    @describes(
        "createModification",
        {201: ModificationShape, 202: ModificationShape},
        takes=(ModificationInput,),
        headers={201: ("Location",), 202: ("Location",)},
    )
    def post(self, request: Request, quote_id: str) -> Response:
        """Change details (202) or ask XCover for a price (201); 422 for bad values."""
        quote, values = self.policy(), self.validated_input()
        if values["policyholder"] is not None:
            return self.show(
                modification_service.change_details(
                    quote.package, values["policyholder"], origin=SHOPPER
                ),
                status.HTTP_202_ACCEPTED,
            )
        priced = modification_service.quote_change(
            quote.package, quote=quote, update_fields=values["update_fields"], origin=SHOPPER
        )
        return self.show(priced, status.HTTP_201_CREATED)


class ModificationView(ChangeView):
    """One change."""

    @describes("getModification", {200: ModificationShape})
    def get(self, request: Request, **kwargs: Any) -> Response:
        """Return its progress and price."""
        return self.show(self.modification())


class ConfirmModificationView(ChangeView):
    """Confirms a change that doesn't alter the price."""

    @describes("confirmModification", {202: ModificationShape}, headers={202: ("Location",)})
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

    @describes("abandonModification", {200: ModificationShape})
    def post(self, request: Request, **kwargs: Any) -> Response:
        """Abandon the change; 409 if it is too late."""
        row = self.modification()
        modification_service.abandon(row)
        return self.show(row)


class RenewalView(PolicyView):
    """One renewal."""

    @describes("getRenewal", {200: RenewalShape})
    def get(self, request: Request, **kwargs: Any) -> Response:
        """Return its progress and price."""
        return self.show(self.renewal())

    def show(self, renewal: Renewal, code: int = status.HTTP_200_OK) -> Response:
        """Return `renewal` as JSON."""
        return self.respond(RenewalShape, renewal_view(renewal), code=code)

    def renewal(self) -> Renewal:
        """Return the URL's renewal; raise Http404 if it isn't for this policy."""
        return self.workflow(Renewal.objects.all(), self.policy())


class PriceRenewalView(RenewalView):
    """The price of the next period."""

    http_method_names = ("post", "options")

    @describes("priceRenewal", {200: RenewalShape})
    def post(self, request: Request, **kwargs: Any) -> Response:
        """Ask XCover for the price of the next period."""
        return self.show(renewal_service.quote(self.renewal()))


class DeclineRenewalView(RenewalView):
    """Declines a renewal: the cover ends with the current period."""

    http_method_names = ("post", "options")

    @describes("declineRenewal", {202: RenewalShape})
    def post(self, request: Request, **kwargs: Any) -> Response:
        """Decline the renewal; 202. Declining again has no effect."""
        row = self.renewal()
        renewal_service.opt_out(row)
        return self.show(row, status.HTTP_202_ACCEPTED)
