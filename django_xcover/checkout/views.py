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
from django_xcover.checkout.replies import (
    WAIT,
    current_look,
    next_look,
    not_yet,
    refused,
    saved,
    too_many,
)
from django_xcover.services.choosing import ChoiceRefused, OfferClosed
from django_xcover.services.documents import DocumentMissing, document_url
from django_xcover.services.quoting import NOTHING

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
    """Return the offer for this request's cart as a fragment of a page; 204 when there is none.

    202 while XCover is asked, with the address to look at next in `Location`. 429 for a visitor
    who has caused too many quotes.
    """
    found = current_look(request)
    if found.offer is not None:
        return render(request, "xcover/offer.html", offer_context(request, found.offer))
    if found.is_waiting:
        return not_yet(request, found)
    return too_many() if found.is_limited else HttpResponse(status=204)


@login_not_required
@non_atomic_requests
@require_GET
@never_cache
@vary_on_cookie
def offer_page(request: HttpRequest) -> HttpResponse:
    """Return the same offer as a page of its own, for browsers without JavaScript.

    While XCover is asked it says so, and loads itself again each second.
    """
    found = current_look(request)
    context = offer_context(request, found.offer) | {"waiting": found.is_waiting}
    response = render(request, "xcover/offer_page.html", context)
    if found.is_waiting:
        response.headers["Refresh"] = f"1; url={next_look(request, found)}"
    return response


@login_not_required
@non_atomic_requests
@require_POST
@never_cache
@marked
def choose(request: HttpRequest) -> HttpResponse:
    """Record yes or no to one quote: 400 for a bad form, 409 for an offer that is gone."""
    form = ChoiceForm(request.POST)
    if not form.is_valid():
        return refused(request, form.complaint, status=400, found=current_look(request, wait=WAIT))
    try:
        offered, answered = record_answer(request, form)
    except OfferClosed as refusal:
        # Quoting the cart anew would offer cover for what has been bought already.
        return refused(request, str(refusal), status=409, found=NOTHING)
    except ChoiceRefused as refusal:
        return refused(request, str(refusal), status=409, found=current_look(request, wait=WAIT))
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
