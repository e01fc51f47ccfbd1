"""The views for the offer, the shopper's answer and the documents.

Guests can buy, so the shop's `LoginRequiredMiddleware` skips these views; the adapter returns the
cart and checks access to the order.

These views don't run in the shop's `ATOMIC_REQUESTS` transaction: they may ask XCover for a quote,
and no transaction stays open during the call.
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

from django_xcover.checkout import placements
from django_xcover.checkout.forms import ChoiceForm
from django_xcover.checkout.presenters import (
    offer_context,
    price_sentence,
    saved_sentence,
    template_version,
    totals,
)
from django_xcover.checkout.redirects import safe_next
from django_xcover.exceptions import (
    ChoiceRefused,
    DocumentMissing,
    NothingToInsure,
    OfferClosed,
)
from django_xcover.mirror.presentation import Offer, OfferedQuote
from django_xcover.offers import carts, choices, elements, product_price, quoting
from django_xcover.offers.carts import read_cart
from django_xcover.offers.quoting import NOTHING, Look
from django_xcover.policies.documents import document_url
from django_xcover.tracebacks import clears_frames


def record_answer(request: HttpRequest, form: ChoiceForm) -> tuple[Offer, list[OfferedQuote]]:
    """Store the answer of a valid `form`; return the updated offer and the answered quotes.

    Raises ChoiceRefused, whose text is for the shopper.
    """
    cart = read_cart(request)
    if cart is None:
        raise NothingToInsure
    answers = form.answers
    version = template_version(by_element=form.cleaned_data["element"])
    offer = choices.choose_each(cart, answers, template_version=version)
    return offer, [quote for quote in offer.quotes if quote.quote_id in answers]


ANCHOR = "#xcover-offer"


# Seconds that the response to a refused answer waits for the new offer, which usually suffices.
WAIT = 1.0


def current_look(request: HttpRequest, *, wait: float = 0.0) -> Look:
    """Return the state of the offer for this request's cart; request a quote if there is none."""
    cart = read_cart(request)
    again = quoting.AGAIN in request.GET
    return quoting.look(cart, again=again, wait=wait) if cart else quoting.NOTHING


def not_yet(url: str) -> HttpResponse:
    """Return a 202: XCover hasn't answered yet, and the script asks again at `url`."""
    return HttpResponse(status=202, headers={"Retry-After": "1", "Location": url})


def too_many() -> HttpResponse:
    """Return a 429: this visitor has requested too many quotes or prices."""
    return HttpResponse(status=429, headers={"Retry-After": str(carts.seconds_to_next_window())})


def next_look(request: HttpRequest, look: Look) -> str:
    """Return the URL for the next request."""
    query = request.GET.copy()
    query.pop(quoting.AGAIN, None)
    if look.is_begun:
        query[quoting.AGAIN] = "1"
    return f"{request.path}?{query.urlencode()}"


def saved(request: HttpRequest, offer: Offer, answered: list[OfferedQuote]) -> HttpResponse:
    """Return the response to a stored answer: JSON for the script, else a redirect."""
    if _from_script(request):
        first = answered[0]
        details = {
            "quote": first.quote_id if len(answered) == 1 else "",
            "quotes": [quote.quote_id for quote in answered],
            "choice": first.choice,
            "plan": first.plan,
            "message": saved_sentence(answered),
        }
        if len(offer.quotes) > 1:
            # An answer to one changes what the card says about all, and the other way round.
            context = offer_context(request, offer)
            details["html"] = render_to_string("xcover/offer.html", context, request)
        return JsonResponse(details | totals(offer))
    back = safe_next(request) or reverse("xcover:offer_page")
    # 303 makes the browser GET the page, so that reloading it doesn't repeat the answer.
    return HttpResponseRedirect(back.partition("#")[0] + ANCHOR, status=303)


def refused(request: HttpRequest, message: str, *, status: int, look: Look) -> HttpResponse:
    """Return the error with the current offer, so that the shopper keeps their answers."""
    quotes = request.POST.getlist("quote")
    quote_id = quotes[0] if len(quotes) == 1 else ""
    placements.note_fragment(request, look)
    context = offer_context(request, look.shown, error=message, quote_id=quote_id)
    context["waiting"] = look.is_waiting
    if not _from_script(request):
        return render(request, "xcover/offer_page.html", context, status=status)
    html = render_to_string("xcover/offer.html", context, request)
    body = {"error": message, "html": html, "waiting": look.is_waiting}
    return JsonResponse(body, status=status)


def _from_script(request: HttpRequest) -> bool:
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


