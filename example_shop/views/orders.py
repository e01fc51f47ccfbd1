"""The shopper's orders."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from django_xcover import payments
from django_xcover.cover import CardState, OrderCover, order_cover
from django_xcover.exceptions import ActionRefused
from django_xcover.policies import withdrawal_path
from example_shop import card as processor
from example_shop import guests, orders
from example_shop.forms import CardForm
from example_shop.middleware import ShopRequest
from example_shop.models import Order

GONE = gettext_lazy(
    "This link is no longer valid. Please contact us, and we'll send you a new one."
)


@login_required
@require_safe
def index(request: ShopRequest) -> HttpResponse:
    """List the logged-in shopper's orders."""
    own = orders.of_shopper(request).prefetch_related("lines__product")
    return render(request, "shop/orders.html", {"orders": own})


@never_cache
@require_safe
def show(request: ShopRequest, number: str) -> HttpResponse:
    """Show one order with its cover."""
    order = _own_order(request, number)
    lines = order.lines.select_related("product", "order")
    cover = order_cover(order)
    context = {
        "order": order,
        "lines": lines,
        "cover": cover,
        "cover_waits": _waits(order, cover),
        "withdrawal_path": _withdrawal_path(order, cover),
    }
    return render(request, "shop/order.html", context)


@never_cache
@require_safe
def open_by_link(request: ShopRequest, token: str) -> HttpResponse:
    """Give a guest access to their cover by the link in an e-mail."""
    order = guests.order_of(token)
    if order is None:
        messages.error(request, GONE)
    else:
        orders.remember(request, order)
    # Redirect to a URL without the token, so that it isn't visible in the address bar.
    return redirect("xcover:my_cover")


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def pay(request: ShopRequest, number: str) -> HttpResponse:
    """Pay an order by card."""
    order = _own_order(request, number)
    if order.is_paid:
        return _paid_already(request, order)
    if order.dual_payment:
        return _pay_twice(request, order)
    form = CardForm(request.POST or None)
    if not form.is_valid():
        return _card_page(request, order, form)
    try:
        processor.charge(form.cleaned_data["number"], order_number=order.number)
    except processor.CardDeclined as refusal:
        form.add_error("number", str(refusal))
        return _card_page(request, order, form)
    return _record_payment(request, order)


@sensitive_post_parameters("customer_token_id")
@require_POST
def card(request: ShopRequest, number: str) -> HttpResponse:
    """Give XCover another card for the cover of an order that is paid otherwise."""
    order = _own_order(request, number)
    try:
        payments.use_token(order, request.POST.get("customer_token_id", ""), email=order.email)
    except ActionRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Thank you. Your insurance is being paid with this card."))
    return redirect(order)


@require_POST
def transfer(request: ShopRequest, number: str) -> HttpResponse:
    """Simulate that the bank transfer for an invoice has arrived."""
    order = _own_order(request, number)
    if order.by_card:
        raise Http404("This order is paid by card.")
    return _record_payment(request, order)


def _waits(order: Order, cover: OrderCover) -> bool:
    """Return whether a worker is about to change the cover's state."""
    if cover.card in {CardState.WANTED, CardState.REFUSED}:
        return False
    confirming = order.is_paid and cover.state == "awaiting_payment"
    return confirming or cover.state == "arranging"


def _withdrawal_path(order: Order, cover: OrderCover) -> str:
    """Return the URL where a guest withdraws from the cover; accounts use "My cover".

    The link needs no session, so a guest can keep it.
    """
    has_cover = cover.state not in {"none", "declined"}
    return withdrawal_path(order.number) if has_cover and order.user_id is None else ""


def _own_order(request: ShopRequest, number: str) -> Order:
    """Return the order; raise Http404 if it isn't the shopper's, as for an unknown one."""
    order = get_object_or_404(Order, number=number)
    if not orders.may_view(request, order):
        raise Http404("No such order.")
    return order


def _card_page(request: ShopRequest, order: Order, form: CardForm) -> HttpResponse:
    context = {
        "order": order,
        "form": form,
        "good": processor.GOOD_CARD,
        "bad": processor.DECLINED_CARD,
    }
    return render(request, "shop/pay.html", context, status=422 if form.is_bound else 200)


def _pay_twice(request: ShopRequest, order: Order) -> HttpResponse:
    """Pay with one card: the goods to the shop, and the cover to XCover."""
    refusal = ""
    if request.method == "POST":
        try:
            paid = orders.pay_with_token(order, request.POST.get("customer_token_id", ""))
        except ActionRefused as refused:
            refusal = str(refused)
        else:
            return _paid(request, order) if paid else _paid_already(request, order)
    context = {"order": order, "refusal": refusal, "declined": processor.DECLINED_BY_XCOVER}
    return render(request, "shop/pay_dual.html", context, status=422 if refusal else 200)


def _record_payment(request: ShopRequest, order: Order) -> HttpResponse:
    if not orders.pay(order):
        return _paid_already(request, order)
    return _paid(request, order)


def _paid(request: ShopRequest, order: Order) -> HttpResponse:
    messages.success(request, _("Thank you. Your payment has arrived."))
    return redirect(order)


def _paid_already(request: ShopRequest, order: Order) -> HttpResponse:
    messages.info(request, _("This order is already paid. You weren't charged again."))
    return redirect(order)
