"""The offer and the shopper's answer, over HTTP.

Guests buy, too: the shop's `LoginRequiredMiddleware` leaves these views alone, and the adapter says
whose cart and order it is.

None of these views runs in the shop's `ATOMIC_REQUESTS` transaction: an offer may have to be
quoted, and no transaction is held open while XCover is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.decorators import login_not_required
from django.db.transaction import non_atomic_requests
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_cookie

from django_xcover.checkout.answering import record_answer
from django_xcover.checkout.forms import ChoiceForm
from django_xcover.checkout.panels import offer_context
from django_xcover.checkout.replies import current_offer, refused, saved
from django_xcover.services.choosing import ChoiceRefused, OfferClosed
from django_xcover.services.documents import DocumentMissing, document_url

# What the script demands of an answer before it uses it: a login page, a proxy's or the shop's own
# page does not carry it.
MARK = "X-XCover"


def marked(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Mark the responses of `view` as the package's own."""

    @wraps(view)
    def marking(request: HttpRequest) -> HttpResponse:
        response = view(request)
        response[MARK] = "1"
        return response

    return marking


@login_not_required
@non_atomic_requests
@require_GET
@never_cache
@vary_on_cookie
@marked
def offer(request: HttpRequest) -> HttpResponse:
    """Return the offer for this request's cart as a fragment of a page; 204 when there is none."""
    offered = current_offer(request)
    if offered is None:
        return HttpResponse(status=204)
    return render(request, "xcover/offer.html", offer_context(request, offered))


@login_not_required
@non_atomic_requests
@require_GET
@never_cache
@vary_on_cookie
def offer_page(request: HttpRequest) -> HttpResponse:
    """Return the same offer as a page of its own, for browsers without JavaScript."""
    offered = current_offer(request)
    return render(request, "xcover/offer_page.html", offer_context(request, offered))


@login_not_required
@non_atomic_requests
@require_POST
@never_cache
@marked
def choose(request: HttpRequest) -> HttpResponse:
    """Record yes or no to one quote: 400 for a bad form, 409 for an offer that is gone."""
    form = ChoiceForm(request.POST)
    if not form.is_valid():
        return refused(request, form.complaint, status=400, offer=current_offer(request))
    try:
        offered, answered = record_answer(request, form)
    except OfferClosed as refusal:
        # Quoting the cart anew would offer cover for what has been bought already.
        return refused(request, str(refusal), status=409, offer=None)
    except ChoiceRefused as refusal:
        return refused(request, str(refusal), status=409, offer=current_offer(request))
    return saved(request, offered, answered)


@login_not_required
@non_atomic_requests
@require_GET
@never_cache
def document(request: HttpRequest, quote_id: str, kind: str) -> HttpResponse:
    """Redirect to a policy document at XCover, for those who may see its order."""
    try:
        url = document_url(request, quote_id, kind)
    except DocumentMissing as missing:
        raise Http404 from missing
    # The link opens the document for anybody who has it, so it leaves no trace on the way.
    return HttpResponseRedirect(url, headers={"Referrer-Policy": "no-referrer"})
