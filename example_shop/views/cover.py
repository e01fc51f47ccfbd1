"""Later payments for cover: added to an order, renewals, instalments, changes that cost more."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from django_xcover import exceptions, payments
from django_xcover.exceptions import ActionRefused
from django_xcover.types import Due
from example_shop import card, guests, orders
from example_shop.forms import CardForm
from example_shop.middleware import ShopRequest
from example_shop.models import Order


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def pay(request: ShopRequest, kind: str, reference: str) -> HttpResponse:
    """Pay by card what is due for the cover of one of the shopper's orders."""
    due = payments.find(kind, reference)
    if due is None:
        messages.info(request, str(exceptions.NothingDue()))
        return redirect("xcover:my_cover")
    back = _back(request, due)
    form = CardForm(request.POST or None)
    if not form.is_valid():
        return _card_page(request, due, form, back)
    number = f"{due.kind}-{due.reference}"
    try:
        card.charge(form.cleaned_data["number"], order_number=number)
    except card.CardDeclined as refusal:
        form.add_error("number", str(refusal))
        return _card_page(request, due, form, back)
    _record(request, due, number)
    if due.kind == "after_sale":
        return redirect(back)
    # That page waits for XCover; the list would still show the old price.
    return redirect(payments.page_url(due))


def _record(request: ShopRequest, due: Due, number: str) -> None:
    """Report the payment to django-xcover; refund it if it was refused meanwhile."""
    try:
        payments.record_payment(due, reference=number)
    except ActionRefused as refusal:
        card.give_back(order_number=number)
        messages.error(request, _("%(why)s You weren't charged.") % {"why": refusal})
    else:
        messages.success(request, _("Thank you. Your payment has arrived."))


def _back(request: ShopRequest, due: Due) -> str:
    """Return the page that the shopper came from; raise Http404 if they may not pay `due`."""
    order = Order.objects.filter(number=due.order_reference).first()
    if order is not None and orders.may_view(request, order):
        is_added = due.kind == "after_sale"
        return order.get_absolute_url() if is_added else reverse("xcover:my_cover")
    if guests.may_pay(request.GET.get("pass", ""), due):
        return payments.page_url(due)
    raise Http404("No such payment.")


def _card_page(request: ShopRequest, due: Due, form: CardForm, back: str) -> HttpResponse:
    context = {"due": due, "form": form, "good": card.GOOD_CARD, "bad": card.DECLINED_CARD}
    context["back"] = back
    return render(request, "shop/pay_cover.html", context, status=422 if form.is_bound else 200)
