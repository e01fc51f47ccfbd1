"""How an answer is replied to: JSON for the script, a page for the plain form."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse

from django_xcover.checkout.panels import offer_context, saved_sentence, totals
from django_xcover.checkout.returning import safe_next
from django_xcover.services import quoting, visitors
from django_xcover.services.carts import read_cart
from django_xcover.services.offers import Offer, OfferedQuote
from django_xcover.services.quoting import Look

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
    context = offer_context(request, found.offer, error=sentence, quote_id=quote_id)
    context["waiting"] = found.is_waiting
    if not _from_script(request):
        return render(request, "xcover/offer_page.html", context, status=status)
    html = render_to_string("xcover/offer.html", context, request)
    answer = {"error": sentence, "html": html, "waiting": found.is_waiting}
    return JsonResponse(answer, status=status)


def _from_script(request: HttpRequest) -> bool:
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"
