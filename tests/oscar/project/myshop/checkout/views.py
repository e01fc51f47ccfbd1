"""Payment by card, or on the provider's page, as Oscar's documentation shows it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views import View
from oscar.apps.checkout import views
from oscar.core.loading import get_class, get_classes, get_model

from myshop import gateway

Applicator = get_class("offer.applicator", "Applicator")
OrderPlacementMixin = get_class("checkout.mixins", "OrderPlacementMixin")
RedirectRequired, UnableToTakePayment = get_classes(
    "payment.exceptions", ["RedirectRequired", "UnableToTakePayment"]
)
Basket = get_model("basket", "Basket")
Source = get_model("payment", "Source")
SourceType = get_model("payment", "SourceType")


def debited(total: Any, reference: str) -> Any:
    """Return the source of a payment that was taken in full."""
    kind, _new = SourceType.objects.get_or_create(name="Provider")
    return Source(
        source_type=kind,
        currency="GBP",
        amount_allocated=total,
        amount_debited=total,
        reference=reference,
    )


class PaymentDetailsView(views.PaymentDetailsView):
    def handle_payment(self, order_number: Any, total: Any, **kwargs: Any) -> None:
        card = self.request.POST.get("card")
        if card is None:
            hold = self.cover.hold
            address = gateway.begin(
                amount=total.incl_tax,
                basket=self.request.basket.pk,
                order_number=order_number,
                hold=hold,
            )
            raise RedirectRequired(address)
        if card == "later":
            source = debited(total.incl_tax, card)
            source.amount_debited = 0
            self.add_payment_source(source)
            return
        if card == "declined":
            raise UnableToTakePayment("Your card was declined.")
        self.add_payment_source(debited(total.incl_tax, card))


class ReturnedView(OrderPlacementMixin, View):
    """The way back from the provider's page."""

    def get(self, request: HttpRequest, reference: str) -> HttpResponse:
        payment = gateway.PAYMENTS[reference]
        if payment.answer != "paid":
            self.restore_frozen_basket()
            messages.error(request, "Your payment failed.")
            return HttpResponseRedirect(reverse("checkout:preview"))
        basket = Basket.objects.get(pk=payment.basket)
        basket.strategy = request.strategy
        Applicator().apply(basket, request.user, request)
        submission = self.build_submission(basket=basket)
        assert submission["order_total"].incl_tax == payment.amount
        self.add_payment_source(debited(payment.amount, reference))
        submission.pop("payment_kwargs")
        return self.handle_order_placement(
            payment.order_number, **submission.pop("order_kwargs"), **submission
        )
