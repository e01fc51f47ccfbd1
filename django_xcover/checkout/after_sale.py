"""The views of cover that is offered after the sale, reached by a signed link.

The link names the order, so guests need no session. The shop's payment page checks by itself who
may pay. None of these views runs in the shop's `ATOMIC_REQUESTS` transaction, because they may ask
XCover for a price.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, cast

from django.contrib.auth.decorators import login_not_required
from django.db.transaction import non_atomic_requests
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods
from django.views.decorators.vary import vary_on_cookie

from django_xcover import payments
from django_xcover.checkout import tags
from django_xcover.checkout.forms import AfterSaleForm
from django_xcover.checkout.presenters import after_sale_context, common_words, template_version
from django_xcover.checkout.redirects import safe_next
from django_xcover.checkout.views import HEADER, too_many
from django_xcover.exceptions import ChoiceRefused, LinkExpired, LinkInvalid
from django_xcover.models import AfterSaleOffer, Choice
from django_xcover.offers import after_sale, after_sale_links, after_sale_quotes, shop_values
from django_xcover.tracebacks import clears_frames

OrderView = Callable[[HttpRequest, Any], HttpResponse]
LinkView = Callable[[HttpRequest, str], HttpResponse]


def _by_link(view: OrderView) -> LinkView:
    """Pass the link's order to the view; show an error for a link that doesn't work.

    Anyone with the URL can open the page, so headers keep it from other sites and search engines.
    """

    @wraps(view)
    def guarded(request: HttpRequest, token: str) -> HttpResponse:
        try:
            order = after_sale_links.order_of(token)
        except LinkExpired as expired:
            response = _broken(request, str(expired), HTTPStatus.GONE)
        except LinkInvalid as invalid:
            response = _broken(request, str(invalid), HTTPStatus.NOT_FOUND)
        else:
            response = view(request, order)
            response[HEADER] = "1"
        response["Referrer-Policy"] = "same-origin"
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    hidden = sensitive_post_parameters()(never_cache(vary_on_cookie(guarded)))
    return cast("LinkView", clears_frames(login_not_required(non_atomic_requests(hidden))))


@_by_link
@require_GET
def offer(request: HttpRequest, order: Any) -> HttpResponse:
    """Return the offer as an HTML fragment; 204 if there is none, 429 after too many prices.

    XCover is asked within the offer's deadline, unless the price is stored.
    """
    look = after_sale_quotes.look(request, order)
    if look.is_limited:
        return too_many()
    if look.late is None:
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    context = after_sale_context(request, shop_values.order_reference(order), look.late)
    return render(request, "xcover/_after_sale.html", context)


@_by_link
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, order: Any) -> HttpResponse:
    """Show the offer on a page, or store the answer: a yes leads to the payment.

    409 with the current offer if the answer doesn't apply any more, 400 for an unreadable one.
    """
    if request.method != "POST":
        return _page(request, order)
    form = AfterSaleForm(request.POST)
    if not form.is_valid():
        return _page(request, order, error=form.first_error, status=HTTPStatus.BAD_REQUEST)
    reference = shop_values.order_reference(order)
    try:
        row = _answer(reference, form.cleaned_data)
    except ChoiceRefused as refusal:
        return _page(request, order, error=str(refusal), status=HTTPStatus.CONFLICT)
    due = payments.of_after_sale(row)
    url = payments.payment_url(request, due) or safe_next(request)
    # 303 makes the browser GET the page, so that reloading it doesn't repeat the answer.
    return HttpResponseRedirect(
        url or after_sale_links.path(reference), status=HTTPStatus.SEE_OTHER
    )


def _answer(reference: str, data: dict[str, Any]) -> AfterSaleOffer:
    version = template_version()
    if data["choice"] == "no":
        return after_sale.decline(reference, template_version=version)
    return after_sale.accept(
        reference, data["quote"], shown=data["shown"], template_version=version
    )


def _page(
    request: HttpRequest, order: Any, *, error: str = "", status: int = HTTPStatus.OK
) -> HttpResponse:
    reference = shop_values.order_reference(order)
    look = after_sale_quotes.look(request, order)
    if look.is_limited and not error:
        error = _("Too many requests. Please try again later.")
        status = HTTPStatus.TOO_MANY_REQUESTS
    context = after_sale_context(request, reference, look.late, error=error)
    row = None if look.late else after_sale.of_order(reference)
    if row is not None and row.paid_at is not None:
        context |= {"policies": tags.policies_block(request, order), "is_paid": True}
    elif row is not None and row.choice == Choice.DECLINED:
        words = common_words(after_sale.show(row).offer.quotes)
        context["declined"] = words.saved(Choice.DECLINED)
    return render(request, "xcover/after_sale_page.html", context, status=status)


def _broken(request: HttpRequest, error: str, status: int) -> HttpResponse:
    return render(request, "xcover/after_sale_page.html", {"error": error}, status=status)