# The script only uses responses with this header: a login page or a proxy's error page lacks it.
HEADER = "X-XCover"


def marked(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Add the header that identifies the package's responses."""

    @wraps(view)
    def marked_view(request: HttpRequest) -> HttpResponse:
        response = view(request)
        response[HEADER] = "1"
        return response

    return marked_view


@clears_frames
@login_not_required
@non_atomic_requests
@require_GET
@never_cache
@vary_on_cookie
@marked
def offer(request: HttpRequest) -> HttpResponse:
    """Return the offer for this request's cart as an HTML fragment; 204 if there is none.

    Without an offer, the fragment may still list accepted cover that is no longer available.
    Returns 202 while XCover is asked, with the URL to request next in `Location`, and 429 if this
    visitor has requested too many quotes.
    """
    look = current_look(request)
    placements.note_fragment(request, look)
    if look.shown is not None:
        return render(request, "xcover/offer.html", offer_context(request, look.shown))
    if look.is_waiting:
        return not_yet(next_look(request, look))
    return too_many() if look.is_limited else HttpResponse(status=204)


@clears_frames
@login_not_required
@non_atomic_requests
@require_GET
@never_cache
@vary_on_cookie
def offer_page(request: HttpRequest) -> HttpResponse:
    """Return the offer as a separate page, for browsers without JavaScript.

    While XCover is asked, the page says so and reloads every second.
    """
    look = current_look(request)
    placements.note(look, placements.PAGE)
    context = offer_context(request, look.shown) | {"waiting": look.is_waiting}
    response = render(request, "xcover/offer_page.html", context)
    if look.is_waiting:
        response.headers["Refresh"] = f"1; url={next_look(request, look)}"
    return response


@clears_frames
@login_not_required
@non_atomic_requests
@require_GET
@never_cache
@vary_on_cookie
@marked
def price(request: HttpRequest) -> HttpResponse:
    """Return the sentence with the price of cover for `product`; 204 if there is no price.

    Returns 202 while XCover is asked, with the URL to request next in `Location`, and 429 if this
    visitor has requested too many prices.
    """
    look = product_price.look(request, request.GET.get("product", ""))
    if look.is_waiting:
        return not_yet(request.get_full_path())
    if look.is_limited:
        return too_many()
    if look.offer is None:
        return HttpResponse(status=204)
    return JsonResponse({"text": price_sentence(look.offer.premium)})


@clears_frames
@login_not_required
@non_atomic_requests
@require_POST
@sensitive_post_parameters()
@never_cache
@marked
def choose(request: HttpRequest) -> HttpResponse:
    """Store yes or no to quotes; 400 for an invalid form, 409 if the offer isn't current."""
    form = ChoiceForm(request.POST)
    if not form.is_valid():
        return refused(request, form.first_error, status=400, look=current_look(request, wait=WAIT))
    try:
        offered, answered = record_answer(request, form)
    except OfferClosed as refusal:
        # A new quote would offer cover for items that are already bought.
        return refused(request, str(refusal), status=409, look=NOTHING)
    except ChoiceRefused as refusal:
        return refused(request, str(refusal), status=409, look=current_look(request, wait=WAIT))
    return saved(request, offered, answered)


@clears_frames
@login_not_required
@non_atomic_requests
@require_POST
@never_cache
@marked
def element(request: HttpRequest) -> HttpResponse:
    """Take over the package that XCover's element has quoted in the browser.

    Returns the offer as an HTML fragment, with that package's quotes to answer. Returns 409 with
    this package's own offer if the two differ, or if the element's can't be read; 202, 204 and 429
    as `offer` does.
    """
    look = current_look(request, wait=WAIT)
    cart = read_cart(request)
    if look.offer is None or cart is None:
        if look.is_waiting:
            return not_yet(next_look(request, look))
        return too_many() if look.is_limited else HttpResponse(status=204)
    offered = elements.adopt(cart, request.POST.get("package", ""))
    context = offer_context(request, offered or look.offer)
    return render(request, "xcover/offer.html", context, status=200 if offered else 409)


@clears_frames
@login_not_required
@non_atomic_requests
@require_GET
@never_cache
def document(request: HttpRequest, quote_id: str, kind: str) -> HttpResponse:
    """Redirect to a policy document at XCover; raise Http404 if the order isn't the shopper's."""
    try:
        url = document_url(request, quote_id, kind)
    except DocumentMissing as missing:
        raise Http404 from missing
    # Anyone with the link can open the document, so don't send it on as a referrer.
    return HttpResponseRedirect(url, headers={"Referrer-Policy": "no-referrer"})
