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
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_cookie

from django_xcover.checkout.forms import ChoiceForm
from django_xcover.checkout.presenters import (
    TEMPLATE_VERSION,
    offer_context,
    saved_sentence,
    totals,
)
from django_xcover.checkout.redirects import safe_next
from django_xcover.exceptions import (
    ChoiceRefused,
    DocumentMissing,
    NothingToInsure,
    OfferChanged,
    OfferClosed,
)
from django_xcover.mirror.presentation import Offer, OfferedQuote
from django_xcover.offers import choices, quoting, visitors
from django_xcover.offers.carts import read_cart
from django_xcover.offers.quoting import NOTHING, Look
from django_xcover.policies.documents import document_url
from django_xcover.tracebacks import clears_frames


def record_answer(request: HttpRequest, form: ChoiceForm) -> tuple[Offer, OfferedQuote]:
    """Put the answer of a valid `form` on record; return the offer and the answered quote now.

    Raises ChoiceRefused, whose text is a sentence for the shopper.
    """
    cart = read_cart(request)
    if cart is None:
        raise NothingToInsure
    quote_id = form.cleaned_data["quote"]
    offer = choices.choose(
        cart,
        quote_id=quote_id,
        accepted=form.accepted,
        template_version=TEMPLATE_VERSION,
        shown=form.cleaned_data["shown"],
        plan=form.cleaned_data["plan"],
    )
    return offer, _find_quote(offer, quote_id)


def _find_quote(offer: Offer, quote_id: str) -> OfferedQuote:
    for quote in offer.quotes:
        if quote.quote_id == quote_id:
            return quote
    raise OfferChanged


ANCHOR = "#xcover-offer"


# Seconds that a refused answer waits for the new offer: mostly it is there by then.
WAIT = 1.0


def current_look(request: HttpRequest, *, wait: float = 0.0) -> Look:
    """Look for the offer for this request's cart; it is quoted in the background if need be."""
    cart = read_cart(request)
    again = quoting.AGAIN in request.GET
    return quoting.look(cart, again=again, wait=wait) if cart else quoting.NOTHING


def not_yet(request: HttpRequest, found: Look) -> HttpResponse:
    """Reply that the offer is on its way: ask again at `Location` after a moment."""
    headers = {"Retry-After": "1", "Location": next_look(request, found)}
    return HttpResponse(status=202, headers=headers)


def too_many() -> HttpResponse:
    """Reply that this visitor has had new quotes enough for a while."""
    return HttpResponse(status=429, headers={"Retry-After": str(visitors.retry_after())})


def next_look(request: HttpRequest, found: Look) -> str:
    """Return the address at which to ask again."""
    query = request.GET.copy()
    query.pop(quoting.AGAIN, None)
    if found.is_begun:
        query[quoting.AGAIN] = "1"
    return f"{request.path}?{query.urlencode()}"


def saved(request: HttpRequest, offer: Offer, answered: OfferedQuote) -> HttpResponse:
    """Reply that the answer to the quote `answered` is on record."""
    if _from_script(request):
        news = {
            "choice": answered.choice,
            "plan": answered.plan,
            "message": saved_sentence(answered),
        }
        return JsonResponse({"quote": answered.quote_id} | news | totals(offer))
    back = safe_next(request) or reverse("xcover:offer_page")
    # 303: the browser gets the page again, and reloading it does not answer again.
    return HttpResponseRedirect(back.partition("#")[0] + ANCHOR, status=303)


def refused(request: HttpRequest, sentence: str, *, status: int, found: Look) -> HttpResponse:
    """Reply with what is wrong and with the offer as it stands now, so that nothing is lost."""
    quote_id = request.POST.get("quote", "")
    context = offer_context(request, found.shown, error=sentence, quote_id=quote_id)
    context["waiting"] = found.is_waiting
    if not _from_script(request):
        return render(request, "xcover/offer_page.html", context, status=status)
    html = render_to_string("xcover/offer.html", context, request)
    answer = {"error": sentence, "html": html, "waiting": found.is_waiting}
    return JsonResponse(answer, status=status)


def _from_script(request: HttpRequest) -> bool:
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


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


@clears_frames
@login_not_required
@non_atomic_requests
@require_GET
@never_cache
@vary_on_cookie
@marked
def offer(request: HttpRequest) -> HttpResponse:
    """Return the offer for this request's cart as a fragment of a page; 204 when there is none.

    Without an offer the fragment may still say what accepted cover is gone.
    202 while XCover is asked, with the address to look at next in `Location`. 429 for a visitor
    who has caused too many quotes.
    """
    found = current_look(request)
    if found.shown is not None:
        return render(request, "xcover/offer.html", offer_context(request, found.shown))
    if found.is_waiting:
        return not_yet(request, found)
    return too_many() if found.is_limited else HttpResponse(status=204)


@clears_frames
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
    context = offer_context(request, found.shown) | {"waiting": found.is_waiting}
    response = render(request, "xcover/offer_page.html", context)
    if found.is_waiting:
        response.headers["Refresh"] = f"1; url={next_look(request, found)}"
    return response


@clears_frames
@login_not_required
@non_atomic_requests
@require_POST
@sensitive_post_parameters()
@never_cache
@marked
def choose(request: HttpRequest) -> HttpResponse:
    """Record yes or no to one quote: 400 for a bad form, 409 for an offer that is gone."""
    form = ChoiceForm(request.POST)
    if not form.is_valid():
        return refused(
            request, form.first_error, status=400, found=current_look(request, wait=WAIT)
        )
    try:
        offered, answered = record_answer(request, form)
    except OfferClosed as refusal:
        # Quoting the cart anew would offer cover for what has been bought already.
        return refused(request, str(refusal), status=409, found=NOTHING)
    except ChoiceRefused as refusal:
        return refused(request, str(refusal), status=409, found=current_look(request, wait=WAIT))
    return saved(request, offered, answered)


@clears_frames
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
